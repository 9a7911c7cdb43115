"""Names and sentences of segments."""

from __future__ import annotations

import pandas as pd
import pytest

from models_py.describe.kinds import Kind
from models_py.describe.names import Naming, Speech, name_segments, possible_names, rows_of
from models_py.describe.profiles import CATEGORY_COLUMNS
from models_py.describe.traits import hedge
from models_py.describe.words import Part, Vocabulary
from models_py.studies.study import ColumnWords

COLUMNS = ["segment_id", "feature", "z", "mean", "population_mean"]
NO_WORDS = pd.DataFrame(columns=list(CATEGORY_COLUMNS))


def named(
    *rows: tuple[int, str, float],
    who: str = "customers",
    given: dict[int, str] | None = None,
    **kinds: Kind,
) -> dict[int, Naming]:
    """Name segments by columns of numbers, but for what ``kinds`` says."""
    profiles = pd.DataFrame([(*row, 1.5 + row[2], 1.5) for row in rows], columns=COLUMNS)
    known: dict[str, Kind] = {**{row[1]: "number" for row in rows}, **kinds}
    return name_segments(profiles, NO_WORDS, 3, Speech(known, who=who), given)


def shares(*rows: tuple[str, float, float], column: str = "level") -> pd.DataFrame:
    """Rows of segment 1: word, share in the segment and in all."""
    frame = pd.DataFrame(rows, columns=["category", "share", "population_share"])
    return frame.assign(segment_id=1, feature=column)


def by_words(categories: pd.DataFrame, **words: ColumnWords) -> Naming:
    column = str(categories["feature"].iloc[0])
    profiles = pd.DataFrame([(1, "a", 0.0, 1.5, 1.5), (2, "a", 0.0, 1.5, 1.5)], columns=COLUMNS)
    speech = Speech({"a": "number", column: "words"}, Vocabulary(words))
    return name_segments(profiles, categories, 3, speech)[1]


@pytest.mark.parametrize(
    ("feature", "z", "words"),
    [
        ("recency_days", 1.0, "lapsed"),
        ("recency_days", -1.0, "recent"),
        ("department_meat_share", 1.0, "meat buyers"),
        ("department_packaged_meat_share", -1.0, "little packaged meat"),
        ("hour_evening_share", 1.0, "evening"),
        ("category_effective_count", -1.0, "narrow-range"),
        ("mission_fresh_share", -1.0, "little fresh food"),
        ("price_sensitivity_mm_share", -1.0, "less mid market"),
        ("region_north_share", 1.0, "much region north"),
        ("income_band", -1.0, "low income band"),
        ("complaint_count", 1.0, "many complaints"),
        ("complaint_count", -1.0, "few complaints"),
        ("order_value_mean", 1.0, "high order value"),
        ("team_size", 1.0, "large team"),
        ("session_minutes", -1.0, "short sessions"),
        ("visits", 1.0, "many visits"),
        ("NumWebPurchases", -1.0, "few web purchases"),
        ("avg_basket", 1.0, "high basket"),
        ("MntWines", 1.0, "high spend on wines"),
        ("number_of_visits", -1.0, "few visits"),
        ("visits_count", 1.0, "many visits"),
        ("kids", -1.0, "few kids"),
        ("MonthlyCharges", 1.0, "high monthly charges"),
        ("savings_eur", -1.0, "low savings"),
        ("loyalty_status", 1.0, "high loyalty status"),
        ("call_duration", 1.0, "long call duration"),
        ("monthly_minutes", 1.0, "many monthly minutes"),
        ("days_since_visit", 1.0, "visit long ago"),
        ("days_since_joined", -1.0, "recently joined"),
        ("lead_time_days", -1.0, "booked at short notice"),
        ("notice_days", 1.0, "long notice"),
        ("last_order_days", 1.0, "lapsed"),
        ("days_since_last_visit", -1.0, "recent"),
        ("monthly_fee_eur", 1.0, "high monthly fee"),
    ],
)
def test_words_of_a_side(feature: str, z: float, words: str) -> None:
    assert Vocabulary().side(feature, z > 0).words == words


