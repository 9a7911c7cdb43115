"""A small warehouse with planted customers, and studies of every algorithm over it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from planted_data import planted_customers

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.pipeline import Finished, run_study
from models_py.runs.saved import SavedRun
from models_py.runs.storage import load_run_models
from models_py.studies.loading import check_study
from models_py.studies.study import Study

TABLE = "gold.shop_customers"
FEATURES = ["*_amount", "*_count", "*_share", "days_since_visit", "favourite_channel", "has_*"]


def customers(rows: int = 400, seed: int = 1, overlap: float = 0.2) -> pd.DataFrame:
    """Customers of three planted segments, some values missing, in two regions."""
    frame, _ = planted_customers(rows, 3, overlap=overlap, noise=0.03, seed=seed)
    generator = np.random.default_rng(seed)
    frame["customer_id"] = frame["customer_id"].map("C{:05d}".format)
    frame.loc[generator.random(rows) < 0.05, "discount_share"] = np.nan
    frame.loc[generator.random(rows) < 0.04, "favourite_channel"] = None
    frame["region"] = np.where(np.arange(rows) % 2 == 0, "north", "south")
    return frame


def study(name: str = "shop", algorithm: str = "kmeans", **changes: Any) -> Study:
    """A quick study of the planted customers with one algorithm."""
    finds_k = algorithm in {"dbscan", "hdbscan"}
    content: dict[str, Any] = {
        "name": name,
        "title": "Shop customers",
        "table": TABLE,
        "entity": "customer_id",
        "features": {"include": FEATURES, "log1p": "auto", "winsorise": 0.01},
        "encoding": [{"kind": "pca", "parameters": {"components": 4}}],
        "algorithms": [{"name": algorithm} | ({} if finds_k else {"k": 3})],
        "choose": {"by": "silhouette"},
        "stability": {"refits": 0},
    }
    return check_study(content | changes, "test")


def write_gold(path: Path, frame: pd.DataFrame, table: str = TABLE) -> None:
    """Put customers into a gold table in place of those that are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema if not exists gold")
        database.register("given", frame)
        database.execute(f"create or replace table {table} as select * from given")


def run(recipe: Study, frame: pd.DataFrame | None = None, seed: int = 7) -> Finished:
    """Run a study on the home's warehouse, with these customers in gold where given."""
    path = settings.warehouse_path()
    if frame is not None:
        write_gold(path, frame, recipe.table)
    return run_study(recipe, path, seed, Silent())


def saved(run_id: str) -> SavedRun:
    """Load what a run left behind."""
    return load_run_models(settings.models_dir(run_id), run_id)
