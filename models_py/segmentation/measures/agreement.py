"""How far two labelings of the same rows agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, IntArray

Labels = npt.NDArray[np.integer]


def contingency(first: Labels, second: Labels) -> IntArray:
    """Return how many rows each pair of groups shares, shape (groups, groups)."""
    names_first, codes_first = np.unique(first, return_inverse=True)
    names_second, codes_second = np.unique(second, return_inverse=True)
    cells = np.bincount(
        codes_first * names_second.size + codes_second,
        minlength=names_first.size * names_second.size,
    )
    return cells.reshape(names_first.size, names_second.size).astype(np.int64)


def adjusted_rand(first: Labels, second: Labels) -> float:
    """Return the adjusted Rand index: 1 for the same groups, about 0 for chance.

    References
    ----------
    Hubert, Arabie (1985), Comparing partitions, Journal of Classification 2, 193-218.
    """
    return adjusted_rand_of(contingency(first, second))


def adjusted_rand_of(table: IntArray) -> float:
    """Return the adjusted Rand index of a contingency table."""
    rows = float(table.sum())
    together = float(_pairs(table).sum())
    first = float(_pairs(table.sum(axis=1)).sum())
    second = float(_pairs(table.sum(axis=0)).sum())
    every = rows * (rows - 1.0) / 2.0
    expected = first * second / every if every else 0.0
    highest = (first + second) / 2.0
    if highest == expected:
        return 1.0
    return (together - expected) / (highest - expected)


def segment_jaccard(labels: Labels, other: Labels) -> FloatArray:
    """Return, for each group of `labels` in order, the Jaccard index with its best match.

    The Jaccard index of two groups is the share of the rows in either that are in both, 0..1.
    """
    shared = contingency(labels, other).astype(np.float64)
    either = shared.sum(axis=1)[:, None] + shared.sum(axis=0)[None, :] - shared
    return np.asarray((shared / either).max(axis=1))


def _pairs(counts: IntArray) -> FloatArray:
    sizes = counts.astype(np.float64)
    return np.asarray(sizes * (sizes - 1.0) / 2.0)
