"""Thirty kills at random moments, with a fixed seed; the table of BENCHMARKS.md has a thousand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models_py.base import settings

SEED = 11


@pytest.mark.parametrize(
    ("operation", "kills"),
    [("cleanup", 10), ("compaction", 10), ("restore", 7), ("run_clustering", 3)],
)
def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path, operation: str, kills: int) -> None:
    script = settings.repository() / "benchmarks" / "faults.py"
    words = ["--kills", str(kills), "--operation", operation, "--seed", str(SEED), "--json"]
    done = subprocess.run(
        [sys.executable, str(script), *words, "--rows", "20000", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    tally = json.loads(done.stdout)["operations"][0]
    assert tally["kills"] == kills
    assert tally["losses"] == tally["unusable"] == 0, tally["faults"]
    assert tally["recovered"] >= 1
    assert done.returncode == 0
