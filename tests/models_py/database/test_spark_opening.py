"""Spark is opened where Java is, and for the target that needs it alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from models_py.base import settings
from models_py.base.errors import WarehouseError
from models_py.database.spark_opening import check_java, java_version, open_for_dbt

SESSION = SimpleNamespace(type="spark", method="session", server_side_parameters={})


def java_that_says(folder: Path, text: str) -> Path:
    """Make a folder of Java whose program prints a version as Java does."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_381"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("command not found", None),
    ],
)
def test_version_is_read(text: str, version: int | None) -> None:
    assert java_version(text) == version


def test_a_java_that_is_new_enough_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = java_that_says(tmp_path, 'openjdk version "21.0.1" 2023-10-17')
    monkeypatch.setenv("JAVA_HOME", str(home))
    check_java()


def test_too_old_a_java_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = java_that_says(tmp_path, 'openjdk version "11.0.2" 2019-01-15')
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(WarehouseError, match=r"Java 17 or newer: install.*bin/java is Java 11"):
        check_java()


def test_no_java_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        WarehouseError, match=r"install one .*\(there is no java on the PATH\)"
    ) as told:
        check_java()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("command", "credentials"),
    [
        ("build", SimpleNamespace(type="duckdb")),
        ("build", SimpleNamespace(type="spark", method="thrift")),
        ("parse", SESSION),
    ],
)
def test_other_targets_and_commands_open_nothing(
    command: str, credentials: SimpleNamespace, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(home / "nowhere"))
    open_for_dbt(command, credentials)
    assert not settings.spark_dir().exists()


def test_a_build_on_spark_stops_without_java(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(home / "nowhere"))
    with pytest.raises(WarehouseError, match="nowhere has none"):
        open_for_dbt("build", SESSION)
    assert not settings.spark_dir().exists()


def test_tables_that_another_process_holds_are_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "java").mkdir()
    java = java_that_says(home / "java", 'openjdk version "17.0.1" 2021-10-19')
    monkeypatch.setenv("JAVA_HOME", str(java))
    settings.spark_dir().mkdir(parents=True)
    with (
        FileLock(settings.spark_dir() / "in_use.lock", is_singleton=False),
        pytest.raises(WarehouseError, match="another process works with the Spark tables in"),
    ):
        open_for_dbt("build", SESSION)
