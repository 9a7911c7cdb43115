"""What a first study calls the columns of a table that nobody described."""

from __future__ import annotations

import tomllib

import pytest

from models_py.describe.drafted_words import draft_words, worth_column
from models_py.describe.words import Vocabulary
from models_py.studies.study import ColumnWords, Describe

ROLES = {
    "Umsatz": "number",
    "MonthlyCharges": "number",
    "Joined_days": "number",
    "Vertrag": "category",
    "has_app": "truth",
    "age": "number",
    "Stadt": "category",
}


def drafted() -> Describe:
    text = draft_words("Kunde", ROLES, {"Joined_days": "Joined"}, {"Umsatz": "\N{EURO SIGN}"})
    return Describe.model_validate(tomllib.loads(text)["describe"])


def test_a_draft_is_a_section_that_a_study_takes() -> None:
    section = drafted()
    assert section.rows == "customers"
    # What the package has words for stands as a comment.
    assert set(section.words) == set(ROLES) - {"age", "Stadt"}
    vocabulary = Vocabulary(section.words)
    assert vocabulary.side("Joined_days", True).words == "Joined long ago"
    assert vocabulary.value("Joined_days", 12.0) == "12 days"
    assert vocabulary.value("Umsatz", 12.34) == "12.3 \N{EURO SIGN}"
    assert vocabulary.side("MonthlyCharges", False).words == "low monthly charges"
    assert vocabulary.yes_or_no("has_app", True).words == "with an app"


def test_money_in_the_plural_is_high_or_low() -> None:
    text = draft_words("id", {"bookings": "number", "visits": "number"}, units={"bookings": "EUR"})
    vocabulary = Vocabulary(Describe.model_validate(tomllib.loads(text)["describe"]).words)
    assert vocabulary.side("bookings", True).words == "high bookings"
    assert vocabulary.side("visits", True).words == "many visits"


@pytest.mark.parametrize(
    ("column", "word", "hedge", "words"),
    [
        ("Vertrag", "Basis", "mostly", "mostly Basis Vertrag"),
        ("spending_score", "Low", "", "low spending score"),
        ("cluster", "3", "", "cluster 3"),
        ("plan", "A", "mostly", "plan mostly A"),
        ("favourite_class", "yoga", "mostly", "favourite class mostly yoga"),
        ("age_band", "45-54", "not", "age band not 45-54"),
        ("household_composition", "1 Adult No Kids", "mostly", "mostly one adult without children"),
        ("Stadt", "Graz", "", "from Graz"),
        ("City", "Graz", "mostly", "mostly from Graz"),
        ("Gender", "Female", "", "women"),
    ],
)
def test_a_word_of_a_column_is_said_aloud(column: str, word: str, hedge: str, words: str) -> None:
    assert Vocabulary().of_word(column, word, hedge).words == words


@pytest.mark.parametrize(
    ("columns", "worth"),
    [
        (["age", "spend"], "spend"),
        (["Umsatz", "Besuche"], "Umsatz"),
        (["annual_revenue_usd"], "annual_revenue_usd"),
        (["spending_score", "avg_spend", "sales_rate", "income", "limit"], None),
    ],
)
def test_money_by_its_name_weighs_the_segments(columns: list[str], worth: str | None) -> None:
    assert worth_column(columns) == worth
    text = draft_words("id", dict.fromkeys(columns, "number"))
    assert Describe.model_validate(tomllib.loads(text)["describe"]).worth == worth


def test_a_level_stands_before_its_column() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.called("spending_score=Low") == "low spending score"
    assert vocabulary.called("education=tertiary") == "tertiary education"
    assert vocabulary.called("segment_label=D") == "segment label D"


def test_a_study_s_own_place() -> None:
    vocabulary = Vocabulary({"filiale": ColumnWords(place=True)})
    assert vocabulary.of_word("filiale", "Linz", "").words == "from Linz"
