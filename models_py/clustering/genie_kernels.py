"""Compiled loops over minimum spanning trees; imported only when one is built or cut."""

from __future__ import annotations

import numba
import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.density_kernels import find_root


@numba.njit(cache=True)
def spanning_tree(points: FloatArray, core: FloatArray) -> tuple[FloatArray, IntArray]:
    """Prim's minimum spanning tree under mutual reachability.

    Parameters
    ----------
    points
        Shape (n, p).
    core
        Shape (n,): core distances; zeros give the Euclidean tree.

    Returns
    -------
    weights
        Shape (n - 1,).
    ends
        Shape (n - 1, 2): rows that each edge joins.

    Notes
    -----
    O(n²·p) time, O(n) memory. Equal reachabilities are distinguished by the plain distance.
    """
    n, p = points.shape
    reach = np.full(n, np.inf)
    plain = np.full(n, np.inf)
    parent = np.zeros(n, dtype=np.int64)
    done = np.zeros(n, dtype=np.bool_)
    weights = np.zeros(n - 1)
    ends = np.zeros((n - 1, 2), dtype=np.int64)
    at = 0
    done[0] = True
    for step in range(n - 1):
        best = -1
        for b in range(n):
            if done[b]:
                continue
            total = 0.0
            for j in range(p):
                gap = points[at, j] - points[b, j]
                total += gap * gap
            d = np.sqrt(total)
            r = max(d, core[at], core[b])
            if r < reach[b] or (r == reach[b] and d < plain[b]):
                reach[b], plain[b], parent[b] = r, d, at
            if best < 0 or (reach[b], plain[b]) < (reach[best], plain[best]):
                best = b
        done[best] = True
        weights[step] = reach[best]
        ends[step, 0], ends[step, 1] = parent[best], best
        at = best
    return weights, ends


@numba.njit(cache=True)
def _gini(counts: IntArray, clusters: int, rows: int) -> float:
    """Gini index of the cluster sizes, given how many clusters have each size."""
    if clusters < 2:
        return 0.0
    total, before = 0.0, 0
    for size in range(1, counts.size):
        many = counts[size]
        if many:
            # ranks before+1 .. before+many, each weighted 2·rank - clusters - 1
            total += size * many * (2.0 * before + many - clusters)
            before += many
    return total / (rows * (clusters - 1.0))


@numba.njit(cache=True)
def gini_merges(ends: IntArray, threshold: float) -> IntArray:
    """Return the order in which the tree's edges are joined, shape (n - 1,).

    Parameters
    ----------
    ends
        Shape (n - 1, 2), edges in ascending weight.
    threshold
        Gini index of the sizes above which a smallest cluster must be joined.
    """
    edges = ends.shape[0]
    n = edges + 1
    parent = np.arange(n)
    size = np.ones(n, dtype=np.int64)
    counts = np.zeros(n + 1, dtype=np.int64)
    counts[1] = n
    following = np.arange(1, edges + 1)
    previous = np.arange(-1, edges - 1)
    first = 0
    smallest = 1
    cursor, cursor_size = 0, 0
    order = np.zeros(edges, dtype=np.int64)
    for step in range(edges):
        chosen = first
        if _gini(counts, n - step, n) > threshold:
            while counts[smallest] == 0:
                smallest += 1
            if cursor_size != smallest:
                cursor, cursor_size = first, smallest
            # Edges passed once join no cluster of this size, and never will again.
            chosen = max(cursor, first)
            while True:
                a, b = find_root(parent, ends[chosen, 0]), find_root(parent, ends[chosen, 1])
                if size[a] == smallest or size[b] == smallest:
                    break
                chosen = following[chosen]
            cursor = following[chosen]
        a, b = find_root(parent, ends[chosen, 0]), find_root(parent, ends[chosen, 1])
        counts[size[a]] -= 1
        counts[size[b]] -= 1
        if size[a] < size[b]:
            a, b = b, a
        parent[b] = a
        size[a] += size[b]
        counts[size[a]] += 1
        order[step] = chosen
        if chosen == first:
            first = following[chosen]
            if cursor <= chosen:
                cursor = first
        else:
            following[previous[chosen]] = following[chosen]
        if following[chosen] < edges:
            previous[following[chosen]] = previous[chosen] if chosen != first else -1
    return order


@numba.njit(cache=True)
def components(ends: IntArray, kept: IntArray, n: int) -> IntArray:
    """Return the connected parts of n rows under the kept edges, numbered by first row."""
    parent = np.arange(n)
    for e in kept:
        a, b = find_root(parent, ends[e, 0]), find_root(parent, ends[e, 1])
        if a != b:
            parent[max(a, b)] = min(a, b)
    labels = np.full(n, -1)
    count = 0
    answer = np.zeros(n, dtype=np.int64)
    for i in range(n):
        r = find_root(parent, i)
        if labels[r] < 0:
            labels[r] = count
            count += 1
        answer[i] = labels[r]
    return answer


@numba.njit(cache=True)
def chopped_edges(parent: IntArray, order: IntArray, min_cluster_size: int, most: int) -> IntArray:
    """Return the rows whose edge to their parent is cut, longest first.

    Parameters
    ----------
    parent
        Shape (n,): rooted tree, -1 at row 0; every row comes after its parent in `order`.
    order
        Shape (2, n): row 0 the rows from the root outwards, row 1 the rows by falling weight of
        the edge to their parent (the root last).
    min_cluster_size
        Rows that both sides of a cut must keep.
    most
        Cuts wanted.
    """
    n = parent.size
    below = np.ones(n, dtype=np.int64)
    for i in range(n - 1, 0, -1):
        row = order[0, i]
        below[parent[row]] += below[row]
    cut = np.zeros(n, dtype=np.bool_)
    made = np.zeros(most, dtype=np.int64)
    count = 0
    for i in range(n - 1):
        if count == most:
            break
        row = order[1, i]
        if below[row] < min_cluster_size:
            continue
        top = parent[row]
        while parent[top] >= 0 and not cut[top]:
            top = parent[top]
        if below[top] - below[row] < min_cluster_size:
            continue
        cut[row] = True
        made[count] = row
        count += 1
        at = parent[row]
        while True:
            below[at] -= below[row]
            if cut[at] or parent[at] < 0:
                break
            at = parent[at]
    return made[:count]
