"""The report of a large run: seconds of the page and of its maps, and the rows that they draw.

A study runs on planted customers; its explanations (the surrogate with SHAP values) are taken
from the run's record. Then the page is written once, and each map drawn once more by itself.

Example::

    python benchmarks/report.py --rows 50000 --json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from extras import need
from planted_data import SHOP_STUDY, SHOP_TABLE, planted_customers

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.pipeline import run_study
from models_py.report.facts import Facts, read_facts
from models_py.report.maps import (
    MCA_ROWS,
    TSNE_ROWS,
    correspondence_map,
    neighbour_map,
    principal_map,
    sampled,
)
from models_py.report.writing import write_report
from models_py.studies.loading import check_study


def find_segments(path: Path, rows: int, seed: int) -> str:
    """Run the study on planted customers with two more columns of words; return the run."""
    frame, _ = planted_customers(rows, 6, seed=seed)
    generator = np.random.default_rng(seed)
    frame["home"] = generator.choice(["flat", "house", "farm"], rows)
    frame["age_band"] = generator.choice(["under 35", "35 to 60", "over 60"], rows)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema gold")
        database.register("given", frame)
        database.execute(f"create table {SHOP_TABLE} as select * from given")
    return run_study(check_study(SHOP_STUDY, "benchmark"), path, seed, Silent()).run_id


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long the work takes, in seconds."""
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 2)


def measure_maps(facts: Facts) -> dict[str, dict[str, float]]:
    """Draw each map once; return its rows and seconds."""
    assert facts.saved is not None
    part = next(iter(facts.saved.partitions.values()))
    rows, seed = len(facts.gold), facts.run.seed
    near = part.encode(facts.gold.iloc[sampled(rows, TSNE_ROWS, seed)])
    words = facts.categories.dropna()
    words = words.iloc[sampled(len(words), MCA_ROWS, seed)]
    return {
        "pca": {
            "rows": rows,
            "seconds": seconds_of(lambda: principal_map(part.matrix.transform(facts.gold))),
        },
        "tsne": {"rows": len(near), "seconds": seconds_of(lambda: neighbour_map(near, seed))},
        "mca": {"rows": len(words), "seconds": seconds_of(lambda: correspondence_map(words))},
    }


def measure(rows: int, seed: int) -> dict[str, Any]:
    """Run, write the page, draw the maps."""
    path = settings.warehouse_path()
    path.parent.mkdir(parents=True)
    run_id = find_segments(path, rows, seed)
    began, worked = time.perf_counter(), time.process_time()
    page = write_report(run_id, path, Silent()).page
    seconds, processor = time.perf_counter() - began, time.process_time() - worked
    facts = read_facts(run_id, path)
    surrogate = facts.tables["surrogates"].iloc[0]
    return {
        "rows": rows,
        "page": {
            "seconds": round(seconds, 1),
            "processor_seconds": round(processor, 1),
            "kilobytes": round(page.stat().st_size / 1000),
        },
        "maps": measure_maps(facts),
        "surrogate_and_shap": {
            "rows": int(surrogate["rows"]),
            "shap_rows": int(surrogate["shap_rows"]),
            "seconds": round(float(surrogate["seconds"]), 1),
        },
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000, help="customers, default 50,000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="answer in JSON on standard output")
    asked = parser.parse_args()
    need("lightgbm", "matplotlib")
    with tempfile.TemporaryDirectory() as home:
        os.environ[settings.HOME_VARIABLE] = home
        result = measure(asked.rows, asked.seed)
    if asked.json:
        print(json.dumps(result, indent=2))
        return 0
    page = result["page"]
    print(
        f"page of {result['rows']:,} customers: {page['seconds']} s, of which"
        f" {page['processor_seconds']} s of a processor; {page['kilobytes']:,} kB"
    )
    for name, item in result["maps"].items():
        print(f"{name}: {item['seconds']} s for {item['rows']:,} rows")
    explained = result["surrogate_and_shap"]
    print(
        f"surrogate on {explained['rows']:,} rows with SHAP values of"
        f" {explained['shap_rows']:,}: {explained['seconds']} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
