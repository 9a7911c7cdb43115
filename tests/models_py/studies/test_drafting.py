"""A drafted study takes the columns that tell groups apart and says why of every column."""

from __future__ import annotations

from models_py.describe.drafted_words import draft_words
from models_py.features.structure import Relevance
from models_py.studies.drafting import Draft, choose_features, draft_study
from models_py.studies.loading import parse_study
from models_py.studies.roles import Guess


def draft(rows: int = 240) -> Draft:
    guesses = [
        Guess("visits", "number", "number from 1 to 20"),
        Guess("plan", "category", "category of 3 values"),
        Guess("joined_days", "number", "number from 0 to 2,000"),
        Guess("fee_copy", "number", "number from 1 to 9"),
        Guess("iban", "left out", "identifier"),
    ]
    return Draft(
        "gym", "Gym", "gold.gym", "id", None, "", rows, guesses, "run", skewed=["joined_days"]
    )


RELEVANCE = {
    "visits": Relevance(120.0, 0.63),
    "plan": Relevance(40.0, 0.21),
    "joined_days": Relevance(-9.0, 0.002),
    "fee_copy": Relevance(-2.0, 0.4),
}


def test_what_tells_groups_apart_is_taken_and_the_rest_has_its_reason() -> None:
    chosen = choose_features(draft(), RELEVANCE)
    words = draft_words("id", {"visits": "number"}, measures=chosen.measures)
    text = f"{draft_study(chosen)}\n{words}\n"
    study = parse_study(text, "gym")

    assert study.features.include == ["visits", "plan"]
    assert (
        '"visits",  # number from 1 to 20; the groups of the other columns tell 63% of it' in text
    )
    assert (
        '"joined_days": tells no groups apart: those that the other columns show tell under 1%'
        in text
    )
    assert '"fee_copy": what it says of groups, the features say already' in text
    assert '"iban": identifier' in text
    assert study.describe.measures == ["joined_days", "fee_copy"]
    assert study.features.power == []
    assert [asked.name for asked in study.algorithms] == ["mixed_mixture"]
    assert study.choose.by == "icl"


def test_where_nothing_tells_groups_apart_all_stay_and_it_is_said() -> None:
    nothing = {name: Relevance(-5.0, 0.0) for name in RELEVANCE}
    text = draft_study(choose_features(draft(), nothing))

    assert "# No groups show in these columns" in text
    assert len(parse_study(text, "gym").features.include) == 4
    assert "power = [" in text


def test_few_rows_are_drafted_as_they_are() -> None:
    study = parse_study(draft_study(choose_features(draft(60), {})), "gym")

    assert len(study.features.include) == 4
    assert [asked.name for asked in study.algorithms] == ["mixed_mixture"]
    assert study.algorithms[0].k == (2, 6)
    assert study.choose.by == "icl"
