"""The command compare_runs over real runs in a real warehouse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.models_py.runs.planted_house import customers, run, study

from models_py.base import settings
from models_py.commands.compare_runs import main
from models_py.commands.run_sql import main as run_sql

SCRIPT = settings.repository() / "scripts" / "compare_runs.py"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home with two runs of one study, one of another, and their ids."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        base = customers(500)
        ids = [
            run(study(), base.iloc[:450]).run_id,
            run(study(), base.iloc[50:]).run_id,
            run(study("other"), base).run_id,
        ]
    return folder, ids


@pytest.fixture(autouse=True)
def at_home(runs: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(runs[0]))


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/compare_runs.py" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"duckdb", "sqlalchemy", "pandas", "pyarrow", "numpy", "sklearn"})


def test_the_last_two_runs_are_compared(
    runs: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", "shop", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [content["previous_run_id"], content["run_id"]] == runs[1][:2]
    assert content["customers_in_both"] == 400
    assert (content["customers_came"], content["customers_went"]) == (50, 50)
    assert [change["kind"] for change in content["changes"]] == ["kept"] * 3
    assert content["adjusted_rand"] > 0.9
    assert 0 <= content["variation_of_information_nats"] < 0.4
    assert sum(flow["customers"] for flow in content["flows"]) == 500


def test_people_read_words(
    runs: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _ = runs[1]
    assert main([second, first]) == 0
    out = capsys.readouterr().out
    assert f"shop: run {second} to run {first}" in out
    assert "kept: segment 1 (" in out
    assert "400 customers are in both runs, 50 came, 50 went" in out
    assert "adjusted Rand index" in out


def test_runs_of_two_studies_are_refused(
    runs: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([runs[1][0], runs[1][2]]) == 2
    assert "segments have ids within one study" in capsys.readouterr().err


def test_one_run_is_too_few(
    runs: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", "other"]) == 1
    assert "study other has 1 finished run, two are compared" in capsys.readouterr().err
    assert main([runs[1][0]]) == 2
    assert "1 run given: name two, or none for the last two" in capsys.readouterr().err


def test_the_ready_question_tells_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_sql(["run_changes", "--param", "study=shop", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["what_became"] for row in rows] == ["kept"] * 3
    assert sum(row["new_count"] for row in rows) == 50
    assert sum(row["size_now"] for row in rows) == 450
