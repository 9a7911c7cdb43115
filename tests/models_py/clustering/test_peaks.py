"""What each algorithm takes at its peak, against the estimate by which it is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_py.clustering.algorithms import ALGORITHMS

SHAPES: dict[str, list[tuple[int, int, list[int], dict[str, object]]]] = {
    "kmeans": [(40_000, 6, [2, 3, 4, 5], {"n_init": 3})],
    "bisecting_kmeans": [(60_000, 6, [5], {})],
    "gaussian_mixture": [(60_000, 6, [4], {"n_init": 2})],
    "ward": [(6_000, 6, [2, 3, 4], {})],
    "average": [(5_000, 12, [3], {})],
    "complete": [(5_000, 12, [3], {})],
    "single": [(8_000, 6, [3], {})],
    "genie": [(12_000, 3, [3, 4], {})],
    "chopped": [(12_000, 3, [3, 4], {})],
    "spectral": [(8_000, 4, [4], {}), (600, 3, [3], {})],
    # Every row within reach of every other: the blocks are as full as they can be; the pairs too.
    "dbscan": [(3_000, 3, [], {"eps": 100.0}), (1_400, 3, [], {"eps": 100.0})],
    "hdbscan": [(20_000, 3, [], {}), (6_000, 30, [], {})],
    "kprototypes": [(60_000, 4, [4], {"n_init": 2})],
    "auto": [(2_000, 3, [], {"k_max": 4})],
}
"""Rows, columns, ks and parameters where the arrays are most of what is taken."""

USUAL = (100_000, 6, [4], {})
"""For an algorithm that needs no shape of its own."""

FACTOR = 1.5


@pytest.fixture(scope="module")
def measured() -> dict[str, list[tuple[int, int]]]:
    """Measured and estimated bytes of every algorithm, one process for all."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the kernel's high-water mark is read as Linux gives it")
    asked = [(name, *shape) for name in ALGORITHMS for shape in SHAPES.get(name, [USUAL])]
    script = Path(__file__).with_name("measured_peaks.py")
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(asked)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"},
    )
    peaks: dict[str, list[tuple[int, int]]] = {}
    for name, peak, estimate in json.loads(done.stdout):
        peaks.setdefault(name, []).append((peak, estimate))
    return peaks


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_estimate_is_near_what_is_taken(
    measured: dict[str, list[tuple[int, int]]], name: str
) -> None:
    for peak, estimate in measured[name]:
        assert peak / FACTOR <= estimate <= peak * FACTOR
