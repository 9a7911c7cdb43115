"""The dbt project run from Python, in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import DataError, WarehouseError
from models_py.database.transactions import TransactionLog

if TYPE_CHECKING:
    from models_py.studies.study import Study, Validity


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
    DataError
        dbt failed; the message has its last words.
    """
    raw = settings.home() / "data" / "raw"
    (folder / "data").mkdir()
    if raw.is_dir():
        (folder / "data" / "raw").symlink_to(raw)
    variables = {**section.variables, section.until: split_on.isoformat()}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            "--no-use-colors",
            "build",
            "--select",
            f"+{'_'.join(study.schema_and_name)}",
            "--exclude-resource-type",
            "test",
            "--exclude-resource-type",
            "unit_test",
            "--vars",
            json.dumps(variables),
            "--project-dir",
            str(settings.dbt_project_dir()),
            "--profiles-dir",
            str(settings.dbt_project_dir()),
            "--target-path",
            str(folder / "target"),
            "--log-path",
            str(folder / "logs"),
        ],
        cwd=settings.repository(),
        env=settings.environment_of(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if "rror" in line] or [done.stderr]
        last = " ".join(said[-1].split())[:300]
        raise DataError(f"dbt could not build {study.table} up to {split_on}: {last}")
    return folder / "data" / settings.warehouse_path().name


def build_customers(log: TransactionLog) -> str:
    """Build ``gold.<name>_customers`` with dbt and return its name without the schema.

    The warehouse must not be open in this process: dbt writes it from one of its own.

    Raises
    ------
    WarehouseError
        The build or one of its tests failed; the message has dbt's first line on it.
    """
    project, written = str(settings.dbt_project_dir()), str(settings.home() / "data" / "dbt")
    command = ["build", "--selector", "custom", "--vars", json.dumps(log.variables)]
    folders = ["--project-dir", project, "--profiles-dir", project]
    outputs = ["--target-path", written, "--log-path", written]
    dbt = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    ended = subprocess.run(
        [*dbt, "--quiet", "--no-use-colors", *command, *folders, *outputs],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise WarehouseError(f"dbt build --selector custom failed: {_first_error(ended.stdout)}")
    return f"{log.name}_customers"


def _first_error(output: str) -> str:
    lines = [re.sub(r"^\d\d:\d\d:\d\d\s*", "", line).strip() for line in output.splitlines()]
    texts = [line for line in lines if "Error" in line or "ERROR" in line or "FAIL" in line]
    return (texts or [line for line in lines if line] or ["it said nothing"])[0]