@pytest.mark.parametrize(
    ("column", "yes", "no"),
    [
        ("has_housing_loan", "with a housing loan", "without a housing loan"),
        ("has_app", "with an app", "without an app"),
        ("has_children", "with children", "without children"),
        ("is_married", "married", "not married"),
        ("has_churned", "churned", "not churned"),
        ("is_repeated_guest", "repeat guests", "first-time guests"),
        ("is_graduate", "graduates", "non-graduates"),
        ("was_contacted_before", "contacted before", "not contacted before"),
        ("newsletter", "with newsletter", "without newsletter"),
    ],
)
def test_yes_and_no_are_having_and_not_having(column: str, yes: str, no: str) -> None:
    said = Vocabulary()
    assert (said.yes_or_no(column, True).words, said.yes_or_no(column, False).words) == (yes, no)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("monthly_fee_eur", 19.14, "monthly fee 19.1 EUR"),
        ("last_order_days", 122.0, "time since the last order 122 days"),
        ("code_region", 3.0, "region code 3"),
        ("Year_Birth", 1969.6, "Year Birth 1970"),
        ("year_index", 3.5, "year index 3.50"),
        ("note_try", 3.0, "note try 3"),
    ],
)
def test_a_value_is_said_with_its_column_and_unit(column: str, value: float, words: str) -> None:
    said = Vocabulary()
    assert f"{said.called(column)} {said.value(column, value)}" == words
    assert said.value(column, value).endswith(said.unit(column))


def test_a_currency_that_a_study_says_itself_is_said_once() -> None:
    said = Vocabulary({"fee_eur": ColumnWords(called="fee eur")})
    assert said.value("fee_eur", 19.14) == "19.1"


def test_nobody_says_that_a_store_is_a_buyer() -> None:
    features = ("department_meat_share", "baskets_per_week")
    parts = [Vocabulary().side(feature, True) for feature in features]
    assert possible_names(parts, "stores")[0] == "frequent stores, many meat buyers"
    assert possible_names(parts, "customers")[0] == "frequent meat buyers"


def test_a_description_has_plain_words_and_units() -> None:
    table = named((1, "visit_gap_mean_days", 5.0), (1, "mission_fresh_share", -1.0))
    assert table[1].description == (
        "high: average gap between visits 6.50 days (all 1.50);"
        " low: share of fresh-food baskets 50% (all 1.50)"
    )


def test_the_strongest_two_name_a_segment() -> None:
    table = named((1, "a", 0.5), (1, "b", -2.0), (1, "c", 1.0), (1, "d", 0.1))
    assert table[1].name == "low b, high c"
    assert table[1].description == (
        "high: c 2.50 (all 1.50), a 2 (all 1.50); low: b \u22120.50 (all 1.50)"
    )


def test_names_are_unique_and_never_longer_than_two_traits() -> None:
    rows = [(segment, "a", 2.0) for segment in (1, 2, 3, 4)]
    rows += [(segment, "b", 1.0) for segment in (1, 2, 3, 4)]
    rows += [(2, "c", 0.5)]
    table = named(*rows)
    assert [table[i].name for i in (1, 2, 3, 4)] == [
        "high a, high b",
        "high a, high c",
        "high a",
        "high b",
    ]


def test_the_same_traits_in_another_order_are_no_other_name() -> None:
    table = named(
        *((1, "a", -2.0), (1, "b", -1.0)), *((2, "b", -2.0), (2, "a", -1.0), (2, "c", -0.8))
    )
    assert table[1].name == "low a, low b"
    assert table[2].name == "low b, low c"


def test_columns_of_one_meaning_are_named_once() -> None:
    rows = [(1, f"category_{kind}", 2.0) for kind in ("richness", "shannon", "effective_count")]
    assert named(*rows, (1, "recency_days", 0.4))[1].name == "wide-range lapsed customers"


def test_a_name_does_not_say_one_thing_twice() -> None:
    twice = [Part("as", "up-market"), Part("state", "mostly up-market"), Part("as", "small-basket")]
    names = possible_names(twice, "customers")
    assert names[0] == "up-market small-basket customers"
    assert not [name for name in names if name.count("up-market") > 1]


