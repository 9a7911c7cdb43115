"""Planted groups that tests of density methods share."""

from __future__ import annotations

import numpy as np

from models_py.base.arrays import FloatArray


def drawn_groups(n: int, p: int, groups: int = 6, spread: float = 3.0, seed: int = 0) -> FloatArray:
    """Round groups of unit variance around centers drawn ``spread`` wide."""
    generator = np.random.default_rng(seed)
    centers = generator.normal(scale=spread, size=(groups, p))
    return centers[generator.integers(0, groups, n)] + generator.standard_normal((n, p))


def chosen_distances(points: FloatArray, count: int) -> FloatArray:
    """Distance from each row to its ``count``-th nearest, itself included, by sorting all."""
    from scipy.spatial.distance import cdist

    return np.sort(cdist(points, points), axis=1)[:, count - 1]
