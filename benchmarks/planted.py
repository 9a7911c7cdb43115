"""Groups with known truth: the automatic choice and the default study against their rivals.

Three tables, each of the mean adjusted Rand index over the same sets; rows that were scattered
at random have no truth and are left out of the scoring, but every side sees them.

* ``--shapes DRAWS``: draws of every shape that `planted_data` knows. ``choose.by = "auto"``
  knows neither algorithm nor k. The weights of its evidence were fitted on other draws of these
  shapes, so the seeds here begin at 1000.
* ``--foreign DRAWS``: sets of generators and tables that came with scikit-learn; no weight was
  fitted on them, but forms of the model were compared on some, iris, wine, breast cancer and
  digits among them.
* ``--wide DRAWS``: draws of every kind of `planted_wide`, tables of 4 to 40 columns; the weights
  for such tables were fitted on other draws. 0 without the option.
* ``--customers DRAWS``: customer tables with planted segments. The recipe of the study
  grocery_customers, with every column as a feature, against k-means on the scaled raw numbers and
  against every scikit-learn algorithm on the same encoding, k by the best silhouette; the best of
  these is named with hindsight, over all draws.

* ``--logs DRAWS``: purchase logs with 3 to 8 planted segments on the road that a user takes, beside
  rivals and a supervised ceiling on the same gold; see `planted_log_roads`. 0 without the option.
* ``--tables DRAWS``: customer tables as CSV files, most columns beside the point, on the road that
  a user takes; kinds that were tuned on and kinds that were held out; see `planted_table_roads`. 0
  without the option.

Rivals of the first three: k-means with the best silhouette, a Gaussian mixture with the best BIC
(k = 2..30 both) and scikit-learn's HDBSCAN with defaults (noise as a group of its own). For
reference k-means and average linkage that are given the true k, the better of the two on each set.

Example::

    python benchmarks/planted.py --shapes 1 --foreign 1 --customers 20 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from planted_log_roads import measure_logs
from planted_table_roads import measure_tables
from planted_logs import LogSettings
from planted_data import ShapeSet, planted_customers, shape_sets
from planted_wide import wide_sets

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.auto import auto_candidates, judged_rows, numbered
from models_py.clustering.rows import check_points
from models_py.segmentation.criteria import CandidateEvidence, choose

ONE_SEGMENT = "one_segment"


FIRST_SEED = 1000
MOST_K = 30
CUSTOMER_K = range(2, 11)
Labeller = Callable[[FloatArray], IntArray]


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shapes", type=int, default=1, metavar="DRAWS")
    parser.add_argument("--foreign", type=int, default=1, metavar="DRAWS")
    parser.add_argument("--wide", type=int, default=0, metavar="DRAWS")
    parser.add_argument("--customers", type=int, default=20, metavar="DRAWS")
    parser.add_argument("--logs", type=int, default=0, metavar="DRAWS")
    parser.add_argument("--tables", type=int, default=0, metavar="DRAWS", help="of every kind")
    parser.add_argument("--log-customers", type=int, default=1_200, help="customers of a log")
    parser.add_argument("--log-hours", action="store_true", help="habits of hours of the day too")
    parser.add_argument("--log-overlap", type=float, default=0.25, help="0 apart, below 1")
    parser.add_argument("--rows", type=int, default=2_000, help="rows of a customer table")
    parser.add_argument("--segments", type=int, default=5, help="segments planted in it")
    parser.add_argument("--overlap", type=float, default=0.3, help="0 apart, 1 on each other")
    parser.add_argument("--noise", type=float, default=0.05, help="share of rows of no segment")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def agreement(result: IntArray, truth: IntArray) -> float:
    from sklearn.metrics import adjusted_rand_score

    known = truth >= 0
    return float(adjusted_rand_score(truth[known], result[known]))


def best_silhouette_kmeans(points: FloatArray, most_k: int = MOST_K) -> IntArray:
    from sklearn.cluster import KMeans

    return by_silhouette(
        points, lambda k: KMeans(k, n_init=10, random_state=0).fit_predict(points), most_k
    )


def by_silhouette(points: FloatArray, fit: Callable[[int], IntArray], most_k: int) -> IntArray:
    from sklearn.metrics import silhouette_score

    tried = [fit(k) for k in range(2, min(most_k, len(points) - 1) + 1)]
    figures = [
        silhouette_score(points, labels) if 1 < len(np.unique(labels)) < len(points) else -1.0
        for labels in tried
    ]
    return tried[int(np.argmax(figures))]


def best_bic_mixture(points: FloatArray, most_k: int = MOST_K) -> IntArray:
    from sklearn.mixture import GaussianMixture

    tried = [
        GaussianMixture(k, n_init=2, random_state=0, reg_covar=1e-5).fit(points)
        for k in range(1, min(most_k, len(points) // 4) + 1)
    ]
    return min(tried, key=lambda model: model.bic(points)).predict(points)


def default_hdbscan(points: FloatArray) -> IntArray:
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(copy=True).fit_predict(points)


def automatic(points: FloatArray) -> IntArray:
    return auto_cluster(points, seed=0).labels


def told_k(points: FloatArray, truth: IntArray) -> float:
    from sklearn.cluster import AgglomerativeClustering, KMeans

    k = len(np.unique(truth[truth >= 0]))
    return max(
        agreement(KMeans(k, n_init=10, random_state=0).fit_predict(points), truth),
        agreement(AgglomerativeClustering(k, linkage="average").fit_predict(points), truth),
    )


LABELLERS: dict[str, Labeller] = {
    "auto": automatic,
    "kmeans_best_silhouette": best_silhouette_kmeans,
    "gaussian_mixture_best_bic": best_bic_mixture,
    "hdbscan_defaults": default_hdbscan,
}


def foreign_sets(seed: int) -> Iterator[ShapeSet]:
    """Yield sets of scikit-learn's own generators and tables, scaled to unit variance."""
    from sklearn import datasets

    turned = np.array([[0.6, -0.6], [-0.4, 0.8]])
    made = {
        "blobs": datasets.make_blobs(900, 5, centers=8, random_state=seed),
        "blobs_in_20": datasets.make_blobs(800, 20, centers=12, random_state=seed),
        "blobs_varied": datasets.make_blobs(900, 2, cluster_std=[1, 2.5, 0.5], random_state=seed),
        "circles": datasets.make_circles(800, factor=0.5, noise=0.05, random_state=seed),
        "moons": datasets.make_moons(800, noise=0.06, random_state=seed),
        "classes": datasets.make_classification(
            800, 6, n_informative=4, n_redundant=0, n_classes=4, n_clusters_per_class=1,
            class_sep=2.0, random_state=seed,
        ),
    }  # fmt: skip
    points, truth = datasets.make_blobs(900, 2, random_state=seed + 170)
    made["blobs_turned"] = (points @ turned, truth)
    if seed == FIRST_SEED:
        made |= {
            "iris": datasets.load_iris(return_X_y=True),
            "wine": datasets.load_wine(return_X_y=True),
            "breast_cancer": datasets.load_breast_cancer(return_X_y=True),
            "digits": tuple(part[:900] for part in datasets.load_digits(return_X_y=True)),
        }
    for name, (points, truth) in made.items():
        spread = points.std(axis=0)
        scaled = (points - points.mean(axis=0))[:, spread > 0] / spread[spread > 0]
        yield name, np.ascontiguousarray(scaled), truth.astype(np.int64)


