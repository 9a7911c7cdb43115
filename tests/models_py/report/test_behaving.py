"""Spend over time, recency against frequency and mixes: SQL's figures, and none of too few."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from planted_gold import asked
from report_house import FEW_IN_MARCH, MARCH, Reported

from models_py.base.numbers import plain, share
from models_py.report.behaviour_charts import Cross, Series, draw_crosses, draw_series
from models_py.report.content import Figure
from models_py.report.facts import Facts, read_facts
from models_py.report.sections.behaving import behaviour_section, withheld_periods


@pytest.fixture(scope="module")
def facts(explained: Reported) -> Facts:
    return read_facts(explained.run_id, explained.warehouse)


@pytest.fixture(scope="module")
def figures(facts: Facts) -> dict[str, Figure]:
    return {figure.key: figure for figure in behaviour_section(facts).figures}


def test_spend_is_that_of_sql_and_too_few_are_a_gap(
    explained: Reported, figures: dict[str, Figure]
) -> None:
    expected = asked(
        explained.warehouse,
        "select segment_id, month(ordered_at) - 1 as place, sum(spend_amount) / any_value(size),"
        " count(distinct customer_id) from silver.grocery_sales"
        " join results.assignments on customer_id = entity_id"
        " join results.segments using (run_id, segment_id) where run_id = ? group by all",
        [explained.run_id],
    )
    table = figures["spending"].table
    assert table is not None
    assert list(table.head[1:]) == [f"{date(2025, month, 1):%b %Y}" for month in range(1, 8)]
    shown = {row[0].partition(" ")[0]: row[1:] for row in table.rows}
    held = {(str(i), place) for i, place, _, buyers in expected if buyers == FEW_IN_MARCH}
    assert {place for _, place in held} == {MARCH}
    ((alone, _),) = held
    for segment_id, place, value, _ in expected:
        text = shown[str(segment_id)][place]
        if text == "\N{EN DASH}":
            assert str(segment_id) == alone
        else:
            assert (str(segment_id), place) not in held
            assert text == plain(value)
    # Another month is withheld with it, or March would be what is left of the whole.
    assert list(shown[alone]).count("\N{EN DASH}") == 2
    assert "A gap: too few bought to tell." in figures["spending"].note


@given(st.lists(st.integers(0, 40), min_size=1, max_size=14))
def test_withheld_periods_do_not_follow_from_the_others(buyers: list[int]) -> None:
    counts = np.array(buyers, dtype=np.int64)
    held = withheld_periods(counts, 5)
    assert held[(counts > 0) & (counts < 5)].all()
    assert not held[counts == 0].any()
    if held.any() and (~held & (counts > 0)).any():
        assert held.sum() >= 2
        assert counts[held].max() >= 5


def test_quartiles_stand_at_the_crosses(explained: Reported, figures: dict[str, Figure]) -> None:
    table = figures["recency-frequency"].table
    assert table is not None
    shown = {row[0].partition(" ")[0]: row[1:] for row in table.rows}
    for segment_id, recency, baskets in asked(
        explained.warehouse,
        "select segment_id, quantile_cont(recency_days, [0.25, 0.5, 0.75]),"
        " quantile_cont(basket_count, [0.25, 0.5, 0.75]) from results.assignments"
        " join gold.grocery_customers on customer_id = entity_id where run_id = ? group by all",
        [explained.run_id],
    ):
        texts = [f"{plain(value)} days" for value in recency] + [plain(value) for value in baskets]
        assert shown[str(segment_id)] == texts


def test_nothing_of_a_withheld_segment(explained: Reported) -> None:
    facts = read_facts(explained.run_id, explained.warehouse)
    facts.__dict__["withheld"] = {1}
    for figure in behaviour_section(facts).figures:
        assert 'data-of="1"' not in figure.drawing
        assert "segment 1:" not in figure.alternative


def test_cards_tell_quartiles_and_how_sure(explained: Reported) -> None:
    for segment_id, silhouette, confidence in asked(
        explained.warehouse,
        "select segment_id, avg(silhouette), avg(confidence) from results.assignments"
        " where run_id = ? group by 1",
        [explained.run_id],
    ):
        card = explained.html.split(f'id="segment-{segment_id}"')[1].split("</article>")[0]
        assert f"{plain(silhouette)} (all " in card
        assert f"{plain(confidence)} (all " in card
        assert "half of them" in card


def test_mixes_are_shares_of_those_that_are_known(facts: Facts, figures: dict[str, Figure]) -> None:
    rows = pd.DataFrame(
        [
            (segment_id, "region", word, part, of_all)
            for segment_id, parts in ((1, (0.6, 0.2, 0.2)), (2, (0.3, 0.3, 0.4)))
            for word, part, of_all in zip(
                ("north", "south", "unknown"), parts, (0.5, 0.2, 0.3), strict=True
            )
        ],
        columns=["segment_id", "feature", "category", "share", "population_share"],
    )
    kept = facts.tables["segment_categories"]
    facts.tables["segment_categories"] = rows
    try:
        (mix,) = (f for f in behaviour_section(facts).figures if f.key == "mix-region")
    finally:
        facts.tables["segment_categories"] = kept
    cells = re.findall(r'data-of="(\d)">([\d.]+%)<', mix.drawing)
    assert cells == [
        ("1", share(0.75)), ("2", share(0.5)), ("1", share(0.25)), ("2", share(0.5)),
    ]  # fmt: skip
    assert "unknown" not in mix.drawing


def test_a_gap_is_no_line() -> None:
    values = np.array([1.0, 2.0, np.nan, np.nan, 5.0, 6.0])
    drawn = draw_series([Series(1, "1 a", 1, values, list("abcdef"))], list("uvwxyz"), "y", "words")
    (path,) = re.findall(r'<path d="([^"]+)" class="line"', drawn)
    assert path.count("M") == 2
    assert drawn.count('class="dot"') == 4


def test_numbers_that_are_far_apart_are_drawn_by_factors() -> None:
    crosses = [
        Cross(1, 1, (1.0, 2.0, 3.0), (1.0, 3.0, 9.0), "few"),
        Cross(2, 2, (2.0, 3.0, 4.0), (90.0, 200.0, 400.0), "many"),
    ]
    drawn = draw_crosses(crosses, "x", "y", "words")
    texts = re.findall(r'class="t end">([^<]+)<', drawn)
    assert {"10", "100"} <= set(texts)
    assert len(texts) == len(set(texts)) <= 9
