"""How commands end when something happens that no one foresaw."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from planted_gold import asked, gold_customers, planted_study, write_gold

from models_py.base import settings
from models_py.base.errors import DataError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end

SCRIPT = settings.repository() / "scripts" / "run_clustering.py"


@pytest.fixture
def study(home: Path) -> str:
    """A study in a file that wants Keras, and the warehouse that it reads."""
    write_gold(settings.warehouse_path(), gold_customers())
    path = home / "mine.toml"
    path.write_text(
        'title = "Mine"\ntable = "gold.grocery_customers"\nentity = "customer_id"\n'
        f"[features]\ninclude = {json.dumps(planted_study().features.include)}\n"
        '[encoding]\nkind = "autoencoder"\n[[algorithms]]\nname = "kmeans"\nk = 3\n'
    )
    return str(path)


def the_log() -> str:
    (written,) = settings.logs_dir().iterdir()
    return written.read_text()


def run_script(study: str) -> subprocess.CompletedProcess[str]:
    """Run the study in a process of its own, in which Keras cannot start."""
    command = [sys.executable, str(SCRIPT), "--study", study, "--json"]
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**settings.environment_of(settings.home()), "KERAS_BACKEND": "none"},
    )


def test_a_run_in_which_keras_cannot_start(study: str) -> None:
    done = run_script(study)

    assert done.returncode == 1
    assert done.stderr == ""
    content = json.loads(done.stdout)["error"]
    assert content.count("\n") == 0
    assert "(in the step 'encoding by autoencoder'); this should not happen" in content
    assert f"the traceback is in {next(settings.logs_dir().iterdir())}; run " in content
    assert content.endswith("is recorded as failed and none of its rows was written")
    assert "Traceback (most recent call last):" in the_log()
    assert f"{SCRIPT} --study {study}" in the_log()
    ((status, error),) = asked(settings.warehouse_path(), "select status, error from results.runs")
    assert status == "failed"
    assert content.startswith(error)


def divide() -> int:
    with show_progress(quiet=True) as progress:
        progress.step("dividing")
        return 1 // 0


def test_a_fault_of_the_package(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert end(divide) == 1

    printed = capsys.readouterr().err
    assert printed.startswith("error: ZeroDivisionError: ")
    assert printed.count("\n") == 1
    assert "(in the step 'dividing'); this should not happen: please report it" in printed
    assert "return 1 // 0" in the_log()


def test_the_traceback_on_demand(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.DEBUG_VARIABLE, "1")
    assert end(divide, as_json=True) == 1

    printed = capsys.readouterr()
    assert "Traceback (most recent call last):" in printed.err
    assert "the traceback is in" in json.loads(printed.out)["error"]


def test_a_log_that_cannot_be_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.logs_dir().write_text("a file where the folder should be")

    assert end(divide) == 1

    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"could not be written to {settings.logs_dir()}/" in printed


def test_what_a_user_can_mend_needs_no_log(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        with show_progress(quiet=True) as progress:
            progress.step("reading")
            raise DataError("no rows")

    assert end(refuse) == 1

    assert capsys.readouterr().err == "error: no rows\n"
    assert not settings.logs_dir().exists()


def test_interrupted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> int:
        raise KeyboardInterrupt

    assert end(stop) == 130

    assert capsys.readouterr().err == "interrupted: nothing was written\n"
    assert not settings.logs_dir().exists()
