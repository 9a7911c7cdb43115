"""Compiled loop of the consensus; imported only when one is made."""

from __future__ import annotations

import numba
import numpy as np

from models_py.base.arrays import FloatArray


@numba.njit(cache=True)
def weighted_average_tree(apart: FloatArray, sizes: FloatArray) -> FloatArray:
    """Return scipy's form of the average-linkage tree of items that stand for several rows.

    Parameters
    ----------
    apart
        Shape (u, u): dissimilarities; overwritten.
    sizes
        Shape (u,): rows behind each item.

    Notes
    -----
    Each step scans the rows' kept nearest neighbours: O(u²) time in the usual case, O(u³) at
    worst.
    """
    u = apart.shape[0]
    alive = np.ones(u, dtype=np.bool_)
    node = np.arange(u)
    rows = sizes.copy()
    items = np.ones(u)
    near = np.zeros(u, dtype=np.int64)
    tree = np.zeros((u - 1, 4))
    for i in range(u):
        apart[i, i] = np.inf
        near[i] = np.argmin(apart[i])
    for step in range(u - 1):
        a, best = -1, np.inf
        for i in range(u):
            if alive[i] and (a < 0 or apart[i, near[i]] < best):
                a, best = i, apart[i, near[i]]
        b = near[a]
        tree[step, 0], tree[step, 1] = min(node[a], node[b]), max(node[a], node[b])
        tree[step, 2], tree[step, 3] = best, items[a] + items[b]
        for i in range(u):
            if alive[i] and i not in (a, b):
                joined = (rows[a] * apart[a, i] + rows[b] * apart[b, i]) / (rows[a] + rows[b])
                apart[a, i] = joined
                apart[i, a] = joined
        alive[b] = False
        apart[b, :] = np.inf
        apart[:, b] = np.inf
        rows[a] += rows[b]
        items[a] += items[b]
        node[a] = u + step
        for i in range(u):
            if alive[i] and (i == a or near[i] == a or near[i] == b):
                near[i] = np.argmin(apart[i])
            elif alive[i] and apart[i, a] < apart[i, near[i]]:
                near[i] = a
    return tree
