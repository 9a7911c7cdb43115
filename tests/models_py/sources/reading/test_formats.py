"""Encodings, dialects, numbers and dates, each decided from what stands in a file."""

from __future__ import annotations

import gzip
import tomllib
from datetime import date
from pathlib import Path

import pytest

from models_py.base.errors import DataError
from models_py.sources.reading.dates import (
    PartRanges,
    date_shape,
    decide_dates,
    is_named_as_date,
    numbers_as_dates,
)
from models_py.sources.reading.dialect import detect_dialect, unique_names
from models_py.sources.reading.encoding import file_kind, inspect_encoding, write_plain
from models_py.sources.reading.numbers import decide_number, number_shape
from models_py.sources.reading.record import ColumnReading, Loss, Reading, toml_lines
from models_py.sources.reading.shapes import Shape, shape_of


def shapes(*values: str) -> list[Shape]:
    seen: dict[str, Shape] = {}
    for line, value in enumerate(values, start=2):
        text = shape_of(value)
        before = seen.get(text, Shape(text, 0, line, value))
        seen[text] = Shape(text, before.count + 1, before.line, before.example)
    return list(seen.values())


@pytest.mark.parametrize(
    ("values", "decimal", "thousands", "unit"),
    [
        (("1,250.00", "80.00"), ".", ",", ""),
        (("1.250,00", "80"), ",", ".", ""),
        (("1 250,5", "8"), ",", " ", ""),
        (("1\u202f250,5", "8"), ",", " ", ""),
        (("1'250.5", "8"), ".", "'", ""),
        (("12,34,567.5", "8"), ".", ",", ""),
        (("1.234.567", "1.234"), ",", ".", ""),
        (("€ 5,00", "1.000,50 €"), ",", ".", "€"),
        (("12%", "7%"), ".", "", "%"),
        (("(5.00)", "5.00-", "-5.00"), ".", "", ""),
        (("1.5e+05", "2E-3"), ".", "", ""),
    ],
)
def test_the_format_of_numbers_is_found(
    values: tuple[str, ...], decimal: str, thousands: str, unit: str
) -> None:
    found = decide_number(shapes(*values))
    assert (found.decimal, found.thousands, found.unit) == (decimal, thousands, unit)
    assert not found.problem
    assert not found.is_guess


def test_a_number_that_can_be_read_in_two_ways_is_a_guess() -> None:
    assert decide_number(shapes("80", "1.250"), delimiter=";").is_guess
    assert decide_number(shapes("80", "1,250"), delimiter=";").is_guess
    assert not decide_number(shapes("80", "1,250"), delimiter=",").is_guess
    told = decide_number(shapes("80", "1.250"), decimal=",")
    assert (told.thousands, told.is_guess) == (".", False)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("1,5", "1.5"), "'1.5' (line 3) and '1,5' (line 2)"),
        (("$5", "€6"), "two units in one column: '$5' (line 2) and '€6' (line 3)"),
        (("12%", "0.12"), "two units"),
    ],
)
def test_two_formats_in_one_column_are_a_problem(values: tuple[str, ...], said: str) -> None:
    assert said in decide_number(shapes(*values)).problem


