"""The notebooks run from the first cell to the last, in an empty folder and a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_py.base import settings

NOTEBOOKS = sorted((settings.repository() / "notebooks").glob("*.ipynb"))
MADE = {"own_data": ["clients.html", "clients_home"], "grocery_decision": ["offer.csv"]}


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) + "\n" for c in cells if c["cell_type"] == "code")


def test_there_are_two() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == sorted(MADE)


@pytest.mark.heavy
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(notebook: Path, tmp_path: Path) -> None:
    paths = [str(settings.repository()), os.environ.get("PYTHONPATH", "")]
    environment = settings.environment_of(tmp_path) | {"PYTHONPATH": os.pathsep.join(paths)}
    environment[settings.SHARE_VARIABLE] = "1"
    ended = subprocess.run(
        [sys.executable, "-c", code_of(notebook)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert all((tmp_path / name).exists() for name in MADE[notebook.stem])


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") for cell in cells)
