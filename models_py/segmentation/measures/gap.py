"""Gap statistic: how many segments fit better than they would on structureless rows.

References
----------
Tibshirani, Walther, Hastie (2001), Estimating the number of clusters in a data set via the gap
statistic, Journal of the Royal Statistical Society B 63, 411-423.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError

SweepInertia = Callable[[FloatArray, Sequence[int], int], FloatArray]


@dataclass(frozen=True)
class GapStatistic:
    """Gap of each k and the k that the one-standard-error rule picks.

    Attributes
    ----------
    ks
        Numbers of segments tried, ascending.
    gaps
        Mean log inertia of the references less the log inertia of the rows.
    standard_errors
        Of the references, widened for their number as the paper does.
    chosen
        Smallest k whose gap is at least the next one's less its standard error.
    """

    ks: tuple[int, ...]
    gaps: FloatArray
    standard_errors: FloatArray
    chosen: int


def gap_statistic(
    points: FloatArray,
    ks: Sequence[int],
    *,
    seed: int,
    references: int = 10,
    inertias: SweepInertia | None = None,
) -> GapStatistic:
    """Return the gap statistic of k-means over `ks`.

    Parameters
    ----------
    points
        Shape (n, p).
    ks
        Numbers of segments; 1 may be among them and means no structure.
    seed
        The same seed gives the same figures.
    references
        Structureless tables drawn: even over the box along the principal axes.
    inertias
        How to get the inertia of every k: ``(points, ks, seed) -> (len(ks),)``; k-means.

    Raises
    ------
    DataError
        For no `ks`, a k below 1 or above the distinct rows, or fewer than 2 references.
    """
    ks = sorted({int(k) for k in ks})
    points = np.ascontiguousarray(points, dtype=np.float64)
    _check(points, ks, references)
    measure = inertias or kmeans_inertias
    rng = np.random.default_rng(seed)
    box = _principal_box(points)
    own = _log(measure(points, ks, seed))
    drawn = np.array([_log(measure(box(rng), ks, seed + 1 + b)) for b in range(references)])
    gaps = drawn.mean(axis=0) - own
    errors = drawn.std(axis=0) * np.sqrt(1.0 + 1.0 / references)
    return GapStatistic(tuple(ks), gaps, errors, _one_standard_error(ks, gaps, errors))


def kmeans_inertias(points: FloatArray, ks: Sequence[int], seed: int) -> FloatArray:
    """Return the k-means inertia of each k: summed squared distances to the centers."""
    from models_py.clustering.kmeans import kmeans_sweep

    several = [k for k in ks if k > 1]
    inertia_of_k = dict.fromkeys(ks, inertia(points, np.zeros(len(points), dtype=np.int64)))
    for candidate in kmeans_sweep(points, several, seed=seed) if several else ():
        inertia_of_k[int(str(candidate.parameters["k"]))] = inertia(points, candidate.labels)
    return np.array([inertia_of_k[k] for k in ks])


def inertia(points: FloatArray, labels: IntArray) -> float:
    """Return the summed squared distances of rows to their segment's mean."""
    _, codes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(codes).astype(np.float64)
    sums = np.zeros((sizes.size, points.shape[1]))
    np.add.at(sums, codes, points)
    return float(np.sum((points - (sums / sizes[:, None])[codes]) ** 2))


def _check(points: FloatArray, ks: Sequence[int], references: int) -> None:
    distinct = len(np.unique(points, axis=0))
    if not ks or ks[0] < 1 or ks[-1] > distinct:
        raise DataError(
            f"gap statistic: k runs over {list(ks)}; it must lie in 1..{distinct}, "
            "the number of distinct rows"
        )
    if references < 2:
        raise DataError(f"gap statistic: references is {references}; ask for 2 or more")


def _log(inertias: FloatArray) -> FloatArray:
    return np.log(np.maximum(inertias, np.finfo(np.float64).tiny))


def _principal_box(points: FloatArray) -> Callable[[np.random.Generator], FloatArray]:
    center = points.mean(axis=0)
    axes = np.linalg.svd(points - center, full_matrices=False)[2]
    turned = (points - center) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)

    def draw(rng: np.random.Generator) -> FloatArray:
        rows = rng.uniform(low, high, size=turned.shape)
        return np.ascontiguousarray(rows @ axes + center)

    return draw


def _one_standard_error(ks: Sequence[int], gaps: FloatArray, errors: FloatArray) -> int:
    for i in range(len(ks) - 1):
        if gaps[i] >= gaps[i + 1] - errors[i + 1]:
            return int(ks[i])
    return int(ks[-1])