@pytest.mark.parametrize("text", ["A12", "12 kg", "1.2.3", "-", "1,23,4", "2024-01-01", "$5$"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_shape(shape_of(text)) is None


@pytest.mark.parametrize(
    ("value", "family"),
    [
        ("2024-01-03", "ymd"),
        ("2024/1/3 5:07", "ymd"),
        ("2024-01-03T10:00:00.123Z", "ymd"),
        ("03.01.2024 14:05", "parted ."),
        ("1/3/24 3:45 PM", "parted /"),
        ("03-Jan-24", "dmy"),
        ("3. März 2024", "dmy"),
        ("Mon, 03 Jan 2024 10:00:00 +0000", "dmy"),
        ("January 3rd, 2024", "mdy"),
        ("20240103", "yyyymmdd"),
    ],
)
def test_the_family_of_a_date_is_found(value: str, family: str) -> None:
    found = date_shape(shape_of(value))
    assert found is not None
    assert found.family == family


def test_the_order_of_days_and_months_is_decided_by_the_column() -> None:
    values = shapes("03/04/2024", "05/06/2024")
    years = (2024, 2024)
    assert decide_dates(values, PartRanges((3, 13), (1, 12), years)).format == "dmy"
    assert decide_dates(values, PartRanges((3, 12), (1, 13), years)).format == "mdy"
    assert decide_dates(values, PartRanges((3, 12), (1, 12), years)).choices == ("dmy", "mdy")
    broken = decide_dates(values, PartRanges((3, 13), (1, 13), years))
    assert "day and month change places" in broken.problem


def test_numbers_are_dates_only_where_the_name_or_the_values_say_so() -> None:
    every = {"is_whole": True, "valid_days": 1.0}
    assert numbers_as_dates(20200101, 20201231, **every, is_named=False) == "yyyymmdd"
    assert numbers_as_dates(43_000, 44_000, **every, is_named=False) is None
    assert numbers_as_dates(43_000, 44_000, **every, is_named=True) == "spreadsheet_days"
    assert numbers_as_dates(1.5e9, 1.6e9, **every, is_named=True) == "epoch_seconds"
    assert is_named_as_date("created_at")
    assert not is_named_as_date("recency_days")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_encoding_becomes_plain_text(
    encoding: str, found: str, line_end: str, packed: bool, tmp_path: Path
) -> None:
    text = line_end.join(["id;city", *[f"{n};Köln und Zürich" for n in range(20)]])
    raw = text.encode(encoding)
    path = tmp_path / "file.csv"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    encoded = inspect_encoding(path)
    assert encoded.name == found
    write_plain(path, encoded, tmp_path / "plain.csv")
    assert (tmp_path / "plain.csv").read_bytes().decode() == text.replace(line_end, "\n")


def test_two_encodings_in_one_file_are_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "joined.csv"
    lines = ["id,city", *["1,Köln"] * 5]
    path.write_bytes("\n".join(lines).encode() + b"\n" + "2,Zürich\n".encode("cp1252"))
    with pytest.raises(DataError, match="line 7: not UTF-8, though 5 other lines are"):
        inspect_encoding(path)


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "old.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0rest")
    with pytest.raises(DataError, match="an old Excel file"):
        file_kind(path)


@pytest.mark.parametrize(
    ("text", "delimiter", "line", "names"),
    [
        ("a,b\n1,2\n", ",", 1, ["a", "b"]),
        ("sep=;\na;b\n1,5;2,5\n", ";", 2, ["a", "b"]),
        ("Report of May\n\na;b;c\n1,5;2,5;3,5\n2,5;1,5;3,0\n", ";", 3, ["a", "b", "c"]),
        ("a\tb\n1,5\t2,5\n", "\t", 1, ["a", "b"]),
        ("A,a,,a\n1,2,3,4\n", ",", 1, ["A", "a_1", "column3", "a_2"]),
        ("only\nx\ny\n", ",", 1, ["only"]),
    ],
)
def test_the_layout_is_found(text: str, delimiter: str, line: int, names: list[str]) -> None:
    found = detect_dialect(text, "file.csv")
    assert (found.delimiter, found.header_line, found.names) == (delimiter, line, names)


def test_a_file_without_a_header_is_refused() -> None:
    with pytest.raises(DataError, match="line 1: no header, it begins with data"):
        detect_dialect("1,2.5,x\n2,3.5,y\n3,4.5,z\n", "file.csv")


def test_names_are_never_twins() -> None:
    assert unique_names(["x", "X", "x_1", " "]) == ["x", "X_1", "x_1_1", "column4"]


def test_the_record_goes_through_toml_without_ids_and_lost_lines() -> None:
    record = Reading(
        file='odd "name".csv',
        delimiter="\t",
        last_date=date(2024, 1, 2),
        columns={
            "id": ColumnReading(type="id", example="C01"),
            "a [x]": ColumnReading(type="number", decimal=",", missing=["NA"], example="1,5"),
        },
        losses=[Loss(reason="no id", lines=2, share=0.1, line=3, example="secret")],
    )
    text = "\n".join(toml_lines(record))
    assert "C01" not in text
    assert "secret" not in text
    read = Reading.model_validate(tomllib.loads(text)["reading"])
    assert read.columns["a [x]"] == record.columns["a [x]"]
    assert (read.last_date, read.losses[0].lines) == (date(2024, 1, 2), 2)
