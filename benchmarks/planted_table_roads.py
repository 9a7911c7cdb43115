"""Planted customer tables on the road that a user takes, beside rivals and a supervised ceiling.

Each table is written as a CSV file and goes through new_study.py in this process; the drafted study
is then read and searched as run_clustering.py does, without the explanation and the page.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from latent_classes import latent_classes
from planted_tables import HELD_OUT, ID, TUNED, PlantedTable, planted_table

from models_py.base import settings
from models_py.base.arrays import FloatArray, IntArray
from models_py.base.progress import Silent

if TYPE_CHECKING:
    from models_py.segmentation.segmentation import Segmentation

FIRST_SEED = 100
"""Seeds below were looked at while the drafted study was made, for the kinds of `TUNED`."""
MOST_K = 10
STARTS = 5
WORD_WEIGHT = 0.5


def drafted_labels(frame: pd.DataFrame, seed: int = 42) -> IntArray:
    """Return the segment of each row by the study that the command drafts for the file."""
    gold, found = drafted_segmentation(frame, seed)
    entities = gold[ID].astype(str)
    return np.asarray(pd.Series(found.groups, index=entities).loc[frame[ID]])


def drafted_segmentation(frame: pd.DataFrame, seed: int = 42) -> tuple[pd.DataFrame, Segmentation]:
    """Return the gold rows and the segmentation of the study that the command drafts."""
    from models_py.commands.new_study import main
    from models_py.segmentation.studied import read_studied, segment_partitions
    from models_py.studies.loading import load_study

    with tempfile.TemporaryDirectory() as name, _home(Path(name)):
        source, path = Path(name) / "table.csv", Path(name) / "table.toml"
        frame.to_csv(source, index=False)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = main(["--input", str(source), "--id", ID, "--output", str(path), "--json"])
        if code:
            raise RuntimeError(printed.getvalue())
        study = load_study(str(path))
        gold = read_studied(study, settings.warehouse_path())
        [found] = segment_partitions(study, gold.frame, seed, Silent())
    return gold.frame, found


@contextlib.contextmanager
def _home(folder: Path) -> Any:
    before = os.environ.get(settings.HOME_VARIABLE)
    os.environ[settings.HOME_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[settings.HOME_VARIABLE]
        else:
            os.environ[settings.HOME_VARIABLE] = before


def _numbers_and_words(frame: pd.DataFrame) -> tuple[FloatArray, list[IntArray]]:
    """Return every column but the id: dates as days, numbers scaled, words as codes."""
    numbers, words = [], []
    for name in frame.columns.drop(ID):
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            numbers.append(column.fillna(column.median()).to_numpy(dtype=np.float64))
        elif column.str.match(r"\d{4}-\d\d-\d\d$").all():
            days = (pd.to_datetime(column) - pd.Timestamp("2019-01-01")).dt.days
            numbers.append(days.to_numpy(dtype=np.float64))
        else:
            words.append(pd.factorize(column)[0].astype(np.int64))
    scaled = [(values - values.mean()) / (values.std() or 1.0) for values in numbers]
    empty = np.zeros((len(frame), 0))
    return (np.column_stack(scaled) if scaled else empty), words


def _one_hot(codes: IntArray) -> FloatArray:
    return np.eye(int(codes.max()) + 1)[codes]


def rivals(frame: pd.DataFrame) -> dict[str, IntArray]:
    """Return what others find in the scaled columns of the file."""
    numbers, words = _numbers_and_words(frame)
    hot = [_one_hot(codes) for codes in words]
    scaled = [(block - block.mean(axis=0)) / block.std(axis=0) for block in hot]
    whole = np.ascontiguousarray(np.hstack([numbers, *scaled]))
    results = {
        "kmeans_by_silhouette": _kmeans(whole),
        "gaussian_mixture_by_bic": _mixture(numbers if numbers.shape[1] else whole),
        "latent_classes_by_bic": latent_classes(numbers, hot, range(1, MOST_K + 1), STARTS),
    }
    if words and numbers.shape[1]:
        results["kprototypes_by_silhouette"] = _kprototypes(numbers, words)
    return results


def _by_silhouette(points: FloatArray, tried: list[IntArray]) -> IntArray:
    from sklearn.metrics import silhouette_score

    return max(tried, key=lambda labels: silhouette_score(points, labels))


def _kmeans(points: FloatArray) -> IntArray:
    from sklearn.cluster import KMeans

    ks = range(2, MOST_K + 1)
    return _by_silhouette(
        points,
        [KMeans(k, n_init=STARTS, random_state=0).fit_predict(points) for k in ks],
    )


def _mixture(points: FloatArray) -> IntArray:
    from sklearn.mixture import GaussianMixture

    tried = [
        GaussianMixture(k, covariance_type=shape, random_state=0, reg_covar=1e-3).fit(points)
        for k in range(1, MOST_K + 1)
        for shape in ("full", "diag", "tied")
    ]
    return min(tried, key=lambda model: model.bic(points)).predict(points)


def _kprototypes(numbers: FloatArray, words: list[IntArray]) -> IntArray:
    from models_py.clustering.kprototypes import kprototypes_sweep

    codes = np.column_stack(words)
    ks = list(range(2, MOST_K + 1))
    tried = [c.labels for c in kprototypes_sweep(numbers, codes, ks, seed=0, n_init=2)]
    hot = np.hstack([_one_hot(column) for column in words]) * np.sqrt(WORD_WEIGHT)
    several = [labels for labels in tried if len(np.unique(labels)) > 1]
    return _by_silhouette(np.hstack([numbers, hot]), several)


def ceiling(frame: pd.DataFrame, truth: IntArray) -> float:
    """Return the adjusted Rand index of a forest that was taught the truth, out of fold."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import adjusted_rand_score
    from sklearn.model_selection import cross_val_predict

    known = truth >= 0
    if len(np.unique(truth[known])) == 1:
        return 1.0
    numbers, words = _numbers_and_words(frame)
    whole = np.column_stack([numbers, *words])
    forest = RandomForestClassifier(200, min_samples_leaf=2, random_state=0)
    told = cross_val_predict(forest, whole[known], truth[known], cv=3)
    return float(adjusted_rand_score(truth[known], told))