def held_against_truth(sets: Iterator[ShapeSet]) -> dict[str, object]:
    """Return every side's mean adjusted Rand index, its seconds, and the sets one by one."""
    rows: list[dict[str, object]] = []
    seconds: dict[str, float] = defaultdict(float)
    for name, points, truth in sets:
        row: dict[str, object] = {"set": name, "rows": len(points), "columns": points.shape[1]}
        row["k"] = len(np.unique(truth[truth >= 0]))
        for side, label in LABELLERS.items():
            began = time.perf_counter()
            result = label(points)
            seconds[side] += time.perf_counter() - began
            row[side] = agreement(result, truth)
            if side == "auto":
                row["auto_k"] = len(np.unique(result))
        row["told_k"] = told_k(points, truth)
        rows.append(row)
        text = ", ".join(f"{side} {row[side]:.2f}" for side in (*LABELLERS, "told_k"))
        print(f"{name} ({len(points)} x {points.shape[1]}, k {row['k']}): {text}", file=sys.stderr)
    sides = (*LABELLERS, "told_k")
    means = {side: float(np.mean([row[side] for row in rows])) for side in sides}
    return {"sets": len(rows), "mean": means, "seconds": dict(seconds), "each": rows}


def study_labels(frame: pd.DataFrame) -> tuple[IntArray, FloatArray]:
    """Return the segments of the default study's recipe over every column, and its encoding."""
    from models_py.segmentation.studied import segment_partitions
    from models_py.base.progress import show_progress
    from models_py.studies.loading import load_study

    study = load_study("grocery_customers")
    features = study.features.model_copy(update={"include": ("*",)})
    nothing = study.describe.model_copy(update={"measures": ()})
    planted = study.model_copy(
        update={"name": "planted", "features": features, "describe": nothing}
    )
    with show_progress(quiet=True) as progress:
        [result] = segment_partitions(planted, frame, 0, progress)
    return result.groups, result.prepared.encoded[0]


