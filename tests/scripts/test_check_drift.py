"""The command check_drift over a real run in a real warehouse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.models_py.runs.planted_house import customers, run, study, write_gold

from models_py.base import settings
from models_py.commands.check_drift import main

SCRIPT = settings.repository() / "scripts" / "check_drift.py"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one run over the first 600 of 800 customers."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        run(study(), customers(800).iloc[:600])
    return folder


@pytest.fixture(autouse=True)
def at_home(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(house))
    write_gold(settings.warehouse_path(), customers(800).iloc[:600])


def check(*arguments: str) -> int:
    return main(["--study", "shop", *arguments])


def shift() -> None:
    """Put customers into gold who spend more, shop more and a third of whom are new."""
    now = customers(800).iloc[200:].copy()
    now[["spend_amount", "basket_amount", "visits_count"]] *= 3
    write_gold(settings.warehouse_path(), now)


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/check_drift.py --fail-on refit" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"duckdb", "sqlalchemy", "pandas", "pyarrow", "numpy", "sklearn"})


def test_the_same_gold_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--fail-on", "watch") == 0
    out = capsys.readouterr().out
    assert "keep: run " in out
    assert "nothing moved past its limit" in out


def test_other_customers_ask_for_a_refit(capsys: pytest.CaptureFixture[str]) -> None:
    shift()
    assert check("--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["verdict"] == "refit"
    assert {reason["verdict"] for reason in content["reasons"]} == {"refit", "watch"}
    assert content["figures"]["new_share"] == pytest.approx(1 / 3)
    moved = {item["feature"] for item in content["features"] if item["verdict"] == "refit"}
    assert {"spend_amount", "basket_amount", "visits_count"} <= moved
    assert "weekend_share" not in moved


def test_fail_on_ends_with_three(capsys: pytest.CaptureFixture[str]) -> None:
    shift()
    assert check("--fail-on", "refit") == 3
    out = capsys.readouterr().out
    assert "33% of the customers are new since the run" in out
    assert "Next: python scripts/run_clustering.py --if-drifted --study shop" in out


def test_a_column_that_is_gone_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_gold(settings.warehouse_path(), customers(50).drop(columns="fresh_share"))
    assert check() == 1
    assert "has no column 'fresh_share'" in capsys.readouterr().err.splitlines()[-1]


def test_a_study_that_never_ran_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--study", "nothing", "--json"]) == 1
    assert "has no finished run" in json.loads(capsys.readouterr().out)["error"]
