"""What dbt's processes are forked off: dbt has run once here, on a home that is gone again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from models_py.base import settings
from tests.warehouse.dbt_runs import parsed_project, profiles_of_any_home

SEED = "bronze_grocery_departments"


def run_once() -> None:
    """Build a table in a home of its own."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        home = Path(name)
        patch.setenv(settings.HOME_VARIABLE, name)
        patch.chdir(settings.dbt_project_dir())
        words = ["--target-path", str(home / "target"), "--log-path", str(home)]
        words += ["--profiles-dir", str(profiles_of_any_home())]
        (home / "data").mkdir()

        def run(*command: str) -> None:
            dbtRunner().invoke(["--log-level", "none", *command, *words])

        with parsed_project(home / "target", {}, lambda: run("parse")):
            run("build", "--select", SEED)


run_once()
