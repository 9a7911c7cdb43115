"""Thirty kills at random moments and some other faults, with a fixed seed.

BENCHMARKS.md has the table of a thousand kills, DATABASE_CLEANUP_INSTRUCTIONS.md that of the rest.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models_py.base import settings

SEED = 11


def tallied(folder: Path, *words: str) -> list[dict[str, Any]]:
    script = settings.repository() / "benchmarks" / "faults.py"
    limits = ["--seed", str(SEED), "--json", "--rows", "20000", "--folder", str(folder)]
    done = subprocess.run(
        [sys.executable, str(script), *words, *limits], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    tallies: list[dict[str, Any]] = json.loads(done.stdout)["operations"][:-1]
    for tally in tallies:
        assert tally["losses"] == tally["unusable"] == tally["untrue"] == 0, tally["faults"]
    assert done.returncode == 0
    return tallies


@pytest.mark.parametrize(
    ("operation", "kills"),
    [("cleanup", 10), ("compaction", 10), ("restore", 7), ("run_clustering", 3)],
)
def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path, operation: str, kills: int) -> None:
    (tally,) = tallied(tmp_path, "--kills", str(kills), "--operation", operation)
    assert tally["kills"] == kills
    assert tally["recovered"] >= 1


@pytest.mark.parametrize(
    ("faults", "operation", "times"),
    [
        (("sigint", "disk"), "cleanup", 3),
        (("sigterm", "filesize"), "restore", 4),
        (("filesize",), "dbt_build", 2),
        (("reader", "clock"), "run_clustering", 1),
    ],
)
def test_after_a_fault_nothing_is_lost_and_the_truth_is_said(
    tmp_path: Path, faults: tuple[str, ...], operation: str, times: int
) -> None:
    words = [word for fault in faults for word in ("--fault", fault)]
    tallies = tallied(tmp_path, *words, "--operation", operation, "--kills", str(times))
    tried = {tally["fault"]: tally["kills"] for tally in tallies}
    if tried.keys() == set(faults) - {"disk"} != set(faults):
        pytest.skip("this user may not mount a small disk")
    assert tried == dict.fromkeys(faults, times)