def test_a_segment_near_the_average() -> None:
    table = named((1, "a", 0.1), (2, "a", -0.1))
    assert (table[1].name, table[2].name) == ("near the average", "near the average (2)")
    assert table[1].description == "no feature stands out from the average"


def test_one_segment_is_everybody() -> None:
    assert named((1, "a", 0.0), who="stores")[1].name == "all stores"


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
    assert named(*((1, *row) for row in rows))[1].name == name


def test_given_names_stand_and_are_not_given_twice() -> None:
    rows = [(segment, "recency_days", 2.0) for segment in (1, 2, 3)]
    table = named(*rows, who="stores", given={2: "lapsed stores"})
    assert [table[i].name for i in (1, 2, 3)] == [
        "lapsed stores (2)",
        "lapsed stores",
        "lapsed stores (3)",
    ]


@pytest.mark.parametrize(
    ("mean", "population", "name"),
    [
        (0.99, 0.3, "with a pet"),
        (0.7, 0.3, "mostly with a pet"),
        (0.3, 0.1, "more often with a pet"),
        (0.01, 0.4, "without a pet"),
        (0.2, 0.5, "mostly without a pet"),
        (0.6, 0.9, "less often with a pet"),
    ],
)
def test_a_share_of_yes_is_not_said_of_more_than_have_it(
    mean: float, population: float, name: str
) -> None:
    z = (mean - population) / (population * (1 - population)) ** 0.5
    profiles = pd.DataFrame([(1, "has_pet", z, mean, population)], columns=COLUMNS)
    speech = Speech({"has_pet": "boolean"})
    assert name_segments(profiles, NO_WORDS, 3, speech)[1].name == name


def test_words_are_named_by_their_shares() -> None:
    mostly = by_words(shares(("Low", 0.8, 0.4), ("High", 0.2, 0.6)))
    assert mostly.name == "mostly low level"
    assert mostly.description == "more often: low level 80% (all 40%)"
    assert by_words(shares(("Low", 0.98, 0.6), ("High", 0.02, 0.4))).name == "low level"
    few = shares(("a", 0.3, 0.1), ("b", 0.35, 0.45), ("c", 0.35, 0.45))
    assert by_words(few).name == "level more often a"
    spread = shares(("a", 0.0, 0.3), *((word, 0.2, 0.14) for word in "bcdef"))
    assert by_words(spread).name == "level not a"


@pytest.mark.parametrize("answer", ["not given", "missing", "Unknown", "XX", ""])
def test_what_is_missing_is_no_finding(answer: str) -> None:
    rows = shares((answer, 0.8, 0.1), ("a", 0.1, 0.45), ("b", 0.1, 0.45))
    assert by_words(rows).name == "near the average"


def test_a_study_has_words_of_its_own() -> None:
    own = ColumnWords(called="plan", values={"B2": "business"})
    naming = by_words(shares(("B2", 0.9, 0.3), ("P1", 0.1, 0.7)), level=own)
    assert naming.name == "mostly business plan"
    alone = own.model_copy(update={"alone": True})
    assert by_words(shares(("B2", 0.9, 0.3), ("P1", 0.1, 0.7)), level=alone).name == (
        "mostly business"
    )
    vocabulary = Vocabulary({"fee": ColumnWords(high="well paying", unit="pounds")})
    assert vocabulary.side("fee", True).words == "well paying"
    assert vocabulary.side("fee", False).words == "low fee"
    assert vocabulary.value("fee", 1234.0) == "1,230 pounds"


def test_hedges_bound_what_is_said() -> None:
    texts = [hedge(value, True) for value in (0.95, 0.5, 0.49)]
    assert texts == ["", "mostly", "more often"]


@pytest.mark.parametrize(
    ("entity", "rows"),
    [
        ("customer_id", "customers"),
        ("store_code", "stores"),
        ("client", "clients"),
        ("company_id", "companies"),
        ("id", "customers"),
        ("ID", "customers"),
        ("CustomerId", "customers"),
        ("Kd-Nr", "customers"),
        ("household_key", "households"),
        ("paid", "paids"),
    ],
)
def test_what_rows_are(entity: str, rows: str) -> None:
    assert rows_of(entity) == rows
