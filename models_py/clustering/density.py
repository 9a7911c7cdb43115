"""Neighbours and core points, as DBSCAN and HDBSCAN share them.

References
----------
Sander, J., Ester, M., Kriegel, H.-P., Xu, X. (1998). Density-based clustering in spatial
databases: the algorithm GDBSCAN. Data Mining and Knowledge Discovery 2(2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.base.threads import thread_count
from models_py.clustering.candidate import Assignment
from models_py.clustering.rows import check_columns, check_points, chunks

DISTANCES_AT_ONCE = 2_000_000
"""Distances to neighbours held at one time, with their rows: 32 MB."""

TREE_COLUMNS = 20
"""Beyond these a k-d tree visits nearly every row, and plain blocks of distances win."""


@dataclass(frozen=True, eq=False)
class DensityModel:
    """Rows inside the clusters; any row takes the label of the nearest of them.

    Attributes
    ----------
    core_points
        Shape (m, p): core rows of DBSCAN, clustered rows of HDBSCAN.
    labels
        Shape (m,): their clusters.
    """

    core_points: FloatArray
    labels: IntArray

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.core_points)

    def predict(self, points: FloatArray) -> IntArray:
        """Return the label of the nearest core point of every row, shape (n,)."""
        return self.predict_with_distance(points)[0]

    def predict_with_distance(self, points: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return labels and Euclidean distances to the nearest core points, both (n,).

        Raises
        ------
        DataError
            When everything was noise or the columns are not those of the fit.
        """
        points = check_points(points)
        if len(self.labels) == 0:
            raise DataError(
                "the density model found no cluster, all rows are noise; lower its "
                "min_samples or min_cluster_size, or raise eps"
            )
        check_columns(points, self.core_points.shape[1])
        distances, nearest = self._tree.query(points, k=1, workers=thread_count())
        return self.labels[nearest], np.asarray(distances, dtype=np.float64)

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        return Assignment("nearest_core_point", {"rows": self.core_points})


def neighbour_distances(points: FloatArray, count: int) -> FloatArray:
    """Return the distance from every row to its ``count``-th nearest, itself included.

    Parameters
    ----------
    points
        Shape (n, p).
    count
        From 1 to n.

    Returns
    -------
    array
        Shape (n,).
    """
    if points.shape[1] <= TREE_COLUMNS:
        from scipy.spatial import cKDTree

        distances, _ = cKDTree(points).query(points, k=[count], workers=thread_count())
        return np.asarray(distances[:, 0], dtype=np.float64)
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points)
    parts = [points[part] for part in chunks(len(points), _block_rows(count))]
    return np.concatenate([search.kneighbors(part)[0][:, -1] for part in parts])


def neighbour_peak_bytes(rows: int, columns: int, count: int) -> int:
    """Estimate the peak memory of `neighbour_distances` beyond the points."""
    if columns <= TREE_COLUMNS:
        return rows * 150
    return rows * 16 + min(rows, _block_rows(count)) * (count * 16 + columns * 8)


def _block_rows(count: int) -> int:
    # Whole tiles of scikit-learn's 256 rows, so that blocks change no digit.
    return max(DISTANCES_AT_ONCE // count // 256, 1) * 256


def check_min_samples(min_samples: int, rows: int) -> None:
    """Refuse a ``min_samples`` that the rows do not reach (DataError)."""
    if not 1 <= min_samples <= rows:
        raise DataError(
            f"min_samples: {min_samples} does not lie within 1..{rows}, the rows there are; "
            "lower it"
        )


def default_min_samples(rows: int, columns: int) -> int:
    """Return twice the columns (Sander et al. 1998), at least 4 and at most half the rows."""
    return int(max(1, min(max(4, 2 * columns), rows // 2 or 1)))
