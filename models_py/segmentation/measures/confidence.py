"""How sure an assignment is: the own center against the nearest other."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from models_py.base.arrays import FloatArray, IntArray, blocks
from models_py.clustering.distances import metric_points
from models_py.clustering.rows import center_distances


@runtime_checkable
class SoftModel(Protocol):
    """A fitted model that says how much a row belongs to each of its components.

    It takes rows as it was fitted on: points, or numbers and codes of words.
    """

    def predict(self, *rows: Any) -> IntArray:
        """Return the most probable component of every row, shape (n,)."""
        ...

    def probabilities(self, *rows: Any) -> FloatArray:
        """Return the probability of each component for every row, shape (n, components)."""
        ...


def memberships(probable: FloatArray, groups: IntArray) -> FloatArray:
    """Return how probable each group is for every row.

    Parameters
    ----------
    probable
        Shape (rows, components), of the components that the groups were made of.
    groups
        Shape (rows,): 0..k-1.

    Returns
    -------
    FloatArray
        Shape (rows, k), each row adding up to 1.
    """
    counts = np.zeros((probable.shape[1], int(groups.max()) + 1), dtype=np.int64)
    np.add.at(counts, (probable.argmax(axis=1), groups), 1)
    return by_group(probable, counts.argmax(axis=1), counts.shape[1])


def by_group(probable: FloatArray, group_of: IntArray, count: int) -> FloatArray:
    """Return the probabilities of components added up by their groups, shape (rows, count)."""
    return np.stack([probable[:, group_of == group].sum(axis=1) for group in range(count)], axis=1)


BLOCK_ROWS = 100_000
"""Rows whose distances to all centers are held at one time."""


def confidences(
    points: FloatArray, groups: IntArray, centers: FloatArray, metric: str = "euclidean"
) -> FloatArray:
    """Return how clearly each row belongs: 1 - distance to its center / to the nearest other.

    Parameters
    ----------
    points
        Shape (rows, columns): the encoding that was clustered.
    groups
        Shape (rows,): 0..k-1.
    centers
        Shape (k, columns): the groups' centers.
    metric
        ``"euclidean"`` or ``"cosine"``: of which distance.

    Returns
    -------
    FloatArray
        Shape (rows,), 0 (as near to another center, or nearer) to 1; all 1 for one group.
    """
    if len(centers) < 2:
        return np.ones(len(points))
    middles, parts = metric_points(centers, metric), []
    for block in blocks(len(points), BLOCK_ROWS):
        distances = center_distances(metric_points(points[block], metric), middles)
        if metric == "cosine":
            distances = 0.5 * distances**2
        rows = np.arange(len(distances))
        own = distances[rows, groups[block]]
        distances[rows, groups[block]] = np.inf
        other = distances.min(axis=1)
        parts.append(1.0 - np.divide(own, other, out=np.ones_like(own), where=other > 0))
    return np.asarray(np.clip(np.concatenate(parts), 0.0, 1.0))