def sklearn_labels(points: FloatArray) -> dict[str, IntArray]:
    """Run every scikit-learn algorithm on an encoding, k by the best silhouette."""
    from sklearn.cluster import (
        HDBSCAN,
        AgglomerativeClustering,
        BisectingKMeans,
        KMeans,
        SpectralClustering,
    )
    from sklearn.mixture import GaussianMixture

    fits: dict[str, Callable[[int], IntArray]] = {
        "kmeans": lambda k: KMeans(k, n_init=10, random_state=0).fit_predict(points),
        "bisecting_kmeans": lambda k: BisectingKMeans(k, random_state=0).fit_predict(points),
        "ward": lambda k: AgglomerativeClustering(k).fit_predict(points),
        "average": lambda k: AgglomerativeClustering(k, linkage="average").fit_predict(points),
        "complete": lambda k: AgglomerativeClustering(k, linkage="complete").fit_predict(points),
        "gaussian_mixture": lambda k: GaussianMixture(k, random_state=0).fit_predict(points),
        "spectral": lambda k: SpectralClustering(
            k, affinity="nearest_neighbors", random_state=0
        ).fit_predict(points),
    }
    results = {name: by_silhouette(points, fit, max(CUSTOMER_K)) for name, fit in fits.items()}
    results["hdbscan"] = HDBSCAN(copy=True).fit_predict(points)
    return results


def planted_tables(asked: argparse.Namespace) -> dict[str, object]:
    """Return the default study's figures beside those of its rivals, over the draws."""
    scores: dict[str, list[float]] = defaultdict(list)
    ks: list[int] = []
    for draw in range(asked.customers):
        frame, truth = planted_customers(
            asked.rows, asked.segments, overlap=asked.overlap, noise=asked.noise, seed=draw
        )
        groups, encoded = study_labels(frame)
        scores["default_study"].append(agreement(groups, truth))
        ks.append(int(groups.max()) + 1)
        numbers = frame.drop(columns="customer_id").select_dtypes(["number", "bool"]).astype(float)
        scaled = ((numbers - numbers.mean()) / numbers.std(ddof=0)).to_numpy()
        plain = best_silhouette_kmeans(scaled, max(CUSTOMER_K))
        scores["kmeans_on_scaled_raw_columns"].append(agreement(plain, truth))
        for name, labels in sklearn_labels(np.ascontiguousarray(scaled)).items():
            scores[f"raw_{name}"].append(agreement(labels, truth))
        for name, labels in sklearn_labels(encoded).items():
            scores[f"encoded_{name}"].append(agreement(labels, truth))
        print(f"draw {draw}: study {scores['default_study'][-1]:.3f}, k {ks[-1]}", file=sys.stderr)
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    best = max((name for name in means if name.startswith("raw_")), key=lambda name: means[name])
    return {
        "draws": asked.customers,
        "rows": asked.rows,
        "segments": asked.segments,
        "overlap": asked.overlap,
        "noise": asked.noise,
        "mean": means,
        "best_single": {best: means[best]},
        "k_found": ks,
    }


