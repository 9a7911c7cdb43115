"""Centres of groups, and the nearest of them."""

from __future__ import annotations

import numpy as np

from models_py.base.arrays import FloatArray, IntArray


def group_centres(points: FloatArray, groups: IntArray) -> FloatArray:
    """Return the mean of each group, shape (k, columns)."""
    count = int(groups.max()) + 1
    sums = np.zeros((count, points.shape[1]))
    np.add.at(sums, groups, points)
    return sums / np.bincount(groups, minlength=count)[:, None]


def nearest_centres(points: FloatArray, centres: FloatArray) -> IntArray:
    """Return the index of each row's nearest centre, shape (rows,)."""
    return np.asarray(centre_distances(points, centres).argmin(axis=1), dtype=np.int64)


def centre_distances(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Return the Euclidean distance of every row to every centre, shape (rows, k)."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, centres))