def measured(table: PlantedTable, seed: int) -> dict[str, Any]:
    """Return one table's figures: the drafted study, its number of segments, rivals, ceiling."""
    from sklearn.metrics import adjusted_rand_score

    truth = table.truth
    known = truth >= 0
    began = time.perf_counter()
    labels = drafted_labels(table.frame)
    seconds = time.perf_counter() - began
    sides = {"study": labels} | rivals(table.frame)
    return {
        "kind": table.kind,
        "seed": seed,
        "rows": len(truth),
        "columns": table.frame.shape[1] - 1,
        "true_k": len(np.unique(truth[known])),
        "k": len(np.unique(labels)),
        "seconds": seconds,
        **{
            side: float(adjusted_rand_score(truth[known], found[known]))
            for side, found in sides.items()
        },
        "ceiling": ceiling(table.frame, truth),
    }


def measure_tables(draws: int) -> dict[str, object]:
    """Return the figures of the tuned kinds and of those that were held out, apart."""
    return {
        "tables_of_tuned_kinds": _of_kinds(list(TUNED), draws),
        "tables_of_kinds_held_out": _of_kinds(list(HELD_OUT), draws),
    }


def _of_kinds(kinds: list[str], draws: int) -> dict[str, object]:
    rows = []
    for kind in kinds:
        for seed in range(FIRST_SEED, FIRST_SEED + draws):
            rows.append(measured(planted_table(kind, seed), seed))
            words = (
                f"{key} {value:.2f}" if isinstance(value, float) else f"{key} {value}"
                for key, value in rows[-1].items()
            )
            print(", ".join(words), file=sys.stderr, flush=True)
    sides = (
        "study", "kmeans_by_silhouette", "gaussian_mixture_by_bic", "latent_classes_by_bic",
        "kprototypes_by_silhouette", "ceiling",
    )  # fmt: skip
    grouped = [row for row in rows if row["true_k"] > 1]
    alone = [row for row in rows if row["true_k"] == 1]
    return {
        "tables": len(rows),
        # One group and an answer of more have an index of 0, which says nothing of groups.
        "mean": {
            side: float(np.mean([row[side] for row in grouped if side in row])) for side in sides
        },
        "k_exact": sum(row["k"] == row["true_k"] for row in grouped),
        "k_within_one": sum(abs(row["k"] - row["true_k"]) <= 1 for row in grouped),
        "with_groups": len(grouped),
        "no_groups_said": sum(row["k"] == 1 for row in alone),
        "without_groups": len(alone),
        "by_kind": {
            kind: {
                side: float(np.mean([row[side] for row in rows if row["kind"] == kind]))
                for side in (*sides[:4], "ceiling")
            }
            for kind in kinds
        },
        "each": rows,
    }
