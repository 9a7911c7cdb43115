"""DBSCAN: clusters of any shape where rows lie dense, with rows left as noise.

Growth: time follows the number of neighbours, which is quadratic when eps covers the data. Where
few enough rows are neighbours they are found in pairs, in one pass over a k-d tree; else they are
looked up and handled in blocks, so that memory stays linear in rows.

References
----------
Ester, M., Kriegel, H.-P., Sander, J., Xu, X. (1996). A density-based algorithm for
discovering clusters in large spatial databases with noise. KDD.
Satopää, V., Albrecht, J., Irwin, D., Raghavan, B. (2011). Finding a "kneedle" in a
haystack: detecting knee points in system behavior. ICDCS workshops.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.base.threads import in_threads, thread_count
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import NOISE, Candidate
from models_py.clustering.density import (
    TREE_COLUMNS,
    DensityModel,
    check_min_samples,
    default_min_samples,
    neighbour_distances,
)
from models_py.clustering.rows import check_points, chunks

NEIGHBOURS_AT_ONCE = 25_000_000
"""Neighbours held at one time, even were all rows neighbours: 200 MB."""

COUNTED_ROWS = 1_000
"""Rows whose neighbours are counted to foresee how many there are in all."""


def _knee_of(points: FloatArray, distances: FloatArray) -> float:
    """Return the distance at the knee of the sorted k-distances.

    Both axes are scaled to 0..1, and the knee is where the convex rising curve lies furthest
    below the diagonal (Kneedle with sensitivity 0). Where the k-distances are all equal, that
    distance is returned; where they are all zero, the smallest positive distance between
    neighbouring distinct rows. It is just above the knee, so that rounding leaves its row inside.
    """
    return _positive_knee(points, np.sort(distances)) * (1.0 + 1e-12)


def _positive_knee(points: FloatArray, curve: FloatArray) -> float:
    knee = float(curve[_knee(curve)])
    if knee > 0.0:
        return knee
    if curve[-1] > 0.0:
        return float(curve[curve > 0.0][0])
    distinct = np.unique(points, axis=0)
    if len(distinct) == 1:
        raise DataError("eps: all rows are equal, no distance separates them; give eps yourself")
    return float(neighbour_distances(distinct, 2).min())


def _knee(curve: FloatArray) -> int:
    """Return the index at which a rising convex curve lies furthest below its chord."""
    height = curve[-1] - curve[0]
    if height <= 0.0:
        return len(curve) - 1
    across = np.linspace(0.0, 1.0, len(curve))
    return int(np.argmax(across - (curve - curve[0]) / height))


def dbscan_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Bound the peak memory of `dbscan` beyond the points.

    How many neighbours a row has is known only once they are looked up: the blocks are cut so
    that this holds even were all rows neighbours of each other.
    """
    n, p = shape.rows, shape.columns
    tree = n * (p + 4) * 8
    a_row = n * (8 * 6 + 16)
    block = 3 * 8 * min(max(NEIGHBOURS_AT_ONCE, n * thread_count()), n * n)
    return tree + a_row + block


def dbscan(
    points: FloatArray,
    *,
    eps: float | None = None,
    min_samples: int | None = None,
) -> Candidate:
    """Group core rows that are within ``eps`` of each other, with the rows around them.

    Labels are those of scikit-learn's DBSCAN, numbers included, without its list of all
    neighbours.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    eps
        Radius; the knee of the k-distance curve when None.
    min_samples
        Rows within the radius, itself included, that make a core row; twice the columns
        when None.

    Returns
    -------
    Candidate
        Noise is -1; the model is a `DensityModel` of the core rows.

    Raises
    ------
    DataError
        When eps is not above 0, ``min_samples`` lies outside 1..n, or values are not finite.
    """
    began = time.perf_counter()
    points = check_points(points)
    rows, columns = points.shape
    given = min_samples is not None
    wanted = min_samples if min_samples is not None else default_min_samples(rows, columns)
    check_min_samples(wanted, rows)
    distances = neighbour_distances(points, wanted) if eps is None else None
    radius = float(eps or 0.0) if distances is None else _knee_of(points, distances)
    if not radius > 0.0 or not np.isfinite(radius):
        raise DataError(f"eps: {radius} is no radius; give one above 0 or leave it out")
    pairs = _close_pairs(points, radius)
    if pairs is not None:
        labels, is_core = _labels_of_pairs(pairs, rows, wanted)
    else:
        distances = neighbour_distances(points, wanted) if distances is None else distances
        labels, is_core = _labels_by_blocks(points, distances <= radius, radius)
    parameters = {
        "eps": radius,
        "eps_from": "knee" if eps is None else "given",
        "min_samples": wanted,
        "min_samples_from": "given" if given else "columns",
    }
    model = DensityModel(points[is_core], labels[is_core])
    return Candidate("dbscan", parameters, labels, time.perf_counter() - began, model=model)


