"""Digits, dates, yes and no of other countries; what is taken for words though it is more."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models_py.database.connection import Warehouse
from models_py.database.reading.expressions import shape_sql
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.loading import Loaded, load_customers
from models_py.sources.reading.shapes import shape_of

EASTERN = {
    "arabic": "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
    "persian": "\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9",
    "full-width": "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
}


def read(folder: Path, *columns: list[str]) -> tuple[Loaded, list[tuple[Any, ...]]]:
    """Load a file of these columns, ids in front; return it with its columns' values."""
    names = [f"c{place}" for place in range(len(columns))]
    rows = [";".join([f"k{at}", *cells]) for at, cells in enumerate(zip(*columns, strict=True))]
    file = folder / "clients.csv"
    file.write_text("\n".join([";".join(["id", *names]), *rows]) + "\n", encoding="utf-8")
    warehouse = Warehouse(Path("memory"), duckdb.connect())
    try:
        loaded = load_customers(warehouse, file, "clients", "id", ReadingOptions(ids=("id",)))
        chosen = ", ".join(names)
        return loaded, warehouse.rows(f"select {chosen} from gold.clients order by rowid")
    finally:
        warehouse.close()


@pytest.mark.parametrize("digits", EASTERN.values(), ids=EASTERN)
def test_digits_of_other_scripts_are_numbers_and_codes_stay_codes(
    tmp_path: Path, digits: str
) -> None:
    table = str.maketrans("0123456789.", digits + "\u066b")
    counts, prices = list(range(7, 47)), [place + 0.25 for place in range(40)]
    codes = [f"{place:03d}" for place in range(40)]
    written = [[str(v).translate(table) for v in column] for column in (counts, prices, codes)]
    loaded, rows = read(tmp_path, *written)
    assert [c.type for c in loaded.record.columns.values()] == ["id", "number", "number", "text"]
    assert rows == list(zip(counts, prices, written[2], strict=True))


@pytest.mark.parametrize("form", ["{}年{}月{}日", "{}년 {}월 {}일"])
def test_dates_with_words_of_the_far_east(tmp_path: Path, form: str) -> None:
    days = [dt.date(2024, 1 + place % 12, 1 + place % 28) for place in range(40)]
    _, rows = read(tmp_path, [form.format(d.year, d.month, d.day) for d in days])
    assert [day for (day,) in rows] == days


@pytest.mark.parametrize(
    ("yes", "no"),
    [("kyllä", "ei"), ("да", "нет"), ("Evet", "Hay\u0131r"), ("igen", "nem"), ("はい", "いいえ")],
)
def test_yes_and_no(tmp_path: Path, yes: str, no: str) -> None:
    truth = [place % 3 == 0 for place in range(40)]
    loaded, rows = read(tmp_path, [yes if value else no for value in truth])
    assert loaded.record.columns["c0"].true == [yes]
    assert [value for (value,) in rows] == truth


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2024-03-{:02d} 10:00 Europe/Berlin", "times with the name of a zone"),
        ("10:{:02d} 05/03/2024", "times before their dates"),
        ("20{:02d}Q1", "quarters or weeks"),
        ("2024-W{:02d}", "quarters or weeks"),
        ("1h {}m", "durations or times of day"),
        ("01:{:02d}:00", "durations or times of day"),
        ("{}K", "numbers with a word for thousands"),
        ("$1.{}M", "numbers with a word for thousands"),
    ],
)
def test_what_is_more_than_words_is_said(tmp_path: Path, value: str, words: str) -> None:
    loaded, rows = read(tmp_path, [value.format(10 + place) for place in range(20)])
    assert rows[0] == (value.format(10),)
    (said,) = loaded.warnings
    assert said.startswith(f"c0: words, such as '{value.format(10)}' (line 2)")
    assert words in said


def test_ranges_and_ratings_are_words_and_nothing_is_said(tmp_path: Path) -> None:
    sizes = ["1-10", "11-50", "51-200", "3/5"] * 10
    loaded, _ = read(tmp_path, sizes)
    assert (loaded.record.columns["c0"].type, loaded.warnings) == ("text", [])


def test_a_total_behind_a_mark_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "sap.csv"
    rows = [f"{place:05d};Firma {place};{place},50-" for place in range(1, 31)]
    file.write_text("\n".join(["Debitor;Name;Saldo", *rows, "*;Summe;465,00-"]) + "\n")
    warehouse = Warehouse(Path("memory"), duckdb.connect())
    try:
        options = ReadingOptions(ids=("Debitor",))
        loaded = load_customers(warehouse, file, "clients", "Debitor", options)
        found = warehouse.rows('select count(*), sum("Saldo") from gold.clients')
    finally:
        warehouse.close()
    assert found == [(30, -480.0)]
    assert [(loss.reason, loss.line) for loss in loaded.record.losses] == [("row of totals", 32)]


@pytest.mark.parametrize(
    "value", [" 2024年3月\u0665日 ", "\uff11\u066b5", "R$ 1.234,50-", "\u2212 7"]
)
def test_a_shape_is_the_same_in_sql(value: str) -> None:
    ((shape,),) = duckdb.execute(
        f"select {shape_sql('v')} from (select ? as v)", [value]
    ).fetchall()
    assert shape == shape_of(value)
