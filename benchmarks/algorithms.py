"""DBSCAN, HDBSCAN, mixtures, bisecting and mini-batch k-means against scikit-learn's.

Both sides get the same rows and the same settings, ours first and each after a warm-up on a few
rows, so that compiling is not timed. Where an algorithm sweeps k, both are asked for each k of
2..10. Printed are seconds and processor seconds of either side, their quotient, and what
tells that the answer is as good: the adjusted Rand index between the two, or the sum of squared
distances (the mean log-likelihood for a mixture) of ours less the rival's, as a share of it.

Example::

    python benchmarks/algorithms.py
    python benchmarks/algorithms.py --names dbscan hdbscan --scale 0.1 --json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from kmeans import customers
from sklearn.cluster import DBSCAN, HDBSCAN, BisectingKMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from models_py.clustering.dbscan import dbscan
from models_py.clustering.hdbscan import hdbscan
from models_py.clustering.kmeans_variants import bisecting_kmeans_sweep, minibatch_kmeans_sweep
from models_py.clustering.mixture import gaussian_mixture_sweep
from models_py.segmentation.measures.indices import all_moments, inertias

KS = range(2, 11)
GROUPS, SPREAD = 12, 3.0
WARM_UP_ROWS = 600

Side = Callable[..., list[np.ndarray]]


@dataclass(frozen=True)
class Contest:
    """One algorithm on rows of one size.

    Attributes
    ----------
    rows, columns
        Of the table; the rows times ``--scale``.
    ours, rival
        From points and settings to the labels of each answer.
    compare
        From points and the labels of both sides to what tells that they are as good.
    settings
        What both are given, from the points; found before the clock starts.
    """

    rows: int
    columns: int
    ours: Side
    rival: Side
    compare: Callable[[np.ndarray, list[np.ndarray], list[np.ndarray]], dict[str, Any]]
    settings: Callable[[np.ndarray], dict[str, Any]] = lambda _: {}


def agreement(
    _: np.ndarray, ours: Sequence[np.ndarray], rival: Sequence[np.ndarray]
) -> dict[str, Any]:
    pairs = zip(ours, rival, strict=True)
    return {"adjusted_rand": [float(adjusted_rand_score(a, b)) for a, b in pairs]}


def inertia_share(
    points: np.ndarray, ours: Sequence[np.ndarray], rival: Sequence[np.ndarray]
) -> dict[str, Any]:
    of = [inertias(all_moments(points, np.vstack(side))) for side in (ours, rival)]
    return {"inertia_over_rival": (of[0] / of[1] - 1.0).tolist()}


def labels_of(candidates: Sequence[Any]) -> list[np.ndarray]:
    return [candidate.labels for candidate in candidates]


def each_k(fit: Callable[[int], Any]) -> Side:
    return lambda points: [fit(k).fit_predict(points) for k in KS]


def knee(points: np.ndarray) -> dict[str, Any]:
    """Return the radius that ours finds by itself, and how many rows make a core."""
    found = dbscan(points).parameters
    return {"eps": found["eps"], "min_samples": found["min_samples"]}


DENSITY = (
    lambda points, **given: [dbscan(points, **given).labels],
    lambda points, **given: [DBSCAN(**given).fit_predict(points)],
    agreement,
    knee,
)
CONTESTS = {
    "dbscan": Contest(20_000, 4, *DENSITY),
    "dbscan wide": Contest(50_000, 8, *DENSITY),
    "hdbscan": Contest(
        20_000,
        8,
        lambda points: labels_of(hdbscan(points, min_cluster_size=100, min_samples=10)),
        lambda points: [
            HDBSCAN(min_cluster_size=100, min_samples=10, copy=True).fit_predict(points)
        ],
        agreement,
    ),
    "mixture": Contest(
        50_000,
        8,
        lambda points: labels_of(gaussian_mixture_sweep(points, KS, seed=0)),
        each_k(lambda k: GaussianMixture(k, random_state=0)),
        agreement,
    ),
    "bisecting k-means": Contest(
        200_000,
        12,
        lambda points: labels_of(bisecting_kmeans_sweep(points, KS, seed=0)),
        each_k(lambda k: BisectingKMeans(k, n_init=3, random_state=0)),
        inertia_share,
    ),
    "mini-batch k-means": Contest(
        200_000,
        12,
        lambda points: labels_of(minibatch_kmeans_sweep(points, KS, seed=0)),
        each_k(lambda k: MiniBatchKMeans(k, n_init=3, random_state=0)),
        inertia_share,
    ),
}


def timed(
    side: Side, points: np.ndarray, given: dict[str, Any]
) -> tuple[list[np.ndarray], dict[str, float]]:
    """Return the answers of a side after a warm-up, and what they took."""
    side(points[:: max(1, len(points) // WARM_UP_ROWS)], **given)
    began, processor = time.perf_counter(), time.process_time()
    answers = side(points, **given)
    return answers, {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
    }


def measure(name: str, scale: float) -> dict[str, Any]:
    """Run both sides of a contest."""
    contest = CONTESTS[name]
    points = customers(round(contest.rows * scale), contest.columns, GROUPS, SPREAD, 0)
    given = contest.settings(points)
    ours, own = timed(contest.ours, points, given)
    rival, other = timed(contest.rival, points, given)
    return {
        "algorithm": name,
        "rows": len(points),
        "columns": contest.columns,
        "ours": own,
        "rival": other,
        "times_faster": round(other["seconds"] / own["seconds"], 2),
        "times_less_processor": round(other["processor_seconds"] / own["processor_seconds"], 2),
        **contest.compare(points, ours, rival),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", nargs="+", choices=list(CONTESTS), default=list(CONTESTS))
    parser.add_argument("--scale", type=float, default=1.0, help="times the rows of each")
    parser.add_argument("--json", action="store_true", help="print one JSON object a contest")
    asked = parser.parse_args()
    for name in asked.names:
        figures = measure(name, asked.scale)
        print(json.dumps(figures) if asked.json else figures, flush=True)


if __name__ == "__main__":
    main()
