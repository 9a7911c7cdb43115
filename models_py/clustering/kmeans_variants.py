"""Mini-batch and bisecting k-means: less time a pass, or a tree of splits in two."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Assignment, Candidate
from models_py.clustering.kmeans import (
    KMeansModel,
    KMeansSearch,
    kmeans_peak_bytes,
    nearest_center,
)
from models_py.clustering.rows import check_distinct, check_ks, check_points, compact_labels


@dataclass(frozen=True, eq=False)
class BisectingModel:
    """Splits in the order in which they were made, each between two centers.

    Attributes
    ----------
    splits
        Shape (k - 1,): the cluster that each split cut; the part near its second center
        became the next new number.
    pairs
        Shape (k - 1, 2, p): the two centers of each split.
    centers
        Shape (k, p): mean of each final cluster.
    """

    splits: IntArray
    pairs: FloatArray
    centers: FloatArray

    def predict(self, points: FloatArray) -> IntArray:
        """Follow the splits from the first to the last, shape (n,)."""
        points = check_points(points)
        labels = np.zeros(points.shape[0], dtype=np.int64)
        for number, (cluster, pair) in enumerate(zip(self.splits, self.pairs, strict=True), 1):
            members = np.flatnonzero(labels == cluster)
            if members.size:
                side, _ = nearest_center(points[members], pair)
                labels[members[side == 1]] = number
        return labels

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        return Assignment("splits", {"splits": self.splits, "pairs": self.pairs})


def minibatch_kmeans_sweep(
    points: FloatArray,
    ks: Iterable[int],
    *,
    seed: int,
    n_init: int = 3,
    max_iter: int = 100,
    batch_size: int = 1024,
) -> list[Candidate]:
    """Run mini-batch k-means for every k (scikit-learn's).

    Time grows with the batches drawn rather than with the rows, but for one last pass;
    inertia is usually a little above that of `kmeans_sweep`, which on most tables takes
    no longer.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    ks
        Numbers of clusters.
    seed
        Same seed, same labels.
    n_init
        Starts tried on one batch.
    max_iter
        Passes over the rows at most.
    batch_size
        Rows of one batch.

    Returns
    -------
    list of Candidate
        One for each k, with a `KMeansModel`.

    Raises
    ------
    DataError
        When a k exceeds the rows or the distinct rows, or a value is not finite.

    References
    ----------
    Sculley, D. (2010). Web-scale k-means clustering. WWW.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points))
    check_distinct(points, max(wanted))
    return [_minibatch(points, k, seed, n_init, max_iter, batch_size) for k in wanted]


def _minibatch(
    points: FloatArray, k: int, seed: int, n_init: int, max_iter: int, batch_size: int
) -> Candidate:
    from sklearn.cluster import MiniBatchKMeans

    began = time.perf_counter()
    fitted = MiniBatchKMeans(
        k, random_state=seed, n_init=n_init, max_iter=max_iter, batch_size=batch_size
    ).fit(points)
    labels, distances = nearest_center(points, fitted.cluster_centers_)
    labels, kept = compact_labels(labels)
    model = KMeansModel(fitted.cluster_centers_[kept], float(np.sum(distances**2)))
    parameters = {"k": k, "n_init": n_init, "batch_size": batch_size}
    seconds = time.perf_counter() - began
    return Candidate("minibatch_kmeans", parameters, labels, seconds, model=model)


def bisecting_kmeans_sweep(
    points: FloatArray,
    ks: Iterable[int],
    *,
    seed: int,
    n_init: int = 3,
    max_iter: int = 300,
    tol: float = 1e-4,
) -> list[Candidate]:
    """Split the cluster with the largest inertia in two until there are k.

    One run of splits serves every k: the clusters of k + 1 refine those of k.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    ks
        Numbers of clusters.
    seed
        Same seed, same labels, whatever the number of threads.
    n_init
        Restarts of each split in two.
    max_iter, tol
        As in `kmeans_sweep`.

    Returns
    -------
    list of Candidate
        One for each k, with a `BisectingModel`. Seconds are those of all splits so far.

    Raises
    ------
    DataError
        When a k exceeds the rows or the distinct rows, or a value is not finite.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points))
    check_distinct(points, max(wanted))
    began = time.perf_counter()
    run = _Bisection(points, np.random.default_rng(seed), n_init, max_iter, tol)
    candidates: dict[int, Candidate] = {}
    for k in range(1, max(wanted) + 1):
        if k > 1:
            run.split()
        if k in wanted:
            parameters = {"k": k, "n_init": n_init}
            seconds = time.perf_counter() - began
            labels, model = run.labels.copy(), run.model()
            candidates[k] = Candidate("bisecting_kmeans", parameters, labels, seconds, model=model)
    return [candidates[k] for k in wanted]


class _Bisection:
    """Clusters that are split in two, the one with the largest inertia first."""

    def __init__(
        self,
        points: FloatArray,
        generator: np.random.Generator,
        n_init: int,
        max_iter: int,
        tol: float,
    ) -> None:
        self._points = points
        self._generator = generator
        self._settings = (n_init, max_iter, tol)
        self.labels = np.zeros(len(points), dtype=np.int64)
        self._splits: list[int] = []
        self._pairs: list[FloatArray] = []
        center = points.mean(axis=0)
        self._centers = [center]
        self._inertias = [float(np.sum((points - center) ** 2))]

    def split(self) -> None:
        """Cut the cluster with the largest inertia."""
        cluster = int(np.argmax(self._inertias))
        members = np.flatnonzero(self.labels == cluster)
        rows = self._points[members]
        search = KMeansSearch(rows, self._generator, *self._settings)
        halves = search.run(2)
        assert isinstance(halves.model, KMeansModel)
        self.labels[members[halves.labels == 1]] = len(self._centers)
        self._splits.append(cluster)
        self._pairs.append(halves.model.centers)
        gaps = np.sum((rows - halves.model.centers[halves.labels]) ** 2, axis=1)
        self._centers[cluster] = halves.model.centers[0]
        self._centers.append(halves.model.centers[1])
        self._inertias[cluster] = float(np.sum(gaps[halves.labels == 0]))
        self._inertias.append(float(np.sum(gaps[halves.labels == 1])))

    def model(self) -> BisectingModel:
        """Return what was split so far."""
        columns = self._points.shape[1]
        return BisectingModel(
            np.array(self._splits, dtype=np.int64),
            np.array(self._pairs).reshape(-1, 2, columns),
            np.array(self._centers),
        )


def minibatch_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Estimate the peak memory of `minibatch_kmeans_sweep` beyond the points."""
    return shape.rows * 8 * (4 + shape.candidates)


def bisecting_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of `bisecting_kmeans_sweep` beyond the points."""
    part = shape.rows * shape.columns * 8
    return 2 * part + kmeans_peak_bytes(shape, parameters)
