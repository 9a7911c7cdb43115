"""Measure what each algorithm takes at its peak; run as a process of its own.

Each shape is measured in a fork of a process that has only imported the library, so that no run
reuses pages that an earlier one left resident. The kernel's high-water mark is set back before
the run, and blocks that are freed go back to the kernel at once, so that the mark counts the
arrays of this run alone. Prints JSON: name, measured bytes and estimated bytes of each.
"""

from __future__ import annotations

import ctypes
import gc
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.clustering import dbscan, fitting
from models_py.clustering.candidate import Request
from models_py.clustering.rows import MixedRows

SMALL = 400


def resident(figure: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(figure))


def drawn(rows: int, columns: int) -> tuple[FloatArray, MixedRows]:
    generator = np.random.default_rng(3)
    centers = generator.normal(scale=6.0, size=(6, columns))
    points = centers[generator.integers(0, 6, rows)] + generator.standard_normal((rows, columns))
    codes = generator.integers(0, 8, (rows, columns))
    return points, MixedRows(points, codes)


def measure(request: Request, rows: int, columns: int) -> tuple[int, int]:
    points, mixed = drawn(rows, columns)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    began = time.perf_counter()
    candidates = list(fitting.find_candidates([request], points, mixed, seed=1))
    seconds = time.perf_counter() - began
    peak = resident("VmHWM") - before
    assert candidates
    print(f"{request.name} {rows} x {columns}: {seconds:.2f} s", file=sys.stderr)
    return peak, fitting.peak_bytes(request, points, mixed)


def peak_of(shape: tuple[str, int, int, list[int], dict[str, object]]) -> tuple[str, int, int]:
    name, rows, columns, ks, parameters = shape
    request = Request(name, ks, parameters)
    # Compiled before what is measured: by blocks, then in pairs.
    for dbscan.NEIGHBOURS_AT_ONCE in (SMALL, 2_000_000):
        measure(request, SMALL, columns)
    peak, estimate = measure(request, rows, columns)
    return name, peak, estimate


def main() -> None:
    assert os.environ["MALLOC_MMAP_THRESHOLD_"]
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        measured = pool.map(peak_of, json.loads(sys.argv[1]), chunksize=1)
    json.dump(measured, sys.stdout)


if __name__ == "__main__":
    main()
