"""Candidates for a table of which nothing is known: many algorithms, many k, one list."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import NOISE, Candidate
from models_py.clustering.genie import (
    SpanningTree,
    chopped_labels,
    genie_labels,
    minimum_spanning_tree,
)
from models_py.clustering.hdbscan import density_hierarchy
from models_py.clustering.kmeans import kmeans_sweep, quick_kmeans
from models_py.clustering.linkage import cut_tree, linkage_trees
from models_py.clustering.mixture import Covariance, gaussian_mixtures_from
from models_py.clustering.pooled_mixture import pooled_mixture_sweep
from models_py.clustering.rows import check_points
from models_py.clustering.spectral import spectral_sweep

MOST_SEGMENTS = 35
WEIGHED_ROWS = 5_000
FULL_COVARIANCE_COLUMNS = 25
TREE_NEIGHBOURS = (0, 5, 10)
GENIE_THRESHOLDS = ((0, 0.1), (0, 0.3), (0, 0.5), (0, 0.7), (10, 0.3), (10, 0.5))
CHOPPED_SHARES = ((0, 0.03), (5, 0.01), (5, 0.03), (10, 0.01), (10, 0.06))
HDBSCAN_ROWS = (5, 10, 20, 40)
WIDE_FROM = 4
"""Columns from which a table is wide: groups overlap more, and their number is harder to see."""
MOST_POOLED = 15
FEW_COMPONENTS, LEAST_BY = 14, 10
"""Past the first k-means swaps no centers; mixtures of more components are fitted where the least
BIC is past the second."""
MIXTURE_PASSES, MIXTURE_TOLERANCE = 25, 3e-3
"""One family of many: its groups show long before the likelihood comes to rest."""


def auto_candidates(points: FloatArray, seed: int, *, k_max: int | None = None) -> list[Candidate]:
    """Return candidates of all families over k = 2..`k_max`.

    Parameters
    ----------
    points
        Shape (n, p) with four distinct rows or more.
    seed
        Same seed, same candidates.
    k_max
        Most segments; 35 by default, fewer where rows are few.

    Returns
    -------
    list of Candidate
        Every row has a segment: what a density method calls noise goes to the segment of the
        nearest row that has one. Equal clusterings of one algorithm are listed once.

    Notes
    -----
    k-means, Ward, average and complete linkage, Genie on plain and smoothed distances, chopped
    spanning trees, Gaussian mixtures, HDBSCAN of four sizes and spectral clustering; from four
    columns on, mixtures of one covariance too. The trees take O(n²) time; 5,000 rows are meant to
    be the most.
    """
    points = check_points(points)
    distinct = len(np.unique(points, axis=0))
    if distinct < 4:
        raise DataError(
            f"automatic search: {distinct} distinct rows; four or more are needed to tell groups"
        )
    ks = list(range(2, min(k_max or MOST_SEGMENTS, distinct // 2, max(3, len(points) // 6)) + 1))
    clusters = _clusters(points, ks, seed)
    proposals = chain(
        clusters,
        _linkages(points, ks),
        _tree_cuts(points, ks),
        _mixtures(points, clusters, seed),
        _pooled(points, ks, seed),
        _density(points),
        spectral_sweep(points, [k for k in _thinned(ks) if k < distinct - 2], seed=seed),
    )
    return list(_distinct(points, proposals))


def auto_sweep(points: FloatArray, *, seed: int, k_max: int | None = None) -> Iterator[Candidate]:
    """Yield `auto_candidates` of at most 5,000 rows, each other row with its nearest of them.

    Parameters
    ----------
    points, seed, k_max
        As for `auto_candidates`.
    """
    from scipy.spatial import KDTree

    kept = judged_rows(len(points), seed)
    sample = np.ascontiguousarray(points[kept])
    nearest = KDTree(sample).query(points)[1] if len(kept) < len(points) else np.arange(len(points))
    for candidate in auto_candidates(sample, seed, k_max=k_max):
        yield replace(candidate, labels=candidate.labels[nearest])


def _thinned(ks: Iterable[int]) -> list[int]:
    """All k up to 12, then wider steps: for the costlier algorithms."""
    return [k for k in ks if k <= 12 or k in (14, 16, 18, 20, 23, 26, 30, 35)]


def _clusters(points: FloatArray, ks: list[int], seed: int) -> list[Candidate]:
    """Return k-means of every k, its best where few segments are asked for."""
    few = [k for k in ks if k <= FEW_COMPONENTS]
    more = [k for k in ks if k > FEW_COMPONENTS]
    fine = quick_kmeans(points, more, seed=seed) if more else []
    return [*kmeans_sweep(points, few, seed=seed, n_init=3), *fine]


def _linkages(points: FloatArray, ks: list[int]) -> Iterator[Candidate]:
    start = time.perf_counter()
    trees = linkage_trees(points, ("ward", "average", "complete"))
    each = (time.perf_counter() - start) / (len(trees) * len(ks))
    for method, tree in trees.items():
        for k, labels in zip(ks, cut_tree(tree, ks), strict=True):
            yield Candidate(method, {"k": k}, labels, each)


def _tree_cuts(points: FloatArray, ks: list[int]) -> Iterator[Candidate]:
    start = time.perf_counter()
    trees = {m: minimum_spanning_tree(points, m) for m in TREE_NEIGHBOURS}
    each = (time.perf_counter() - start) / (len(GENIE_THRESHOLDS) * len(ks))
    for neighbours, threshold in GENIE_THRESHOLDS:
        labelings = genie_labels(trees[neighbours], ks, threshold=threshold)
        for k, labels in zip(ks, labelings, strict=True):
            parameters = {"k": k, "threshold": threshold, "neighbours": neighbours}
            yield Candidate("genie", parameters, labels, each)
    for neighbours, share in CHOPPED_SHARES:
        yield from _chopped(trees[neighbours], ks, share)


def _chopped(tree: SpanningTree, ks: list[int], share: float) -> Iterator[Candidate]:
    start = time.perf_counter()
    min_cluster_size = max(5, int(share * tree.rows))
    labelings = chopped_labels(tree, ks, min_cluster_size=min_cluster_size)
    each = (time.perf_counter() - start) / max(1, len(labelings))
    for k, labels in labelings.items():
        asked = {"min_cluster_size": min_cluster_size, "neighbours": tree.neighbours}
        yield Candidate("chopped", {"k": k, **asked}, labels, each)


def _mixtures(points: FloatArray, clusters: Sequence[Candidate], seed: int) -> Iterator[Candidate]:
    """Yield mixtures of few components, and of more where the BIC still falls towards them."""
    shapes: list[Covariance] = ["diag"]
    if points.shape[1] <= FULL_COVARIANCE_COLUMNS:
        shapes = ["full", "diag"]
    wide = np.ascontiguousarray(points[:, points.std(axis=0) > 0])
    starts = {each.k: each.labels for each in clusters}
    few = [k for k in _thinned(starts) if k <= FEW_COMPONENTS]
    more = [k for k in _thinned(starts) if k > FEW_COMPONENTS]
    fits = partial(
        gaussian_mixtures_from, wide, seed=seed, max_iter=MIXTURE_PASSES, tol=MIXTURE_TOLERANCE
    )
    fitted = fits([starts[k] for k in few], covariance=shapes)
    yield from fitted
    bics = np.array([candidate.bic for candidate in fitted], dtype=np.float64)
    least = np.nanargmin(bics.reshape(len(shapes), len(few)), axis=1)
    falling = [shape for shape, place in zip(shapes, least, strict=True) if few[place] > LEAST_BY]
    if more and falling:
        yield from fits([starts[k] for k in more], covariance=falling)


def _pooled(points: FloatArray, ks: list[int], seed: int) -> list[Candidate]:
    if points.shape[1] < WIDE_FROM:
        return []
    return pooled_mixture_sweep(points, [k for k in ks if k <= MOST_POOLED], seed=seed)


def _density(points: FloatArray) -> Iterator[Candidate]:
    for size in HDBSCAN_ROWS:
        if size < len(points) / 4:
            start = time.perf_counter()
            labels = density_hierarchy(points, size).labels(size)
            seconds = time.perf_counter() - start
            yield Candidate("hdbscan", {"min_cluster_size": size}, labels, seconds)


def _distinct(points: FloatArray, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: set[tuple[str, bytes]] = set()
    for candidate in candidates:
        labels = numbered(assign_noise(points, candidate.labels))
        key = (candidate.algorithm, labels.tobytes())
        if labels.max() < 1 or key in seen:
            continue
        seen.add(key)
        yield replace(candidate, labels=labels)


def assign_noise(points: FloatArray, labels: IntArray) -> IntArray:
    """Return the labels with each noise row given that of the nearest row that has one."""
    from scipy.spatial import KDTree

    stray = labels == NOISE
    if not stray.any() or stray.all():
        return labels
    nearest = KDTree(points[~stray]).query(points[stray])[1]
    filled = labels.copy()
    filled[stray] = labels[~stray][nearest]
    return filled


def numbered(labels: IntArray) -> IntArray:
    """Return the labels as 0..k-1 in the order of each segment's first row."""
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return np.asarray(rank[codes], dtype=np.int64)


def judged_rows(n: int, seed: int) -> IntArray:
    """Return the rows that evidence is weighed on: all of them, or a sorted sample of 5,000."""
    if n <= WEIGHED_ROWS:
        return np.arange(n)
    drawn = np.random.default_rng(seed).choice(n, WEIGHED_ROWS, replace=False)
    return np.asarray(np.sort(drawn))


def auto_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of `auto_sweep` beyond the points.

    The costliest of the families on the rows that are weighed, and the labels of every candidate,
    of which each k has some eighteen.
    """
    k_max = int(str(parameters.get("k_max", MOST_SEGMENTS)))
    weighed = min(shape.rows, WEIGHED_ROWS)
    return weighed * (890 + 89 * shape.columns) + shape.rows * 8 * 18 * (k_max - 1)
