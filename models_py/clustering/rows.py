"""What every algorithm asks of its rows, and how work is shared among threads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray, blocks, finite_table
from models_py.base.errors import DataError
from models_py.base.plurals import plural

from models_py.clustering.candidate import NOISE

CHUNK_ROWS = 32_768
"""Rows of one unit of threaded work: fixed, so that sums do not depend on the threads."""


@dataclass(frozen=True)
class MixedRows:
    """Rows as k-prototypes wants them.

    Attributes
    ----------
    numeric
        Shape (n, p): scaled numbers.
    categorical
        Shape (n, q): codes 0, 1, ... of each column's levels.
    """

    numeric: FloatArray
    categorical: IntArray

    def __getitem__(self, rows: IntArray) -> MixedRows:
        """Return some of the rows."""
        return MixedRows(self.numeric[rows], self.categorical[rows])


def check_points(points: FloatArray) -> FloatArray:
    """Return the points as a C-contiguous float64 matrix, or say what is wrong with them."""
    return finite_table(points, purpose="clustering")


def check_columns(points: FloatArray, fitted: int) -> None:
    """Refuse rows whose columns are not those a model was fitted on.

    Raises
    ------
    DataError
        When ``points`` has another number of columns than ``fitted``.
    """
    if points.shape[1] != fitted:
        raise DataError(
            f"points: {points.shape[1]} columns, the model was fitted on {fitted}; "
            "transform the rows with the run's own feature matrix"
        )


def check_ks(ks: Iterable[int], rows: int) -> list[int]:
    """Return the numbers of clusters as a list, each within 1..rows.

    Raises
    ------
    DataError
        When there is none, or one lies outside.
    """
    wanted = [int(k) for k in ks]
    if not wanted:
        raise DataError("k: no number of clusters was given; name at least one, such as 2")
    for k in wanted:
        if not 1 <= k <= rows:
            raise DataError(f"k: {k} clusters of {rows} rows cannot be made; use 1..{rows}")
    return wanted


def count_distinct(points: FloatArray, at_most: int) -> int:
    """Count distinct rows, stopping as soon as there are ``at_most``.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    at_most
        The count beyond which it does not matter.
    """
    known = points[:0]
    for first in range(0, points.shape[0], CHUNK_ROWS):
        block = points[first : first + CHUNK_ROWS]
        # A few rows usually settle it; the whole block only where they are all alike.
        for part in (block[: 4 * at_most], block):
            known = np.unique(np.concatenate((known, part)) + 0.0, axis=0)
            if known.shape[0] >= at_most:
                return at_most
    return int(known.shape[0])


def check_distinct(points: FloatArray, k: int) -> None:
    """Refuse k clusters of rows that do not have k distinct values.

    Raises
    ------
    DataError
        When fewer than ``k`` rows differ.
    """
    count = count_distinct(points, k)
    if count < k:
        raise DataError(
            f"k: {k} clusters need {k} distinct rows, the data have "
            f"{plural(count, 'distinct row')}; ask for at most {count}"
        )


def compact_labels(labels: IntArray) -> tuple[IntArray, IntArray]:
    """Renumber clusters 0..k-1 without gaps; noise keeps -1.

    Returns
    -------
    labels, kept
        The new labels, shape (n,), and the old number of each new cluster, shape (k,).
    """
    return dense_labels(labels)[0], np.unique(labels[labels >= 0]).astype(np.int64)


def dense_labels(labeling: IntArray, noise: int = NOISE) -> tuple[IntArray, int]:
    """Labels renumbered to 0..k-1 in ascending order, noise to -1; and k."""
    low, high = int(labeling.min(initial=0)), int(labeling.max(initial=0))
    if high - low > 4 * labeling.size + 1024:  # far apart: sorting beats a table
        _, dense = np.unique(labeling, return_inverse=True)
        codes, noise_code = dense.reshape(-1), int(np.searchsorted(np.unique(labeling), noise))
        isolated = bool((labeling == noise).any())
    else:
        codes, noise_code = labeling - low, noise - low
        isolated = 0 <= noise_code <= high - low
    present = np.zeros(int(codes.max(initial=0)) + 1, dtype=bool)
    present[codes] = True
    if isolated:
        present[noise_code] = False
    number = np.cumsum(present) - 1
    if isolated:
        number[noise_code] = NOISE
    return number[codes], int(present.sum())


def chunks(rows: int, size: int = CHUNK_ROWS) -> list[slice]:
    """Cut 0..rows into slices of a fixed size, whatever the number of threads."""
    return blocks(rows, size)


def group_centers(points: FloatArray, groups: IntArray) -> FloatArray:
    """Return the mean of each group, shape (k, columns)."""
    count = int(groups.max()) + 1
    sums = np.zeros((count, points.shape[1]))
    np.add.at(sums, groups, points)
    return sums / np.bincount(groups, minlength=count)[:, None]


def nearest_centers(points: FloatArray, centers: FloatArray) -> IntArray:
    """Return the index of each row's nearest center, shape (rows,)."""
    return np.asarray(center_distances(points, centers).argmin(axis=1), dtype=np.int64)


def center_distances(points: FloatArray, centers: FloatArray) -> FloatArray:
    """Return the Euclidean distance of every row to every center, shape (rows, k)."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, centers))
