"""Advice: the rules of the file hold where they say, each with its figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from models_py.base.errors import StudyError
from models_py.describe.advice import AdviceRule, advise, load_advice


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
        ([("weekend_share", {"z": 0.0})], "keep"),
    ],
)
def test_each_situation_has_its_advice(
    rows: list[tuple[str, dict[str, float]]], action: str
) -> None:
    assert actions(*rows)[0] == action


def test_a_rule_needs_all_its_conditions_and_its_columns() -> None:
    assert actions(("basket_spend_mean", {"z": 3.0}), ("basket_count", {"z": 0.0})) == ["keep"]
    assert actions(("basket_spend_mean", {"z": 3.0})) == ["keep"]


def test_segment_figures_count_too() -> None:
    assert actions(("a", {}), stability=0.4) == ["unstable"]
    assert actions(("recency_days", {"z": 2.0}), size=2, is_small=True) == ["small_segment"]


def test_the_figures_are_told() -> None:
    rows = [("spend_amount", {"total_share": 0.5}), ("recency_days", {"z": -0.25, "mean": 4.0})]
    profiles = advise(segments(), profile(*rows), load_advice()).iloc[0]
    assert profiles["because"] == (
        "2.00 times its share of the spend; time since the last visit 4 days (all 1),"
        " -0.2 standard deviations"
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
