"""Names and sentences of segments."""

from __future__ import annotations

import pandas as pd
import pytest

from models_py.describe.names import (
    name_segments,
    rows_of,
    side_words,
    standing_out,
)

COLUMNS = ["segment_id", "feature", "z", "mean", "population_mean"]


def profiles(*rows: tuple[int, str, float]) -> pd.DataFrame:
    return pd.DataFrame([(*row, 1.5 + row[2], 1.5) for row in rows], columns=COLUMNS)


@pytest.mark.parametrize(
    ("feature", "z", "words"),
    [
        ("recency_days", 1.0, "away for long"),
        ("recency_days", -1.0, "here lately"),
        ("visit_gap_mean_days", 1.0, "long gaps between visits"),
        ("department_meat_share", 1.0, "meat buyers"),
        ("department_packaged_meat_share", -1.0, "little packaged meat"),
        ("hour_evening_share", 1.0, "evening shoppers"),
        ("category_effective_count", -1.0, "narrow range"),
        ("format_xls_share", 1.0, "very large stores"),
        ("mission_fresh_share", 1.0, "fresh-food shoppers"),
        ("mission_fresh_share", -1.0, "little fresh food"),
        ("price_sensitivity_mm_share", -1.0, "less mid market"),
        ("basket_size_l_share", 1.0, "large baskets"),
        ("region_north_share", 1.0, "much region north"),
        ("life_stage=YA", 1.0, "life stage YA"),
        ("life_stage=YA", -1.0, "few life stage YA"),
        ("income_band", 1.0, "high income band"),
        ("income_band", -1.0, "low income band"),
    ],
)
def test_words_of_a_side(feature: str, z: float, words: str) -> None:
    assert side_words(feature, z) == words


def test_a_description_has_plain_words_and_units() -> None:
    table = name_segments(
        profiles((1, "visit_gap_mean_days", 5.0), (1, "mission_fresh_share", -1.0)), top=3
    )
    assert table[1].description == (
        "high: average gap between visits 6.5 days (all 1.5);"
        " low: share of fresh-food baskets 0.5 (all 1.5)"
    )


def test_the_strongest_two_name_a_segment() -> None:
    table = name_segments(
        profiles((1, "a", 0.5), (1, "b", -2.0), (1, "c", 1.0), (1, "d", 0.1)), top=3
    )
    assert table[1].name == "low b, high c"
    assert table[1].description == "high: c 2.5 (all 1.5), a 2 (all 1.5); low: b -0.5 (all 1.5)"


def test_names_are_unique() -> None:
    rows = [(segment, "a", 2.0) for segment in (1, 2, 3)]
    rows += [(segment, "b", 1.0) for segment in (1, 2, 3)]
    rows += [(2, "c", 0.5)]
    table = name_segments(profiles(*rows), top=3)
    assert [table[i].name for i in (1, 2, 3)] == [
        "high a, high b",
        "high a, high b, high c",
        "high a, high b (2)",
    ]


def test_columns_of_one_meaning_are_named_once() -> None:
    rows = [(1, f"category_{kind}", 2.0) for kind in ("richness", "shannon", "effective_count")]
    table = name_segments(profiles(*rows, (1, "recency_days", 0.4)), top=3)
    assert table[1].name == "wide-range lapsed customers"


def test_a_segment_near_the_average() -> None:
    table = name_segments(profiles((1, "a", 0.1), (2, "a", -0.1)), top=3)
    assert (table[1].name, table[2].name) == ("near the average", "near the average (2)")
    assert table[1].description == "no feature stands out from the average"


def test_standing_out_keeps_the_top_of_each_side() -> None:
    rows = [(1, name, z) for name, z in zip("abcdef", (3, 2, 1, -1, -2, -3), strict=True)]
    high, low = standing_out(profiles(*rows), 2)
    assert high["feature"].tolist() == ["a", "b"]
    assert low["feature"].tolist() == ["f", "e"]


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([("visit_gap_mean_days", -2.0), ("weekend_share", 1.0)], "frequent weekend customers"),
        ([("discount_share", 2.0), ("basket_lines_mean", 1.0)], "big-basket bargain seekers"),
        (
            [("department_fuel_share", 2.0), ("department_meat_share", 1.0)],
            "fuel buyers and meat buyers",
        ),
        ([("own_label_share", 2.0), ("income_band", 1.0)], "own-label customers, high income band"),
        ([("recency_days", 2.0)], "lapsed customers"),
        (
            [("mission_fresh_share", 2.0), ("price_sensitivity_um_share", 1.0)],
            "up-market fresh-food shoppers",
        ),
    ],
)
def test_adjectives_and_nouns_make_a_name(rows: list[tuple[str, float]], name: str) -> None:
    assert name_segments(profiles(*((1, *row) for row in rows)), top=3)[1].name == name


def test_given_names_stand_and_are_not_given_twice() -> None:
    rows = [(segment, "recency_days", 2.0) for segment in (1, 2, 3)]
    table = name_segments(profiles(*rows), 3, "stores", {2: "lapsed stores"})
    assert [table[i].name for i in (1, 2, 3)] == [
        "lapsed stores (2)",
        "lapsed stores",
        "lapsed stores (3)",
    ]


@pytest.mark.parametrize(
    ("entity", "rows"),
    [
        ("customer_id", "customers"),
        ("store_code", "stores"),
        ("client", "clients"),
        ("company_id", "companies"),
        ("id", "customers"),
        ("paid", "paids"),
    ],
)
def test_what_rows_are(entity: str, rows: str) -> None:
    assert rows_of(entity) == rows
