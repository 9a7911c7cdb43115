"""Rules: found, worded, run in DuckDB, and never of a null."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.describe.rules import (
    Condition,
    RuleSet,
    condition_sql,
    find_rules,
    place_words,
)
from models_py.describe.words import Vocabulary
from models_py.features.matrix import FeatureMatrix
from models_py.features.recipes import Recipe
from models_py.features.settings import Features
from models_py.studies.study import ColumnWords

ROWS = 900


def planted(seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of three groups: long gaps; short gaps with big baskets; the rest."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "gap_days": generator.uniform(0, 60, ROWS),
            "basket spend": generator.uniform(0, 100, ROWS),
            "noise": generator.normal(size=ROWS),
            "stage": generator.choice(["young", "old", "o'ther"], ROWS),
            "is_member": generator.random(ROWS) < 0.5,
        }
    )
    frame.loc[generator.random(ROWS) < 0.05, "gap_days"] = np.nan
    frame.loc[generator.random(ROWS) < 0.05, "stage"] = None
    groups = np.where(frame["gap_days"] >= 30, 0, np.where(frame["basket spend"] >= 70, 1, 2))
    return frame, groups


def fitted(frame: pd.DataFrame, **more: object) -> FeatureMatrix:
    return FeatureMatrix(Features.model_validate({"include": ["*"], **more})).fit(frame)


def in_duckdb(frame: pd.DataFrame, expression: str) -> list[object]:
    with duckdb.connect() as database:
        database.register("gold", frame.assign(place=range(len(frame))))
        result = database.execute(f"select {expression} from gold order by place").fetchall()
    return [row[0] for row in result]


@pytest.fixture(scope="module")
def result() -> tuple[pd.DataFrame, np.ndarray, FeatureMatrix, RuleSet]:
    frame, groups = planted()
    matrix = fitted(frame)
    rules = find_rules(matrix.unscaled(frame), groups, matrix, 1)
    assert rules is not None
    return frame, groups, matrix, rules


def test_planted_rules_come_back(
    result: tuple[pd.DataFrame, np.ndarray, FeatureMatrix, RuleSet],
) -> None:
    frame, groups, matrix, rules = result
    table = {rule.group: {c.place: c for c in rule.conditions} for rule in rules.rules}
    gap, spend = (matrix.names_.index(name) for name in ("gap_days", "basket spend"))
    assert table[0].keys() == {gap}
    assert (table[0][gap].side, table[0][gap].threshold) == ("at_least", pytest.approx(30, abs=1.5))
    assert (table[1][spend].side, table[1][spend].threshold) == (
        "at_least",
        pytest.approx(70, abs=2),
    )
    assert (rules.labels(matrix.unscaled(frame)) == groups).mean() > 0.95


def test_case_gives_in_duckdb_what_it_gives_in_python(
    result: tuple[pd.DataFrame, np.ndarray, FeatureMatrix, RuleSet],
) -> None:
    frame, _, matrix, rules = result
    table = in_duckdb(frame, rules.case_sql([10, 20, 30]))
    assert table == [10 * (1 + label) for label in rules.labels(matrix.unscaled(frame))]


@pytest.mark.parametrize("feature", range(8))
@pytest.mark.parametrize("side", ["at_least", "under", "unknown"])
def test_each_condition_is_the_same_in_sql(feature: int, side: str) -> None:
    frame, _ = planted()
    frame["rank"] = np.resize(["low", "mid", "high", None], ROWS)
    matrix = fitted(frame, ordinal={"rank": ["low", "mid", "high"]}, missing_indicator=True)
    recipe, values = matrix.recipes_[feature], matrix.unscaled(frame)
    known = values[~np.isnan(values[:, feature]), feature]
    is_binary = set(known) <= {0.0, 1.0}
    threshold = 0.5 if is_binary or recipe.kind == "ordinal" else float(np.median(known))
    condition = Condition(feature, side, threshold)  # type: ignore[arg-type]
    if recipe.kind == "indicator" and side == "unknown":
        pytest.skip("whether a value is missing is itself always known")
    sql = condition_sql(condition, recipe, is_binary)
    texts = [bool(item) for item in in_duckdb(frame, sql)]
    assert texts == condition.holds(values).tolist()
    assert place_words([condition], recipe, Vocabulary(), is_binary)


def test_words_of_conditions() -> None:
    words = Vocabulary({"balance": ColumnWords(unit="euros")})
    ranked = Recipe("rank", "rank", "ordinal", order=("low", "mid", "high"))
    assert place_words([Condition(0, "at_least", 0.5)], ranked, words) == "rank is not low"
    assert place_words([Condition(0, "under", 0.5)], ranked, words) == "rank is low"
    stage = Recipe("life_stage=YA", "life_stage", "category", category="YA")
    text = place_words([Condition(0, "under", 0.5)], stage, words)
    assert text == "life stage is not young adults"
    flag = Recipe("is_member", "is_member", "numeric")
    assert place_words([Condition(0, "at_least", 0.5)], flag, words, True) == "members"
    assert place_words([Condition(0, "under", 0.5)], flag, words, True) == "non-members"
    share = Recipe("fuel_share", "fuel_share", "numeric")
    assert place_words([Condition(0, "under", 0.077)], share, words) == "fuel share under 7.7%"
    balance = Recipe("balance", "balance", "numeric")
    assert (
        place_words([Condition(0, "at_least", 1_200_000.0)], balance, words)
        == "balance at least 1,200,000 euros"
    )


def test_both_ends_of_a_column_are_said_at_once() -> None:
    codes = Recipe("job", "job", "ordinal", order=("artist", "cook", "driver", "smith"))
    both = [Condition(0, "at_least", 0.5), Condition(0, "under", 2.5)]
    assert place_words(both, codes, Vocabulary()) == "job is cook or driver"
    age = Recipe("age", "age", "numeric")
    ages = [Condition(0, "under", 42.0), Condition(0, "at_least", 25.0)]
    assert place_words(ages, age, Vocabulary()) == "age at least 25 and under 42"


def test_half_a_share_is_no_yes() -> None:
    generator = np.random.default_rng(1)
    groups = np.repeat([0, 1], 100)
    frame = pd.DataFrame({"return_share": np.where(groups == 0, 0.2, 0.7), "x": 0.0})
    frame["x"] = generator.normal(size=200)
    frame["return_share"] += generator.uniform(-0.1, 0.1, 200)
    matrix = fitted(frame)
    rules = find_rules(matrix.unscaled(frame), groups, matrix, 1)
    assert rules is not None
    assert all("return share at least " in r.text or "under" in r.text for r in rules.rules)


def test_a_rule_is_no_longer_than_it_needs_to_be() -> None:
    frame, _ = planted()
    groups = (frame["noise"] > 0).to_numpy().astype(np.int64)
    matrix = fitted(frame)
    rules = find_rules(matrix.unscaled(frame), groups, matrix, 1)
    assert rules is not None
    assert [len(rule.conditions) for rule in rules.rules] == [1, 1]


def test_few_members_get_no_rule_and_one_group_none_at_all() -> None:
    frame, groups = planted()
    groups = np.where(np.arange(ROWS) < 3, 3, groups)
    matrix = fitted(frame)
    values = matrix.unscaled(frame)
    rules = find_rules(values, groups, matrix, 1, smallest=5)
    assert rules is not None
    assert {rule.group for rule in rules.rules} == {0, 1, 2}
    assert find_rules(values, np.zeros(ROWS, dtype=np.int64), matrix, 1) is None


def test_a_missing_value_can_be_what_tells_a_group() -> None:
    frame, _ = planted()
    groups = frame["gap_days"].isna().to_numpy().astype(np.int64)
    matrix = fitted(frame)
    rules = find_rules(matrix.unscaled(frame), groups, matrix, 1)
    assert rules is not None
    assert {rule.group: rule.text for rule in rules.rules}[1] == "gap not known"
    assert in_duckdb(frame, rules.case_sql([0, 1])) == groups.tolist()
