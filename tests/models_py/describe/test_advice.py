"""Advice: the rules of the file hold where they say, each with its figures."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd
import pytest
import yaml

from models_py.base import settings
from models_py.base.errors import StudyError
from models_py.describe.advice import AdviceRule, advise, load_advice
from models_py.describe.names import Speech
from models_py.studies.listing import shipped_studies
from models_py.studies.loading import load_study


def segments(**changes: object) -> pd.DataFrame:
    row = {
        "partition": "all",
        "segment_id": 3,
        "size": 50,
        "share": 0.25,
        "stability": 0.9,
        "is_small": False,
    }
    others = {**row, "segment_id": 4, "size": 150, "share": 0.75}
    return pd.DataFrame([{**row, **changes}, others])


def profile(*rows: tuple[str, dict[str, float]]) -> pd.DataFrame:
    plain = {"mean": 2.0, "median": 2.0, "population_mean": 1.0, "z": 0.0, "total_share": 0.25}
    return pd.DataFrame(
        [{"segment_id": 3, "feature": name, **plain, **result} for name, result in rows]
    )


def actions(*rows: tuple[str, dict[str, float]], **changes: object) -> list[str]:
    profiles = advise(segments(**changes), profile(*rows), load_advice())
    return profiles.loc[profiles["segment_id"] == 3, "action"].tolist()


@pytest.mark.parametrize(
    ("rows", "action"),
    [
        ([("recency_days", {"z": 0.8})], "win_back"),
        ([("visit_gap_mean_days", {"z": 0.8})], "remind"),
        ([("spend_amount", {"total_share": 0.5}), ("recency_days", {"z": -0.2})], "retain"),
        ([("discount_share", {"z": 1.0})], "promote"),
        ([("discount_share", {"z": -1.0})], "no_discount"),
        ([("category_richness", {"z": -1.0})], "cross_sell"),
        (
            [("basket_spend_mean", {"z": 3.0}), ("basket_count", {"z": -0.6})],
            "investigate_bulk",
        ),
        (
            [("spend_amount", {"mean": 9.0, "median": 3.0, "total_share": 0.5})],
            "investigate_few_large",
        ),
        ([("basket_spend_mean", {"z": -0.5}), ("visit_count", {"z": 0.5})], "upsell_baskets"),
        ([("tenure_days", {"z": -0.8})], "welcome"),
        ([("longest_return_run", {"z": 0.7})], "returns_in_a_row"),
        ([("returned_order_share", {"z": 0.7})], "returns_often"),
        ([("return_amount_share", {"z": 0.7})], "returns_dear"),
        ([("days_to_return_mean", {"z": 0.7})], "returns_late"),
        (
            [("near_lines_mean", {"z": 0.7}), ("returned_order_share", {"mean": 0.2})],
            "exchange_at_once",
        ),
        ([("order_spend_mean", {"z": -0.5}), ("order_count", {"z": 0.5})], "upsell_baskets"),
        ([("order_clicks_mean", {"z": 0.8})], "shorten_the_way"),
        ([("balance_amount", {"z": 0.5})], "invest"),
        ([("has_personal_loan", {"mean": 0.4, "population_mean": 0.16})], "merge_loans"),
        ([("has_housing_loan", {"z": -0.9})], "room_for_a_plan"),
        ([("spending_score=High", {"mean": 0.5, "population_mean": 0.15})], "top_models"),
        ([("spending_score=Low", {"mean": 0.9, "population_mean": 0.6})], "entry_offers"),
        ([("age", {"z": -0.8, "mean": 25.0, "population_mean": 43.0})], "young"),
    ],
)
def test_each_situation_has_its_advice(
    rows: list[tuple[str, dict[str, float]]], action: str
) -> None:
    assert actions(*rows)[0] == action


def test_a_rule_needs_all_its_conditions_and_its_columns() -> None:
    assert actions(("basket_spend_mean", {"z": 3.0}), ("basket_count", {"z": 0.0})) == []
    assert actions(("basket_spend_mean", {"z": 3.0})) == []


def test_where_there_is_nothing_to_say_nothing_is_said() -> None:
    assert actions(("weekend_share", {"z": 0.0})) == []
    written = advise(segments(), profile(("weekend_share", {"z": 0.0})), load_advice())
    assert list(written.columns)[:3] == ["partition", "segment_id", "priority"]


def test_the_segment_where_the_label_is_frequent_comes_first() -> None:
    rows = profile(
        ("has_subscribed", {"mean": 0.3, "population_mean": 0.1}), ("recency_days", {"z": 1.0})
    )
    speech = Speech({"has_subscribed": "boolean"})
    written = advise(segments(), rows, load_advice(), speech, "has_subscribed")
    assert written["action"].tolist() == ["label_frequent", "win_back"]
    assert written["because"].iloc[0].endswith("30% (all 10%), 3.0 times as frequent as among all")
    assert "subscribed" in written["advice"].iloc[0]
    # A label of several words is more or less frequent in no sense of the rule.
    assert advise(segments(), rows, load_advice(), Speech({}), "has_subscribed")[
        "action"
    ].tolist() == ["win_back"]


def test_a_single_order_gets_no_advice_on_habits() -> None:
    rows = [
        ("units_purchased", {"z": 5.0}),
        ("spend_amount", {"total_share": 0.5}),
        ("recency_days", {"z": 0.0}),
    ]
    assert actions(*rows) == ["retain"]
    assert actions(*rows, size=1) == ["bulk_purchase"]
    written = advise(segments(size=1), profile(*rows), load_advice()).iloc[0]
    assert written["because"].endswith("1 member")


@pytest.fixture(scope="module")
def gold() -> dict[str, set[str]]:
    """The columns of each gold table."""
    return {
        model["name"].replace("gold_", "gold.", 1): {column["name"] for column in model["columns"]}
        for path in (settings.dbt_project_dir() / "models" / "gold").rglob("_*__models.yml")
        for model in yaml.safe_load(path.read_text())["models"]
    }


def test_every_column_of_a_rule_is_one_of_gold(gold: dict[str, set[str]]) -> None:
    columns = set().union(*gold.values())
    assert len(columns) > 150
    patterns = {
        pattern.partition("=")[0]
        for rule in load_advice()
        for condition in rule.when
        for pattern in condition.feature
    }
    assert {p for p in patterns if not any(fnmatchcase(c, p) for c in columns)} == set()


def test_every_rule_can_be_given_by_a_shipped_study(gold: dict[str, set[str]]) -> None:
    profiled = {}
    for name in shipped_studies():
        study = load_study(name)
        features = {
            c for c in gold[study.table] for p in study.features.include if fnmatchcase(c, p)
        }
        profiled[name] = features | set(study.describe.measures) | {study.label}
    able = {
        rule.action: {
            name
            for name, columns in profiled.items()
            if all(
                not condition.feature
                or any(
                    fnmatchcase(str(column), pattern.partition("=")[0])
                    for pattern in condition.feature
                    for column in columns
                )
                for condition in rule.when
            )
        }
        for rule in load_advice()
    }
    assert [action for action, studies in able.items() if not studies] == []
    about_anything = {"small_segment", "unstable", "label_frequent"}
    said_of = set().union(*(able[action] for action in able.keys() - about_anything))
    assert set(profiled) - said_of == set()


def test_segment_figures_count_too() -> None:
    assert actions(("a", {}), stability=0.4) == ["unstable"]
    assert actions(("recency_days", {"z": 2.0}), size=2, is_small=True) == ["small_segment"]


def test_the_figures_are_told() -> None:
    rows = [("spend_amount", {"total_share": 0.5}), ("recency_days", {"z": -0.25, "mean": 4.0})]
    profiles = advise(segments(), profile(*rows), load_advice()).iloc[0]
    assert profiles["because"] == (
        "spend a head 2.0 times that of all; time since the last visit 4 days (all 1),"
        " \N{MINUS SIGN}0.2 standard deviations"
    )
    assert profiles["priority"] == 1


def test_at_most_four_and_the_most_urgent_first() -> None:
    rows = [
        ("recency_days", {"z": 1.0}),
        ("visit_gap_mean_days", {"z": 1.0}),
        ("category_richness", {"z": -1.0}),
        ("discount_share", {"z": 1.0}),
        ("own_label_share", {"z": 1.0}),
        ("weekend_share", {"z": 1.0}),
    ]
    assert actions(*rows) == ["win_back", "remind", "cross_sell", "promote"]


def test_rules_of_ones_own_replace_and_add(tmp_path: Path) -> None:
    own = tmp_path / "advice.toml"
    own.write_text(
        '[[rule]]\naction = "win_back"\nadvice = "Call {what}"\n'
        'when = [{ feature = ["recency_days"], above = 0.1 }]\n'
        '[[rule]]\naction = "mine"\nadvice = "x"\nwhen = [{ segment = "size", under = 60 }]\n'
    )
    rules = load_advice(own)
    assert [rule.action for rule in rules][-1] == "mine"
    profiles = advise(segments(), profile(("recency_days", {"z": 0.2})), rules)
    assert profiles.loc[profiles["segment_id"] == 3, "advice"].tolist() == [
        "Call time since the last visit",
        "x",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]", "not readable as TOML"),
        (
            '[[rule]]\naction = "a"\nadvice = "b"\nwhen = [{ segment = "siz", above = 1 }]',
            "segment",
        ),
        ('[[rule]]\naction = "a"\nadvice = "b"\nwhen = [{ segment = "size" }]', "above, under"),
        ('[[rule]]\naction = "a"\nadvice = "b"\nwhen = [{ above = 1 }]', "feature or segment"),
        ('[[rule]]\naction = "a"\nadvice = "b"\nwhen = []', "rule.0.when"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    own = tmp_path / "advice.toml"
    own.write_text(text)
    with pytest.raises(StudyError, match=message) as result:
        load_advice(own)
    assert "advice.toml" in str(result.value)
    assert "\n" not in str(result.value)


def test_every_shipped_rule_can_be_told() -> None:
    rules = load_advice()
    assert len({rule.action for rule in rules}) == len(rules) >= 12
    for rule in rules:
        assert isinstance(rule, AdviceRule)
        assert rule.advice.format(what="x")
