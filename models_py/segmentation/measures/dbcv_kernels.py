"""Compiled loops of DBCV; imported only when the index is computed."""

from __future__ import annotations

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.threads import compiled


@compiled
def _distance(points: FloatArray, a: int, b: int) -> float:
    total = 0.0
    for j in range(points.shape[1]):
        gap = points[a, j] - points[b, j]
        total += gap * gap
    return float(np.sqrt(total))


@compiled
def _core_distances(points: FloatArray, starts: IntArray, owner: IntArray) -> FloatArray:
    """All-points core distance of each row within its own segment.

    The mean of d**-p over the others, to the power -1/p, taken relative to the nearest
    neighbour so that p = 60 does not overflow.
    """
    n, p = points.shape
    core = np.zeros(n)
    for a in range(n):
        first, last = starts[owner[a]], starts[owner[a] + 1]
        nearest = np.inf
        for b in range(first, last):
            d = _distance(points, a, b)
            if b != a and d > 0.0 and d < nearest:
                nearest = d
        if nearest == np.inf:
            continue
        total = 0.0
        for b in range(first, last):
            d = _distance(points, a, b)
            if b != a and d > 0.0:
                total += (nearest / d) ** p
        core[a] = nearest * (total / (last - first - 1)) ** (-1.0 / p)
    return core


@compiled
def _spanning_tree(
    points: FloatArray, core: FloatArray, first: int, last: int
) -> tuple[FloatArray, IntArray]:
    """Prim's tree of one segment under mutual reachability: each row's edge and parent.

    Core distances make many reachabilities equal; the plain distance tells those apart, so that
    the tree, and with it the index, does not hang on the order of the rows.
    """
    size = last - first
    weight = np.full(size, np.inf)
    plain = np.full(size, np.inf)
    parent = np.full(size, -1)
    edge = np.zeros(size)
    done = np.zeros(size, dtype=np.bool_)
    at = 0
    done[0] = True
    for _ in range(size - 1):
        best = -1
        for b in range(size):
            if done[b]:
                continue
            d = _distance(points, first + at, first + b)
            reach = max(d, core[first + at], core[first + b])
            if (reach, d) < (weight[b], plain[b]):
                weight[b], plain[b], parent[b] = reach, d, at
            if best < 0 or (weight[b], plain[b]) < (weight[best], plain[best]):
                best = b
        done[best] = True
        edge[best] = weight[best]
        at = best
    return edge, parent


@compiled
def _longest_inner_edge(edge: FloatArray, parent: IntArray, inner: BoolArray) -> float:
    """Longest edge between inner rows; the longest of all where the tree has no such edge."""
    longest_inner, longest = -1.0, 0.0
    for b in range(edge.size):
        if parent[b] < 0:
            continue
        longest = max(longest, edge[b])
        if inner[b] and inner[parent[b]]:
            longest_inner = max(longest_inner, edge[b])
    return longest_inner if longest_inner >= 0.0 else longest


@compiled
def _inner_rows(parent: IntArray) -> BoolArray:
    """Rows with two tree edges or more; every row of a tree that has no such row."""
    degree = np.zeros(parent.size, dtype=np.int64)
    for b in range(parent.size):
        if parent[b] >= 0:
            degree[b] += 1
            degree[parent[b]] += 1
    inner = degree > 1
    if not inner.any():
        inner[:] = True
    return inner


@compiled
def _separations(
    points: FloatArray, core: FloatArray, owner: IntArray, inner: BoolArray, k: int
) -> FloatArray:
    """Shortest mutual reachability from each segment's inner rows to another segment's."""
    n = points.shape[0]
    nearest = np.full(n, np.inf)
    for a in range(n):
        if not inner[a]:
            continue
        for b in range(n):
            if inner[b] and owner[b] != owner[a]:
                d = max(_distance(points, a, b), core[a], core[b])
                nearest[a] = min(nearest[a], d)
    separation = np.full(k, np.inf)
    for a in range(n):
        separation[owner[a]] = min(separation[owner[a]], nearest[a])
    return separation


@compiled
def sparseness_and_separation(
    points: FloatArray, starts: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return density sparseness and separation of each segment.

    Parameters
    ----------
    points
        Shape (n, p), rows sorted by segment.
    starts
        Shape (k + 1,): where each segment begins, and n.
    """
    k = starts.size - 1
    owner = np.zeros(points.shape[0], dtype=np.int64)
    for c in range(k):
        owner[starts[c] : starts[c + 1]] = c
    core = _core_distances(points, starts, owner)
    sparseness = np.zeros(k)
    inner = np.zeros(points.shape[0], dtype=np.bool_)
    for c in range(k):
        edge, parent = _spanning_tree(points, core, starts[c], starts[c + 1])
        inner_here = _inner_rows(parent)
        inner[starts[c] : starts[c + 1]] = inner_here
        sparseness[c] = _longest_inner_edge(edge, parent, inner_here)
    return sparseness, _separations(points, core, owner, inner, k)