def measure(asked: argparse.Namespace) -> dict[str, object]:
    warnings.filterwarnings("ignore")
    results: dict[str, object] = {}
    if asked.logs:
        planted = LogSettings(
            customers=asked.log_customers,
            overlap=asked.log_overlap,
            noise=asked.noise,
            hours=asked.log_hours,
        )
        results["logs"] = measure_logs(asked.logs, planted)
    if asked.tables:
        results |= measure_tables(asked.tables)
    if asked.shapes:
        seeds = range(FIRST_SEED, FIRST_SEED + asked.shapes)
        results["shapes"] = held_against_truth(
            shape_set for seed in seeds for shape_set in shape_sets(seed)
        )
    if asked.foreign:
        seeds = range(FIRST_SEED, FIRST_SEED + asked.foreign)
        results["foreign"] = held_against_truth(
            foreign_set for seed in seeds for foreign_set in foreign_sets(seed)
        )
    if asked.wide:
        seeds = range(FIRST_SEED, FIRST_SEED + asked.wide)
        results["wide"] = held_against_truth(
            wide_set for seed in seeds for wide_set in wide_sets(seed)
        )
    if asked.customers:
        results["customers"] = planted_tables(asked)
    return results


def main() -> None:
    asked = parsed_arguments()
    measured = measure(asked)
    if asked.json:
        print(json.dumps(measured))
        return
    for table, figures in measured.items():
        print(f"\n{table}: mean adjusted Rand index")
        for side, mean in sorted(figures["mean"].items(), key=lambda item: -item[1]):
            print(f"  {side:<34} {mean:.3f}")


@dataclass(frozen=True)
class AutoResult:
    """Segments found, and why these.

    Attributes
    ----------
    labels
        Shape (n,): 0..k-1, the largest segment first; every row has one.
    k
        Segments; 1 where the rows show no structure.
    algorithm, parameters
        What found them; ``"one_segment"`` where nothing did.
    evidence
        One row for each candidate.
    reason
        One sentence with the figures.
    """

    labels: IntArray
    k: int
    algorithm: str
    parameters: Mapping[str, object]
    evidence: list[CandidateEvidence]
    reason: str


def auto_cluster(points: FloatArray, *, seed: int, k_max: int | None = None) -> AutoResult:
    """Find segments without being given the algorithm, their number or their shape.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    seed
        Same seed, same segments.
    k_max
        Most segments; 35 by default.

    Raises
    ------
    DataError
        For values that are not finite.

    Notes
    -----
    Time grows with n² up to 5,000 rows. Past that a sample of 5,000 is clustered and each other
    row joins the segment of the nearest sampled row, so that time grows with n·log n; `reason`
    says so.
    """
    points = check_points(points)
    kept = judged_rows(len(points), seed)
    sample = np.ascontiguousarray(points[kept])
    if len(np.unique(sample, axis=0)) < 4:
        return _one(len(points), [], "one segment: fewer than four distinct rows")
    candidates = auto_candidates(sample, seed, k_max=k_max)
    choice = choose(sample, candidates, by="auto", measures={}, seed=seed)
    reason = choice.reason
    if len(kept) < len(points):
        reason += f" (found on {len(kept):,} of {len(points):,} rows, the others joined)"
    if choice.index is None:
        return _one(len(points), choice.evidence, reason)
    selected = candidates[choice.index]
    labels = largest_first(joined(points, kept, selected.labels))
    k = int(labels.max()) + 1
    return AutoResult(labels, k, selected.algorithm, selected.parameters, choice.evidence, reason)


def _one(n: int, evidence: list[CandidateEvidence], reason: str) -> AutoResult:
    return AutoResult(np.zeros(n, dtype=np.int64), 1, ONE_SEGMENT, {}, evidence, reason)


def joined(points: FloatArray, kept: IntArray, result: IntArray) -> IntArray:
    """Return labels of all rows: those found on the kept rows, the nearest kept row's elsewhere."""
    if len(kept) == len(points):
        return result
    from scipy.spatial import KDTree

    return np.asarray(result[KDTree(points[kept]).query(points)[1]])


def largest_first(labels: IntArray) -> IntArray:
    """Return the labels as 0..k-1 by falling size; equal sizes by first row."""
    codes = numbered(labels)
    order = np.argsort(-np.bincount(codes), kind="stable")
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    return np.asarray(rank[codes])


if __name__ == "__main__":
    main()
