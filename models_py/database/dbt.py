"""The dbt project run from Python, in a process of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import WarehouseError
from models_py.database.transactions import TransactionLog

if TYPE_CHECKING:
    from models_py.studies.study import Study, Validity

DBT = "from dbt.cli.main import cli; cli()"
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
"""Unit tests hold for the project whatever the data: the project's own checks run them."""

MARK = "BUILD_MARK"
"""What dbt writes a build's mark under into its results."""


def build_first_part(study: Study, section: Validity, split_on: date, folder: Path) -> Path:
    """Build the study's table and what it needs by dbt, of what was before the split.

    Parameters
    ----------
    study
        Its table is made by the dbt model ``<schema>_<name>``.
    section
        Tells the dbt variable that leaves out later purchases.
    split_on
        Its value.
    folder
        A home of its own, for the warehouse of the first part.

    Returns
    -------
    pathlib.Path
        The DuckDB file.

    Raises
    ------
    WarehouseError
        dbt failed; the message has the first line that says why.
    """
    raw = settings.home() / "data" / "raw"
    (folder / "data").mkdir()
    if raw.is_dir():
        try:
            (folder / "data" / "raw").symlink_to(raw, target_is_directory=True)
        except OSError:  # Windows asks for a right that few have.
            shutil.copytree(raw, folder / "data" / "raw")
    tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    _build(
        ["--select", f"+{'_'.join(study.schema_and_name)}", *tests],
        {**section.variables, section.until: split_on.isoformat()},
        f"{study.table} up to {split_on}",
        home=folder,
    )
    return folder / "data" / settings.warehouse_path().name


def build_customers(log: TransactionLog) -> str:
    """Build ``gold.<name>_customers`` with dbt and return its name without the schema.

    The warehouse must not be open in this process: dbt writes it from one of its own.

    Raises
    ------
    WarehouseError
        The build or one of its tests failed; the message has dbt's first line on it.
    """
    _build(["--selector", "custom"], log.variables, f"gold.{log.name}_customers")
    return f"{log.name}_customers"


def build_marked(words: Sequence[str], what: str, mark: str, wait_seconds: float) -> None:
    """Build a part of the home's warehouse, so that :func:`is_built` knows it again.

    Parameters
    ----------
    words
        After ``dbt build``.
    what
        Is built, for the message.
    mark
        Of this build and no other.
    wait_seconds
        How long another process is waited for.

    Raises
    ------
    WarehouseError
        dbt failed; the message has the first line that says why.
    """
    home = settings.home()
    profiles = home if (home / "profiles.yml").is_file() else settings.dbt_project_dir()
    ended = subprocess.run(
        build_command(words, home, profiles, "--quiet", "--no-use-colors"),
        env={
            **settings.environment_of(home, shares=False),
            f"DBT_ENV_CUSTOM_ENV_{MARK}": mark,
            settings.WAIT_VARIABLE: str(wait_seconds),
        },
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise WarehouseError(f"dbt could not build {what}: {first_error(ended)}")


def is_built(mark: str) -> bool:
    """Tell whether the newest build of the home is the one of this mark, and nothing failed."""
    try:
        text = (settings.home() / "data" / "dbt" / "run_results.json").read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError):
        return False
    failed = [r for r in content["results"] if r["status"] not in ("success", "pass", "warn")]
    return content["metadata"]["env"].get(MARK) == mark and not failed


def domain_of(table: str) -> str | None:
    """Return the domain whose dbt models make a table; None where none does."""
    models = settings.dbt_project_dir() / "models"
    schema, _, name = table.partition(".")
    made = sorted(models.glob(f"{schema}/*/{schema}_{name}.sql"))
    return made[0].parent.name if made else None


def _build(
    selection: Sequence[str],
    variables: Mapping[str, object],
    what: str,
    home: Path | None = None,
) -> None:
    """Run ``dbt build``, here or in another home, and say in dbt's own words what failed."""
    ended = subprocess.run(
        build_command(
            [*selection, "--vars", json.dumps(variables)],
            home or settings.home(),
            settings.dbt_project_dir(),
            "--quiet",
            "--no-use-colors",
        ),
        cwd=settings.repository(),
        env=settings.environment_of(home or settings.home(), shares=False),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode:
        raise WarehouseError(f"dbt could not build {what}: {first_error(ended)}")


def build_command(words: Sequence[str], home: Path, profiles: Path, *flags: str) -> list[str]:
    """Return the command line of a ``dbt build`` that writes into a home and nowhere else.

    Unit tests are left out, unless the words say what is to be left out or taken.

    Parameters
    ----------
    words
        After ``build``.
    home
        Gets dbt's own files under ``data/dbt``.
    profiles
        Folder of ``profiles.yml``.
    flags
        Before ``build``.
    """
    folders = ["--project-dir", str(settings.dbt_project_dir()), "--profiles-dir", str(profiles)]
    written = str(home / "data" / "dbt")
    outputs = ["--target-path", written, "--log-path", written]
    kinds = () if any("resource-type" in word for word in words) else WITHOUT_UNIT_TESTS
    return [sys.executable, "-c", DBT, *flags, "build", *words, *kinds, *folders, *outputs]


def first_error(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the first line that dbt calls an error or a failure, else the first it wrote."""
    output = (ended.stdout + ended.stderr).splitlines()
    lines = [" ".join(re.sub(r"^\d\d:\d\d:\d\d\s*", "", line).split()) for line in output]
    errors = [line for line in lines if "Error" in line or "ERROR" in line or "FAIL" in line]
    return (errors or [line for line in lines if line] or ["it said nothing"])[0][:300]
