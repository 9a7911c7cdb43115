"""What columns are taken for when a study is drafted, over real tables."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.database.connection import Warehouse
from models_py.database.own_data import column_facts
from models_py.studies.column_facts import ColumnFacts
from models_py.studies.column_names import is_outcome, numbered, part_of_date
from models_py.studies.drafting import Draft, draft_study
from models_py.studies.roles import Guess, guess_roles
from models_py.studies.sentinels import days_of_no_date, find_sentinels

ROWS = 400


def facts_of(frame: pd.DataFrame, label: str | None = None) -> list[ColumnFacts]:
    raw = duckdb.connect()
    raw.register("given", frame)
    raw.execute("create schema gold; create table gold.people as select * from given")
    return column_facts(Warehouse(Path("memory"), raw), "gold", "people", "id", label)


def guesses(frame: pd.DataFrame, label: str | None = None) -> dict[str, Guess]:
    return {guess.name: guess for guess in guess_roles(facts_of(frame, label), label)}


def people(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"C{i:04d}" for i in range(ROWS)], **columns})


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize(
    ("name", "distinct", "is_one"),
    [
        ("Exited", 2, True),
        ("default.payment.next.month", 2, True),
        ("Attrition_Flag", 2, True),
        ("isChurned", 2, True),
        ("Response", 2, True),
        ("Gekündigt", 2, True),
        ("résilié", 2, True),
        ("is_canceled", 2, True),
        ("churn_score", 90, True),
        ("responses", 2, False),
        ("response", 12, False),
        ("spend", 2, False),
        ("defaulted_count", 9, False),
    ],
)
def test_outcomes_are_known_by_their_names(name: str, distinct: int, is_one: bool) -> None:
    assert is_outcome(name, distinct) == is_one


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("sex", "sex"),
        ("Home Branch No.", "branch"),
        ("zipCode", "zip"),
        ("order_status", "status"),
        ("store_visits", None),
        ("status_count", None),
        ("spend", None),
    ],
)
def test_codes_are_known_by_the_last_word(name: str, what: str | None) -> None:
    assert numbered(name) == what


def test_a_year_of_birth_is_no_part_of_a_date() -> None:
    assert part_of_date("year_of_birth") is None
    assert part_of_date("birth_year") is None
    assert part_of_date("joined_year") == ("joined", "year")
    assert part_of_date("last_visit_month") == ("last_visit", "month")
    for amount in ("Besuche pro Monat", "visits_per_week", "spendLastMonth", "achats par mois"):
        assert part_of_date(amount) is None, amount


def test_codes_written_as_numbers_are_categories_or_go(generator: np.random.Generator) -> None:
    found = guesses(
        people(
            sex=generator.integers(1, 3, ROWS),
            branch=generator.choice([101, 245, 377, 610], ROWS),
            postcode=generator.integers(2000, 2300, ROWS),
            phone=generator.integers(5_550_000, 5_550_300, ROWS),
            visits=generator.poisson(4, ROWS),
            has_card=generator.integers(0, 2, ROWS),
        )
    )
    roles = {name: guess.role for name, guess in found.items()}
    assert roles == {
        "sex": "category",
        "branch": "category",
        "postcode": "left out",
        "phone": "left out",
        "visits": "number",
        "has_card": "number",
    }
    assert "too many for a category" in found["postcode"].reason
    assert "phone number" in found["phone"].reason


def test_parts_of_one_date_are_not_four_features(generator: np.random.Generator) -> None:
    found = guesses(
        people(
            joined_year=generator.integers(2019, 2022, ROWS),
            joined_month=generator.integers(1, 13, ROWS),
            joined_day=generator.integers(1, 29, ROWS),
            joined_weekday=generator.integers(0, 7, ROWS),
            spend=generator.random(ROWS),
        )
    )
    kept = [name for name, guess in found.items() if guess.role != "left out"]
    assert kept == ["joined_year", "spend"]
    assert found["joined_month"].reason.startswith("part of one date with joined_year")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("age", [34, -1, 51, -1, 28, 45], {-1.0: 2}),
        ("score", [7, 999, 3, 5, 999, 8], {999.0: 2}),
        ("days", [3, -1, 12, 999, 40, 7, -1, 999, 999], {-1.0: 2, 999.0: 3}),
        ("glucose", [0, 90, 0, 120, 101, 85], {0.0: 2}),
        ("spend", [0, 90, 0, 120, 101, 85], {}),
        ("change", [-2, -1, 0, 1, 2, -1], {}),
        ("score", [95, 96, 97, 98, 99, 99], {}),
        ("mood", [-1, 0, 1, -1, 0, 1], {}),
        ("gap_days", [10, 20, 30, 40, 50, 60, 45000, 45000, 45000], {45000.0: 3}),
        ("amount", [10.5, 20, 30, 40, 50, 60, 700], {}),
    ],
)
def test_values_that_stand_for_none(
    name: str, values: list[float], expected: dict[float, int]
) -> None:
    frame = pd.DataFrame({"id": range(len(values)), name: values})
    (column,) = facts_of(frame)
    assert {one.value: one.rows for one in find_sentinels(column)} == expected


def test_dates_that_are_none_are_missing() -> None:
    last = dt.date(2024, 6, 30)
    days = [(last - day).days for day in (dt.date(1900, 1, 1), dt.date(9999, 12, 31))]
    frame = people(born_days=[*days, *days, *(7000 + 37 * i for i in range(ROWS - 4))])
    (column,) = facts_of(frame)
    assert {s.value for s in find_sentinels(column, days_of_no_date(last))} == set(days)
    (guess,) = guess_roles([column], codes={"born_days": days_of_no_date(last)})
    assert {s.value for s in guess.missing} == set(days)


@pytest.mark.parametrize(
    ("name", "first", "step", "role"),
    [
        ("income", 18_250, 311, "number"),
        ("salary_in_rupees", 412_000, 7_919, "number"),
        ("row", 1, 1, "left out"),
        ("member", 15_565_701, 839, "left out"),
        ("account_no", 1_000, 311, "left out"),
    ],
)
def test_amounts_that_are_all_different_are_no_identifiers(
    name: str, first: int, step: int, role: str
) -> None:
    values = [first + step * i for i in range(ROWS)]
    assert (
        guesses(people(**{name: values, "spend": [i % 9 for i in range(ROWS)]}))[name].role == role
    )


def test_a_mark_on_some_rows_is_said_to_be_one() -> None:
    marks = ["x" if i % 3 == 0 else None for i in range(ROWS)]
    reason = guesses(people(vip=marks))["vip"].reason
    assert reason.startswith("constant: x on ")
    assert reason.endswith("write yes and no if it marks")


def test_what_an_outcome_says_goes_with_it(generator: np.random.Generator) -> None:
    exited = generator.random(ROWS) < 0.3
    found = guesses(
        people(
            spend=generator.lognormal(3, 1, ROWS),
            Exited=exited.astype(int),
            reason=np.where(exited, generator.choice(["price", "move"], ROWS), "none"),
            score=np.where(exited, 80, 10) + generator.random(ROWS),
        )
    )
    assert found["Exited"].role == "left out"
    assert "--label Exited" in found["Exited"].reason
    for name in ("reason", "score"):
        assert found[name].reason.startswith("foretells the outcome Exited in "), name
    assert found["spend"].role == "number"


def test_a_column_that_another_says_is_no_second_feature(generator: np.random.Generator) -> None:
    spend = generator.lognormal(3, 1, ROWS)
    kids = generator.integers(0, 4, ROWS)
    found = guesses(
        people(
            spend=spend,
            spend_in_cents=(spend * 100).round(),
            is_parent=kids > 0,
            kids=kids,
            plan=np.array(["a", "b", "c", "d"])[kids],
            city=generator.choice(["Rome", "Oslo"], ROWS),
        )
    )
    assert found["spend_in_cents"].reason.startswith("nearly a copy of spend (correlation")
    assert found["plan"].reason == "nearly a copy of kids (100% of the rows)"
    assert found["is_parent"].reason.startswith("follows from kids")
    assert [name for name, one in found.items() if one.role != "left out"] == [
        "spend",
        "kids",
        "city",
    ]


def test_a_draft_reads_well_and_says_what_is_missing(generator: np.random.Generator) -> None:
    frame = people(
        **{
            'odd "name"\n[x]': generator.random(ROWS) / 3,
            "income": (generator.lognormal(10, 1, ROWS) + 0.123456789),
            "age": np.where(np.arange(ROWS) % 10 == 0, -1, generator.integers(18, 80, ROWS)),
        }
    )
    columns = guess_roles(facts_of(frame))
    text = draft_study(Draft("x", "X", "gold.people", "id", None, "of it", ROWS, columns, "run"))
    study = tomllib.loads(text)
    assert study["features"]["missing"] == {"age": [-1]}
    assert 'odd "name"\n[x]' in study["features"]["include"]
    assert '"age" = [-1]  # on 40 rows' in text
    numbers = [word.strip(",") for word in text.split() if word.replace(".", "").isdigit()]
    assert max(len(word) for word in numbers) <= 6


def test_a_table_whose_facts_do_not_depend_on_the_order_of_its_rows(
    generator: np.random.Generator,
) -> None:
    frame = people(spend=generator.random(ROWS).round(1), kids=generator.integers(0, 4, ROWS))
    assert facts_of(frame) == facts_of(frame.sample(frac=1.0, random_state=1))
