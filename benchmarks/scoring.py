"""Scoring inside the database: rows per second, and labels held against Python's.

A study runs on planted customers (principal components, k-means); its saved chain then scores
customers generated in DuckDB by the statement that ``score_customers.py --sql`` prints. A sample
of them is scored by the Python chain too, and every label and confidence compared.

Example::

    python benchmarks/scoring.py --rows 10000000 --json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from planted_data import SHOP_STUDY, SHOP_TABLE, planted_customers

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.pipeline import run_study
from models_py.runs.saved import SavedRun
from models_py.runs.scoring_sql import scoring_sql
from models_py.runs.storage import load_run_models
from models_py.studies.loading import check_study


def find_segments(path: Path, rows: int, seed: int) -> SavedRun:
    """Run the study on planted customers and load what it saved."""
    frame, _ = planted_customers(rows, 6, seed=seed)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema gold")
        database.register("given", frame)
        database.execute(f"create table {SHOP_TABLE} as select * from given")
    finished = run_study(check_study(SHOP_STUDY, "benchmark"), path, seed, Silent())
    return load_run_models(settings.models_dir(finished.run_id), finished.run_id)


def generate_customers(database: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Draw customers like the planted ones: each varies one of them, some values are missing."""
    database.execute(
        f"create table planted as select row_number() over () - 1 as place, * from {SHOP_TABLE}"
    )
    database.execute(
        "create table customers as select numbers.range as customer_id,"
        " if(hash(numbers.range, 1) % 50 = 0, null, spend_amount * factor) as spend_amount,"
        " visits_count, discount_share * factor as discount_share,"
        " basket_amount * factor as basket_amount, days_since_visit * factor as days_since_visit,"
        " products_count, weekend_share, favourite_channel, fresh_share, has_loyalty_card from"
        " (select range, hash(range) % (select count(*) from planted) as place,"
        "  0.8 + 0.4 * (hash(range, 2) % 1000003) / 1000003e0 as factor"
        f"  from range({rows})) as numbers join planted using (place)"
    )


def compare_sample(
    database: duckdb.DuckDBPyConnection, saved: SavedRun, sample: int, rows: int
) -> dict[str, Any]:
    """Score every so-many-th customer in Python and compare."""
    step = max(rows // sample, 1)
    frame = database.execute(
        f"select * from customers where customer_id % {step} = 0"
        f" order by customer_id limit {sample}"
    ).df()
    began = time.perf_counter()
    expected = saved.score(frame)
    seconds = time.perf_counter() - began
    got = database.execute(
        "select segment_id, confidence from scores where cast(customer_id as bigint)"
        f" % {step} = 0 order by cast(customer_id as bigint) limit {sample}"
    ).df()
    same = got["segment_id"].to_numpy() == expected["segment_id"].to_numpy()
    apart = np.abs(got["confidence"].to_numpy() - expected["confidence"].to_numpy())
    return {
        "sample": len(frame),
        "equal_labels": int(same.sum()),
        "largest_confidence_difference": float(apart.max()),
        "python_rows_per_second": round(len(frame) / seconds),
    }


def measure(rows: int, sample: int, seed: int, folder: Path) -> dict[str, Any]:
    """Generate, score in the database, compare."""
    path = settings.warehouse_path()
    path.parent.mkdir(parents=True)
    saved = find_segments(path, 20_000, seed)
    with duckdb.connect(str(path)) as database:
        database.execute(f"set temp_directory = '{folder}'")
        began = time.perf_counter()
        generate_customers(database, rows)
        generated = time.perf_counter() - began
        types = dict(
            database.execute(
                "select column_name, data_type from duckdb_columns()"
                " where table_name = 'customers' and schema_name = 'main'"
            ).fetchall()
        )
        statement = scoring_sql(saved, "customers", types)
        began = time.perf_counter()
        database.execute(f"create table scores as {statement}")
        seconds = time.perf_counter() - began
        compared = compare_sample(database, saved, sample, rows)
    part = saved.partitions["all"]
    return {
        "rows": rows,
        "features": len(part.matrix.recipes_),
        "components": int(part.centers.shape[1]),
        "segments": len(part.segment_ids),
        "cores": settings.core_count(),
        "generating_seconds": round(generated, 2),
        "scoring_seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        **compared,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: 1,000,000")
    parser.add_argument("--sample", type=int, default=100_000, help="compared; default: 100,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[settings.HOME_VARIABLE] = folder
        result = measure(asked.rows, asked.sample, asked.seed, Path(folder))
    if asked.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name.replace('_', ' '):<32} {value:>14,}")
    return 0 if result["equal_labels"] == result["sample"] else 1


if __name__ == "__main__":
    sys.exit(main())