def dbscan_sweep(
    points: FloatArray, *, eps: float | None = None, min_samples: int | None = None
) -> list[Candidate]:
    """Return the one candidate of `dbscan`."""
    return [dbscan(points, eps=eps, min_samples=min_samples)]


def _close_pairs(points: FloatArray, radius: float) -> IntArray | None:
    """Return the rows within the radius of each other, (pairs, 2); None where they are too many."""
    if points.shape[1] > TREE_COLUMNS:
        return None
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    some = points[:: max(1, len(points) // COUNTED_ROWS)]
    counts = tree.query_ball_point(some, radius, return_length=True, workers=thread_count())
    if counts.mean() * len(points) > NEIGHBOURS_AT_ONCE:
        return None
    return np.asarray(tree.query_pairs(radius, output_type="ndarray"), dtype=np.int64)


def _labels_of_pairs(pairs: IntArray, rows: int, wanted: int) -> tuple[IntArray, BoolArray]:
    """Return DBSCAN labels and which rows are core, both (rows,)."""
    from models_py.clustering.density_kernels import join_sets

    is_core = 1 + np.bincount(pairs.ravel(), minlength=rows) >= wanted
    ends = is_core[pairs]
    parents = np.arange(rows)
    join_sets(parents, pairs[ends.all(axis=1)])
    labels = _numbered(parents, is_core)
    border = pairs[ends[:, 0] != ends[:, 1]]
    of_core = is_core[border[:, 0]]
    core = np.where(of_core, border[:, 0], border[:, 1])
    beside = np.where(of_core, border[:, 1], border[:, 0])
    lowest = np.full(rows, rows)
    np.minimum.at(lowest, beside, labels[core])
    reached = lowest < rows
    labels[reached] = lowest[reached]
    return labels, is_core


def _labels_by_blocks(
    points: FloatArray, is_core: BoolArray, radius: float
) -> tuple[IntArray, BoolArray]:
    """Return DBSCAN labels and which rows are core, both (n,)."""
    from models_py.clustering.density_kernels import join_neighbours, lowest_core_label

    parents = np.arange(len(points))
    for rows, starts, neighbours in _neighbourhoods(points, np.flatnonzero(is_core), radius):
        join_neighbours(parents, is_core, rows, starts, neighbours)
    labels = _numbered(parents, is_core)
    for rows, starts, neighbours in _neighbourhoods(points, np.flatnonzero(~is_core), radius):
        lowest_core_label(labels, is_core, rows, starts, neighbours)
    return labels, is_core


def _numbered(parents: IntArray, is_core: BoolArray) -> IntArray:
    """Return labels: the sets of core rows numbered by their first rows, else noise."""
    from models_py.clustering.density_kernels import flat_components

    component = np.empty_like(parents)
    flat_components(parents, component)
    labels = np.full(len(parents), NOISE, dtype=np.int64)
    labels[is_core] = np.unique(component[is_core], return_inverse=True)[1]
    return labels


def _neighbourhoods(
    points: FloatArray, rows: IntArray, radius: float
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Yield blocks of rows with the starts and numbers of all rows within the radius."""
    find = _radius_search(points, radius)
    size = max(1, NEIGHBOURS_AT_ONCE // len(points) // thread_count())
    parts = [rows[each] for each in chunks(len(rows), size)]
    for first in range(0, len(parts), thread_count()):
        batch = parts[first : first + thread_count()]
        for part, neighbours in zip(
            batch, in_threads(find, [(points[each],) for each in batch]), strict=True
        ):
            starts = np.concatenate(([0], np.cumsum([len(each) for each in neighbours])))
            yield part, starts.astype(np.int64), np.concatenate(neighbours).astype(np.int64)


def _radius_search(points: FloatArray, radius: float) -> Callable[[FloatArray], Any]:
    """Return what finds the rows within the radius of others, one array for each."""
    from sklearn.neighbors import KDTree, NearestNeighbors

    if points.shape[1] <= TREE_COLUMNS:
        return partial(KDTree(points).query_radius, r=radius)
    search = NearestNeighbors(algorithm="brute").fit(points)
    return partial(search.radius_neighbors, radius=radius, return_distance=False)
