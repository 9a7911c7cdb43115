"""Planted purchase logs on the road that a user takes, beside rivals and a supervised ceiling.

The first draw runs the commands: new_study.py --transactions (dbt builds and tests gold, the study
is drafted) and run_clustering.py. Later draws run the SQL that dbt compiled for the first one
again, draft the study and search in this process: the same steps without dbt's start and the page.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from latent_classes import latent_classes
from planted_logs import LogSettings, planted_log

from models_py.base import settings
from models_py.base.arrays import FloatArray, IntArray
from models_py.base.progress import Silent

NAME = "shop"
SEGMENTS = range(3, 9)
MODELS = (
    "bronze/custom/bronze_custom_lines",
    "silver/custom/silver_custom_checked_lines",
    "silver/custom/silver_custom_sales",
    "silver/custom/silver_custom_returns",
    "silver/custom/silver_custom_customer_shares",
    "gold/custom/gold_custom_customers",
)
MOST_K = 12
STARTS = 3


class Road:
    """A home of its own in which logs become segments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "data" / settings.warehouse_path().name

    def by_commands(self, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Run both commands; return gold and the segment of every customer."""
        source, study = self.folder / f"{NAME}.csv", self.folder / f"{NAME}.toml"
        log.to_csv(source, index=False)
        columns = {
            "--customer": "customer",
            "--time": "sold_at",
            "--amount": "amount",
            "--product": "product",
            "--category": "category",
            "--channel": "channel",
            "--basket": "receipt",
        }
        options = [word for pair in columns.items() for word in pair]
        self._run("new_study", "--transactions", "--input", source, *options, "--output", study)
        self._run("run_clustering", "--study", study)
        with duckdb.connect(str(self.file), read_only=True) as database:
            labels = database.execute("select entity_id, segment_id from results.assignments").df()
            gold = self._gold(database)
        return gold, labels.set_index("entity_id")["segment_id"].loc[gold.index]

    def again(self, log: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.Series[Any]]:
        """Run the SQL of the first draw and the drafted study on another log."""
        from models_py.database.connection import open_warehouse
        from models_py.database.own_data import column_facts
        from models_py.segmentation.studied import read_studied, segment_partitions
        from models_py.studies.drafting import Draft
        from models_py.studies.loading import load_study
        from models_py.studies.log_drafting import draft_log_features, draft_log_study
        from models_py.studies.roles import guess_roles

        self._rebuild(log)
        table = f"{NAME}_customers"
        with open_warehouse(self.file) as warehouse:
            guesses = guess_roles(column_facts(warehouse, "gold", table, "customer_id", None))
        rows = log["customer"].nunique()
        draft = Draft(
            NAME, NAME, f"gold.{table}", "customer_id", None, "", rows, guesses, "run_clustering.py"
        )
        path = self.folder / "again.toml"
        path.write_text(draft_log_study(draft_log_features(draft)), encoding="utf-8")
        study = load_study(str(path))
        rows_read = read_studied(study, self.file)
        [found] = segment_partitions(study, rows_read.frame, seed, Silent())
        with duckdb.connect(str(self.file), read_only=True) as database:
            gold = self._gold(database)
        entities = rows_read.frame["customer_id"].astype(str)
        return gold, pd.Series(found.groups, index=entities).loc[gold.index]

    def _run(self, script: str, *arguments: object) -> None:
        command = [sys.executable, str(settings.repository() / "scripts" / f"{script}.py")]
        subprocess.run(
            [*command, *map(str, arguments)],
            cwd=settings.repository(),
            env=settings.environment_of(self.folder),
            check=True,
            capture_output=True,
        )

    def _rebuild(self, log: pd.DataFrame) -> None:
        written = self.folder / "data" / "dbt" / "run" / "segmenthouse" / "models"
        lines = log.rename(columns={"sold_at": "happened_at", "receipt": "basket"})
        lines = lines.assign(left_out=None)
        with duckdb.connect(str(self.file)) as database:
            database.register("given", lines)
            database.execute(
                f"create or replace table bronze.{NAME}_log as"
                " select * replace (cast(left_out as varchar) as left_out) from given"
            )
            for model in MODELS:
                database.execute((written / f"{model}.sql").read_text(encoding="utf-8"))

    def _gold(self, database: duckdb.DuckDBPyConnection) -> pd.DataFrame:
        gold = database.execute(f"select * from gold.{NAME}_customers order by customer_id").df()
        return gold.set_index("customer_id")


def ceiling(gold: pd.DataFrame, truth: IntArray) -> float:
    """Return the adjusted Rand index of a forest that was taught the truth, out of fold."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import adjusted_rand_score
    from sklearn.model_selection import cross_val_predict

    known = truth >= 0
    forest = RandomForestClassifier(200, min_samples_leaf=2, random_state=0)
    told = cross_val_predict(forest, _numbers(gold)[known], truth[known], cv=5)
    return float(adjusted_rand_score(truth[known], told))


def _numbers(gold: pd.DataFrame) -> FloatArray:
    numbers = gold.select_dtypes(["number", "bool"]).astype(float)
    filled = numbers.fillna(numbers.median()).to_numpy()
    spread = filled.std(axis=0)
    kept = spread > 0
    return np.ascontiguousarray((filled[:, kept] - filled[:, kept].mean(axis=0)) / spread[kept])


def rivals(gold: pd.DataFrame, log: pd.DataFrame) -> dict[str, IntArray]:
    """Return what others find: k by silhouette for k-means, by BIC for mixtures."""
    rfm = gold[["recency_days", "order_count", "spend_amount"]].astype(float)
    logged = np.log1p(rfm)
    scaled = ((logged - logged.mean()) / logged.std()).to_numpy()
    whole = _numbers(gold)
    return {
        "kmeans_on_scaled_rfm": _kmeans(scaled),
        "kmeans_on_scaled_gold": _kmeans(whole),
        "gaussian_mixture_on_scaled_gold": _mixture(whole),
        "latent_classes_of_categories": latent_classes(
            np.empty((len(gold), 0)), [_category_counts(gold, log)], range(2, MOST_K + 1), STARTS
        ),
    }


def _kmeans(points: FloatArray) -> IntArray:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    tried = [
        KMeans(k, n_init=STARTS, random_state=0).fit_predict(points) for k in range(2, MOST_K + 1)
    ]
    return max(tried, key=lambda labels: silhouette_score(points, labels))


def _mixture(points: FloatArray) -> IntArray:
    from sklearn.mixture import GaussianMixture

    tried = [
        GaussianMixture(k, covariance_type=shape, random_state=0, reg_covar=1e-3).fit(points)
        for k in range(2, MOST_K + 1)
        for shape in ("full", "diag")
    ]
    return min(tried, key=lambda model: model.bic(points)).predict(points)


def _category_counts(gold: pd.DataFrame, log: pd.DataFrame) -> FloatArray:
    bought = log[log["amount"] > 0]
    counts = pd.crosstab(bought["customer"], bought["category"])
    return counts.loc[gold.index].to_numpy(dtype=np.float64)


def measure_logs(draws: int, planted: LogSettings) -> dict[str, object]:
    """Return the road's agreement with the truth, its number of segments, rivals and ceiling."""
    from sklearn.metrics import adjusted_rand_score

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        road = Road(Path(name))
        for draw in range(draws):
            segments = SEGMENTS[draw % len(SEGMENTS)]
            log, named = planted_log(replace(planted, segments=segments), draw)
            gold, labels = road.again(log, 42) if draw else road.by_commands(log)
            truth = named.loc[gold.index].to_numpy()
            known = truth >= 0
            row: dict[str, Any] = {"draw": draw, "customers": len(gold), "true_k": segments}
            row["k"] = int(labels.nunique())
            row["study"] = float(adjusted_rand_score(truth[known], labels.to_numpy()[known]))
            row["ceiling"] = ceiling(gold, truth)
            for side, found in rivals(gold, log).items():
                row[side] = float(adjusted_rand_score(truth[known], found[known]))
            rows.append(row)
            print(
                ", ".join(
                    f"{key} {value:.2f}" if isinstance(value, float) else f"{key} {value}"
                    for key, value in row.items()
                ),
                file=sys.stderr,
                flush=True,
            )
    sides = [key for key in rows[0] if key not in {"draw", "customers", "true_k", "k"}]
    others = [side for side in sides if side not in {"study", "ceiling"}]
    return {
        "draws": draws,
        "mean": {side: float(np.mean([row[side] for row in rows])) for side in sides},
        "share_of_ceiling": float(
            np.mean([row["study"] for row in rows]) / np.mean([row["ceiling"] for row in rows])
        ),
        "k_exact": sum(row["k"] == row["true_k"] for row in rows),
        "k_within_one": sum(abs(row["k"] - row["true_k"]) <= 1 for row in rows),
        "ahead_of_all": sum(row["study"] > max(row[side] for side in others) for row in rows),
        "each": rows,
    }
