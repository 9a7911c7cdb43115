"""A call on a frame beside the commands: processor seconds of ``segment()`` and of the commands.

    python benchmarks/frames.py --rows 10000 --columns 12 --repeats 3

Both roads run in one process that has compiled and imported everything before, in turn.
Processor seconds, for other work on the machine changes them least.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from models_py.base import settings
from models_py.commands import new_study, run_clustering
from segmenthouse import segment

LEAST_ROWS = 600


def planted_frame(rows: int, columns: int, seed: int = 0) -> pd.DataFrame:
    """Return customers of four kinds that differ in every number."""
    generator = np.random.default_rng(seed)
    kinds = generator.integers(0, 4, rows)
    centers = generator.normal(0.0, 2.0, (4, columns))
    values = centers[kinds] + generator.normal(0.0, 1.0, (rows, columns))
    frame = pd.DataFrame(values, columns=[f"figure_{place}" for place in range(columns)])
    frame.insert(0, "customer_id", [f"c{number:06d}" for number in range(rows)])
    return frame


def by_commands(frame: pd.DataFrame) -> dict[str, float]:
    """Return the processor seconds of drafting from a CSV file and of the run without its page."""
    with tempfile.TemporaryDirectory() as folder, settings.home_at(Path(folder)):
        file, study = Path(folder) / "customers.csv", Path(folder) / "customers.toml"
        frame.to_csv(file, index=False)
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            began = time.process_time()
            drafted = new_study.main(
                ["--input", str(file), "--id", "customer_id", "--output", str(study)]
            )
            between = time.process_time()
            ran = run_clustering.main(["--study", str(study), "--no-report"])
            ended = time.process_time()
        if drafted or ran:
            raise SystemExit(told.getvalue())
        return {"new_study": between - began, "run_clustering": ended - between}


def by_call(frame: pd.DataFrame) -> float:
    """Return the processor seconds of ``segment()``."""
    began = time.process_time()
    segment(frame, id="customer_id")
    return time.process_time() - began


def import_seconds() -> float:
    """Return the processor seconds that ``import segmenthouse`` takes in a process of its own."""
    code = (
        "import time; began = time.process_time(); import segmenthouse;"
        " print(time.process_time() - began)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(ended.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    small = planted_frame(LEAST_ROWS, asked.columns)
    by_commands(small)
    by_call(small)
    frame = planted_frame(asked.rows, asked.columns)
    commands, calls = [], []
    for _ in range(asked.repeats):
        commands.append(by_commands(frame))
        calls.append(by_call(frame))
    drafting, running = (
        statistics.median(seconds[name] for seconds in commands)
        for name in ("new_study", "run_clustering")
    )
    call = statistics.median(calls)
    if asked.json:
        figures = {"import": import_seconds(), "new_study": drafting, "run_clustering": running}
        print(json.dumps({**figures, "segment": call}))
        return
    print(f"import segmenthouse: {import_seconds():.3f} processor seconds")
    print(f"new_study {drafting:.2f} s, run_clustering --no-report {running:.2f} s")
    print(f"segment() {call:.2f} s: {call / (drafting + running):.2f} times both commands")


if __name__ == "__main__":
    main()
