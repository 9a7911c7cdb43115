"""BIRCH: Ward's tree over summaries of the rows, for tables too large for a tree of every row.

One pass gathers rows into subclusters of bounded radius; a Ward tree of their centers is cut at
every k. Time is linear in rows and memory is that of the labels. Which radius leaves few enough
subclusters is found on some of the rows, then raised where all rows ask for more, as the paper
rebuilds its tree with a larger threshold when memory runs out.

References
----------
Zhang, T., Ramakrishnan, R., Livny, M. (1996). BIRCH: an efficient data clustering method for very
large databases. SIGMOD, 103-114.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Assignment, Candidate
from models_py.clustering.kmeans import nearest_center
from models_py.clustering.linkage import cut_tree, linkage_tree
from models_py.clustering.rows import check_distinct, check_ks, check_points

MOST_SUBCLUSTERS = 256
"""Subclusters at most: some seven for each of 35 segments, and few enough to score in SQL."""

TRIAL_ROWS = 2_000
"""Rows on which the first threshold is found."""

FIRST_SHARE = 1 / 32
"""First threshold tried, as a share of the rows' root mean squared distance to their mean."""

RAISE = 1.25
"""How much larger each threshold is than the one before that left too many subclusters."""

FAR = 4
"""Times too many subclusters from which on as many raises are made at once."""


@dataclass(frozen=True, eq=False)
class BirchModel:
    """Centers of subclusters, each with its cluster; the nearest one decides.

    Attributes
    ----------
    centers
        Shape (m, p).
    clusters
        Shape (m,).
    """

    centers: FloatArray
    clusters: IntArray

    def predict(self, points: FloatArray) -> IntArray:
        """Return the cluster of the nearest subcluster of every row, shape (n,)."""
        return self.clusters[nearest_center(points, self.centers)[0]]

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        return Assignment("nearest_center", {"centers": self.centers})


def birch_sweep(
    points: FloatArray,
    ks: Iterable[int],
    *,
    threshold: float | None = None,
    branching_factor: int = 50,
) -> list[Candidate]:
    """Cluster subclusters by Ward linkage, and every row with its nearest subcluster.

    Parameters
    ----------
    points
        Shape (n, p), finite. Their order matters a little, as in the paper.
    ks
        Numbers of clusters.
    threshold
        Radius that a subcluster may reach, raised where more than 256 come of it; found from the
        rows when None. Up to 256 rows each distinct row is a subcluster.
    branching_factor
        Subclusters of one node of the tree at most.

    Returns
    -------
    list of Candidate
        One for each k that there are subclusters for, with a `BirchModel`. Seconds share the
        tree equally.

    Raises
    ------
    DataError
        When a k exceeds the rows or the distinct rows, or a value is not finite.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points))
    check_distinct(points, max(wanted))
    began = time.perf_counter()
    radius = _first_threshold(points, branching_factor) if threshold is None else threshold
    centers, radius = _subclusters(points, radius, branching_factor, MOST_SUBCLUSTERS)
    nearest = nearest_center(points, centers)[0]
    # A center that no row is nearest to, for rows left it after they made it, decides nothing.
    kept, nearest = np.unique(nearest, return_inverse=True)
    centers = np.ascontiguousarray(centers[kept])
    possible = [k for k in wanted if k <= len(centers)]
    cuts = _cuts(centers, possible)
    each = (time.perf_counter() - began) / max(len(possible), 1)
    asked = {"threshold": radius, "branching_factor": branching_factor}
    return [
        Candidate(
            "birch", {"k": k, **asked}, clusters[nearest], each, model=BirchModel(centers, clusters)
        )
        for k, clusters in zip(possible, cuts, strict=True)
    ]


def birch_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Estimate the peak memory of `birch_sweep` beyond the points.

    Labels, norms and distances of every row, and the subclusters of the trial rows at the
    smallest threshold.
    """
    trial = min(shape.rows, TRIAL_ROWS) * (24 * shape.columns + 400)
    return shape.rows * 8 * (5 + shape.candidates) + trial


def _cuts(centers: FloatArray, ks: list[int]) -> list[IntArray]:
    if len(centers) < 2:
        return [np.zeros(len(centers), dtype=np.int64) for _ in ks]
    return list(cut_tree(linkage_tree(centers, "ward"), ks))


def _first_threshold(points: FloatArray, branching_factor: int) -> float:
    """Return a threshold that leaves half of the subclusters that may be, on some of the rows."""
    if len(points) <= MOST_SUBCLUSTERS:
        return float(np.finfo(np.float64).tiny ** 0.5)
    trial = points[:: max(len(points) // TRIAL_ROWS, 1)]
    spread = float(np.sqrt(points.var(axis=0).sum()))
    return _subclusters(trial, spread * FIRST_SHARE, branching_factor, MOST_SUBCLUSTERS // 2)[1]


def _subclusters(
    points: FloatArray, threshold: float, branching_factor: int, most: int
) -> tuple[FloatArray, float]:
    """Return the centers of at most ``most`` subclusters, and the threshold that it took."""
    from sklearn.cluster import Birch

    while True:
        tree = Birch(
            threshold=threshold,
            branching_factor=branching_factor,
            n_clusters=None,
            compute_labels=False,
        ).fit(points)
        if len(tree.subcluster_centers_) <= most:
            return np.asarray(tree.subcluster_centers_, dtype=np.float64), threshold
        is_far = len(tree.subcluster_centers_) > FAR * most
        threshold *= RAISE**FAR if is_far else RAISE
