"""Density-based clustering validation (DBCV): dense inside segments, thin between them.

A segment's sparseness is the longest inner edge of its minimum spanning tree under mutual
reachability; its separation is the shortest mutual reachability to another segment. The index
needs no centers, so rings and chains are judged as fairly as balls.

References
----------
Moulavi, Jaskowiak, Campello, Zimek, Sander (2014), Density-based clustering validation,
SIAM International Conference on Data Mining, 839-847.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import NOISE

SAMPLED_ROWS = 2_000


@dataclass(frozen=True)
class DensityValidity:
    """DBCV of one clustering.

    Attributes
    ----------
    score
        Weighted by segment size over all rows, noise included; -1 (worst) .. 1 (best).
    segments
        Shape (k,): validity of each segment, in the order of its label.
    rows
        Rows that the figure was computed on; fewer than given when sampled.
    """

    score: float
    segments: FloatArray
    rows: int


def density_validity(points: FloatArray, labels: npt.NDArray[np.integer]) -> DensityValidity:
    """Return the DBCV index of a clustering, with each segment's own part of it.

    Parameters
    ----------
    points
        Shape (n, p).
    labels
        Shape (n,): -1 for noise, any other whole number names a segment.

    Raises
    ------
    DataError
        When the two shapes do not fit.

    Notes
    -----
    Time grows with n²·p, memory with n: distances are never kept. Copies of a row lie at
    distance 0, which says nothing about density, and are left out of its core distance; a
    segment of a single row has validity 0, and so has all with fewer than two segments.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [52.0]])
    >>> round(density_validity(line, np.array([0, 0, 0, 1, 1, 1])).score, 3)
    0.973
    """
    points, labels = _checked(points, labels)
    kept = np.flatnonzero(labels != NOISE)
    names, codes = np.unique(labels[kept], return_inverse=True)
    if names.size < 2:
        return DensityValidity(0.0, np.zeros(names.size), int(labels.size))
    from models_py.segmentation.measures import dbcv_kernels

    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=names.size)
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    sorted_points = np.ascontiguousarray(points[kept[order]])
    sparseness, separation = dbcv_kernels.sparseness_and_separation(sorted_points, starts)
    validity = _validity(sparseness, separation, sizes)
    score = float(np.sum(validity * sizes) / labels.size)
    return DensityValidity(score, validity, int(labels.size))


def relative_dbcv(
    points: FloatArray,
    labels: npt.NDArray[np.integer],
    *,
    seed: int,
    rows: int = SAMPLED_ROWS,
) -> DensityValidity:
    """Return DBCV on a seeded sample of rows, for comparing clusterings of one table.

    Thinning makes every density smaller, so the figure ranks candidates measured on the same
    sample and is not the exact index; `rows` in the answer says what it stands on.

    Parameters
    ----------
    points
        Shape (n, p).
    labels
        Shape (n,).
    seed
        The same seed draws the same rows.
    rows
        Rows to keep; all of them when n is not larger.
    """
    points, labels = _checked(points, labels)
    if labels.size <= rows:
        return density_validity(points, labels)
    kept = np.sort(np.random.default_rng(seed).choice(labels.size, size=rows, replace=False))
    return density_validity(points[kept], labels[kept])


def _checked(points: FloatArray, labels: npt.NDArray[np.integer]) -> tuple[FloatArray, IntArray]:
    points = np.ascontiguousarray(points, dtype=np.float64)
    numbers: IntArray = np.ascontiguousarray(labels, dtype=np.int64)
    if points.ndim != 2 or numbers.shape != (points.shape[0],):
        raise DataError(
            f"DBCV: points have shape {points.shape} and labels {numbers.shape}; "
            "give one label for each row of a two-dimensional array"
        )
    return points, numbers


def _validity(sparseness: FloatArray, separation: FloatArray, sizes: IntArray) -> FloatArray:
    largest = np.maximum(sparseness, separation)
    difference = separation - sparseness
    ratio = np.divide(difference, largest, out=np.zeros_like(difference), where=largest > 0)
    return np.where(sizes > 1, ratio, 0.0)
