"""A small gold layer with planted groups in a real DuckDB file, and a study over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from models_py.studies.loading import check_study
from models_py.studies.study import Study

GROUPS = 3
LIFE_STAGES = ("OA", "YF", "XX")
DEPARTMENTS = ("grocery", "meat", "fuel")


def gold_customers(rows: int = 240, seed: int = 1) -> pd.DataFrame:
    """Customers in three clear groups of unequal size; ``planted`` names each one's group."""
    generator = np.random.default_rng(seed)
    planted = np.repeat([0, 1, 2], [rows // 2, rows // 3, rows - rows // 2 - rows // 3])
    centers = np.array(
        [
            [1.0, 20.0, 0.1, 0.20, 7.0],
            [4.0, 60.0, 0.4, 0.20, 2.0],
            [2.5, 35.0, 0.2, 0.70, 12.0],
        ]
    )
    spreads = np.array([0.15, 2.5, 0.03, 0.05, 0.8])
    drawn = centers[planted] + generator.normal(size=(rows, 5)) * spreads
    basket_count = np.round(drawn[:, 0] * 50).astype(np.int64)
    return pd.DataFrame(
        {
            "customer_id": [f"C{number:04d}" for number in range(rows)],
            "life_stage": np.array(LIFE_STAGES)[np.arange(rows) % len(LIFE_STAGES)],
            "planted": np.array(["rare", "big", "fresh"])[planted],
            "baskets_per_week": drawn[:, 0],
            "basket_spend_mean": drawn[:, 1],
            "discount_share": np.clip(drawn[:, 2], 0, 1),
            "weekend_share": np.clip(drawn[:, 3], 0, 1),
            "visit_gap_mean_days": drawn[:, 4],
            "own_label_share": np.full(rows, np.nan),
            "basket_count": basket_count,
            "spend_amount": basket_count * drawn[:, 1],
            "recency_days": generator.integers(0, 60, rows),
        }
    )


def write_gold(path: Path, customers: pd.DataFrame, key_type: str = "varchar") -> Path:
    """Write ``gold.grocery_customers`` and the tables that ready questions read beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema if not exists gold; create schema if not exists silver")
        database.register("given", customers)
        database.execute(
            "create or replace table gold.grocery_customers as select * replace"
            f" (cast(customer_id as {key_type}) as customer_id) from given"
        )
        database.register("departments", pd.DataFrame({"department": DEPARTMENTS}))
        database.execute(
            "create or replace table gold.grocery_customer_departments as"
            " select customer_id, department, spend_amount / 3 as spend_amount"
            " from gold.grocery_customers cross join departments"
        )
        database.execute(
            "create or replace table silver.grocery_rejections as select 'complete_journey' as"
            " source, 'silver' as left_out_of, 'line' as entity, 'zero quantity' as reason,"
            " 'quantity = 0' as rule, 12 as row_count"
        )
    return path


def planted_study(**changes: Any) -> Study:
    """A quick study of the planted customers; keys given replace its own."""
    content: dict[str, Any] = {
        "name": "planted",
        "title": "Planted customers",
        "table": "gold.grocery_customers",
        "entity": "customer_id",
        "features": {
            "include": [
                "baskets_per_week",
                "basket_spend_mean",
                "discount_share",
                "weekend_share",
                "visit_gap_mean_days",
                "own_label_share",
            ]
        },
        "selection": {"max_correlation": None, "max_vif": None},
        "outliers": {"method": "mahalanobis", "contamination": 0.02},
        "encoding": {"kind": "pca", "parameters": {"components": 0.9}},
        "algorithms": [{"name": "kmeans", "k": [2, 5]}, {"name": "ward", "k": [2, 5]}],
        "stability": {"refits": 3},
        "choose": {"by": "rule", "min_share": 0.05},
        "describe": {"measures": ["spend_amount"]},
    }
    return check_study({**content, **changes}, "planted.toml")


def asked(path: Path, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that only reads."""
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute(sql, list(values)).fetchall()
