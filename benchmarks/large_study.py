"""A whole study at the size of millions of customers: time and peak memory of each command.

Planted customers are varied inside DuckDB into a gold table of ``--rows``. Then, each in a process
of its own: ``run_clustering.py`` (k-means for k = 2..10, every measure, the results),
``score_customers.py`` of the table and ``write_report.py``, the page.

Example::

    python benchmarks/large_study.py --rows 10000000 --json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
from planted_data import SHOP_TABLE, planted_customers
from scoring import generate_customers

from models_py.base import settings

STUDY = """\
title = "Customers at size"
table = "gold.customers"
entity = "customer_id"

[features]
include = ["*_amount", "*_count", "*_share", "days_since_visit", "favourite_channel"]
log1p = "auto"
winsorise = 0.01

[encoding]
kind = "none"

[[algorithms]]
name = "kmeans"
k = [2, 10]

[choose]
by = "silhouette"
"""


def make_table(home: Path, rows: int, seed: int) -> None:
    """Write ``gold.customers`` of varied planted customers."""
    path = home / "data" / "segmenthouse.duckdb"
    path.parent.mkdir(parents=True)
    frame, _ = planted_customers(20_000, 6, seed=seed)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema gold")
        database.register("given", frame)
        database.execute(f"create table {SHOP_TABLE} as select * from given")
        generate_customers(database, rows)
        database.execute("create table gold.customers as from customers")
        database.execute("drop table customers")


def command(home: Path, script: str, *words: str) -> dict[str, float]:
    """Run a script of the project; return its seconds, processor seconds and peak memory."""
    began = time.perf_counter()
    with (home / "output.txt").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(settings.repository() / "scripts" / script), *words],
            env={**os.environ, settings.HOME_VARIABLE: str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{script}: {(home / 'output.txt').read_text()[-3000:]}")
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_megabytes": round(used.ru_maxrss / 1e3),
    }


def measure(rows: int, seed: int, home: Path) -> dict[str, Any]:
    """Make the table and run each command on it."""
    make_table(home, rows, seed)
    study = home / "customers.toml"
    study.write_text(STUDY)
    named = ("--study", str(study))
    return {
        "rows": rows,
        "search": command(home, "run_clustering.py", *named, "--no-report"),
        "scoring": command(home, "score_customers.py", *named, "--input", "gold.customers"),
        "page": command(home, "write_report.py", *named),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the home is made (default: temporary)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        result = measure(asked.rows, asked.seed, Path(folder))
    if asked.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<10} {value}")


if __name__ == "__main__":
    main()
