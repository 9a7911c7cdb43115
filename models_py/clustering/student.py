"""Clusters around centers that a row belongs to more or less, by a Student kernel.

References
----------
van der Maaten, Hinton (2008), Visualizing data using t-SNE, J. Machine Learning Research 9 (the
kernel). Xie, Girshick, Farhadi (2016), Unsupervised deep embedding for clustering analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray, blocks
from models_py.clustering.candidate import Assignment

BLOCK_ROWS = 16_384


@dataclass(frozen=True, eq=False)
class StudentModel:
    """Centers with a kernel: the nearest center decides, and how clearly is known.

    Attributes
    ----------
    centers
        Shape (k, d).
    freedom
        Degrees of freedom of the kernel.
    """

    centers: FloatArray
    freedom: float = 1.0

    def predict(self, points: FloatArray) -> IntArray:
        """Return the cluster that every row belongs to most, shape (n,)."""
        return np.asarray(self.probabilities(points).argmax(axis=1), dtype=np.int64)

    def probabilities(self, points: FloatArray) -> FloatArray:
        """Return how much every row belongs to each cluster, shape (n, k); rows add up to 1."""
        shares = np.empty((len(points), len(self.centers)))
        for block in blocks(len(points), BLOCK_ROWS):
            shares[block] = np.exp(log_assignment(np, points[block], self.centers, self.freedom))
        return shares

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        state = {"centers": self.centers, "freedom": np.array([self.freedom])}
        return Assignment("soft_nearest_center", state)


def log_assignment(xp: Any, embedding: Any, centers: Any, freedom: float) -> Any:
    """Return the logarithm of the soft assignment by a Student kernel, shape (n, k).

    Parameters
    ----------
    xp
        numpy, or another library of arrays with the same functions.
    embedding, centers
        Shapes (n, d) and (k, d).
    freedom
        Degrees of freedom of the kernel.
    """
    difference = embedding[:, None, :] - centers[None, :, :]
    nearness = -0.5 * (freedom + 1.0) * xp.log1p(xp.sum(difference**2, axis=2) / freedom)
    nearness = nearness - xp.max(nearness, axis=1, keepdims=True)
    return nearness - xp.log(xp.sum(xp.exp(nearness), axis=1, keepdims=True))
