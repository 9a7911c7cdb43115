"""The command explore_segments: what it prints, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.models_py.runs.planted_house import customers, run, study

from models_py.base import settings
from models_py.commands.explore_segments import main

SCRIPT = settings.repository() / "scripts" / "explore_segments.py"


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/explore_segments.py --study bank" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"duckdb", "sqlalchemy", "pandas", "pyarrow", "numpy", "sklearn"})


def test_it_serves_until_it_is_stopped(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = run(study(), customers(300))
    assert main(["--study", "none"]) == 1
    assert "there is no finished run of none" in capsys.readouterr().err
    assert main(["--port", "99999"]) == 2
    with subprocess.Popen(
        [sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        assert served.stdout is not None
        address = served.stdout.readline().removeprefix("open ").strip()
        assert address.startswith("http://127.0.0.1:")
        assert address.endswith(f"&run={finished.run_id}")
        with urllib.request.urlopen(address) as answer:
            assert b"Explore segments" in answer.read()
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 0
    assert list(Path(tmp_path).glob("segmenthouse_*")) == []


def test_no_warehouse_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert "there is no warehouse at" in capsys.readouterr().err
