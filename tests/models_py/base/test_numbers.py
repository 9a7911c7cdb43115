"""Figures and columns as a reader sees them."""

from __future__ import annotations

from datetime import datetime

import pytest

from models_py.base import numbers
from models_py.describe.words import column_words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.301, "30%"), (0.0785, "7.8%"), (0.0, "0%"), (1.0, "100%"), (0.0002, "under 0.1%")],
)
def test_shares(value: float, text: str) -> None:
    assert numbers.share(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (63.123, "63.1"),
        (0.2274, "0.23"),
        (1861.4, "1,860"),
        (24187.0, "24,200"),
        (999.7, "1,000"),
        (0.0, "0"),
        (-3.0, "\u22123"),
        (123.4, "123"),
        (0.0042, "0.0042"),
        (0.0004, "under 0.001"),
        (-0.0004, "above \u22120.001"),
        (float("nan"), "\u2013"),
    ],
)
def test_plain_numbers(value: float, text: str) -> None:
    assert numbers.plain(value) == text


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("fuel_share", 0.0612, "6.1%"),
        ("home=flat", 0.5, "50%"),
        ("recency_days", 8.94, "8.94 days"),
        ("spend_amount", 4097.3, "4,100"),
        ("work_experience_years", 2.64, "2.64 years"),
        ("basket_spend_mean", 31.87, "31.9"),
        ("fuel_share", float("nan"), "\u2013"),
    ],
)
def test_units_come_from_the_columns_name(column: str, value: float, text: str) -> None:
    assert numbers.in_units(column, value) == text


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("fuel_share", 0.0042, "0.42%"),
        ("fuel_share", 0.3, "30%"),
        ("recency_days", 12.0, "12 days"),
        ("spend_amount", 1_200_000.0, "1,200,000"),
        ("balance", -0.00025, "\u22120.00025"),
    ],
)
def test_limits_keep_every_digit(column: str, value: float, text: str) -> None:
    assert numbers.exact(column, value) == text


def test_a_unit_of_the_studys_own_stands_behind() -> None:
    assert numbers.in_units("balance", 1362.3, "euros") == "1,360 euros"


def test_words_around_numbers() -> None:
    assert numbers.listed([]) == ""
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"
    assert numbers.day(datetime(2026, 5, 3)) == "3 May 2026"
    assert numbers.moment(datetime(2026, 5, 3, 4, 5)) == "3 May 2026, 04:05 UTC"


def test_long_texts_end_at_a_word() -> None:
    result = numbers.shortened("wide range, short gaps between visits", 20)
    assert result == "wide range, short\u2026"
    assert numbers.shortened("short", 20) == "short"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("basket_spend_mean", "average basket spend"),
        ("category_effective_count", "effective number of categories"),
        ("department_fuel_share", "fuel share"),
        ("visit_gap_max_days", "visit gap max"),
        ("recency_days", "time since the last visit"),
        ("home=own house", "home own house"),
    ],
)
def test_columns_in_words(column: str, words: str) -> None:
    assert column_words(column) == words
