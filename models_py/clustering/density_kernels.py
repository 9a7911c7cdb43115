"""Compiled parts of the density methods; imported only where one is run."""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 512
"""Rows whose distances are held at once: small enough for the first cache."""


@njit(nogil=True, cache=True)
def spanning_tree(columns, core):  # type: ignore[no-untyped-def]
    """Grow the minimum spanning tree of mutual reachability by Prim's algorithm.

    ``columns`` (p, n) are the points by column and ``core`` (n,) the squared core
    distances; both are reordered in place. Time is quadratic in rows, memory linear.
    Returns the ends (n - 1, 2) and squared lengths (n - 1,) of the edges.
    """
    p, n = columns.shape
    rows = np.arange(n)
    best = np.full(n, np.inf)
    origin = np.zeros(n, dtype=np.int64)
    ends = np.empty((n - 1, 2), dtype=np.int64)
    lengths = np.empty(n - 1)
    gaps = np.empty(BLOCK)
    here = np.empty(p)
    chosen = 0
    left = n
    for step in range(n - 1):
        row = rows[chosen]
        row_core = core[chosen]
        left -= 1
        for column in range(p):
            here[column] = columns[column, chosen]
            columns[column, chosen] = columns[column, left]
        rows[chosen] = rows[left]
        core[chosen] = core[left]
        best[chosen] = best[left]
        origin[chosen] = origin[left]
        nearest = np.inf
        for first in range(0, left, BLOCK):
            size = min(BLOCK, left - first)
            for index in range(size):
                gaps[index] = 0.0
            for column in range(p):
                center = here[column]
                for index in range(size):
                    gap = columns[column, first + index] - center
                    gaps[index] += gap * gap
            block_best = np.inf
            for index in range(size):
                reach = max(gaps[index], core[first + index], row_core)
                closer = reach < best[first + index]
                origin[first + index] = row if closer else origin[first + index]
                best[first + index] = reach if closer else best[first + index]
                block_best = min(block_best, best[first + index])
            if block_best < nearest:
                nearest = block_best
                for index in range(size):
                    if best[first + index] == block_best:
                        chosen = first + index
                        break
        ends[step, 0] = origin[chosen]
        ends[step, 1] = rows[chosen]
        lengths[step] = nearest
    return ends, lengths


@njit(nogil=True, cache=True)
def find_root(parents, node):  # type: ignore[no-untyped-def]
    """Return the representative of a node's set, halving the path on the way."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@njit(nogil=True, cache=True)
def merge_edges(ends):  # type: ignore[no-untyped-def]
    """Turn the edges of a spanning tree, shortest first, into a single-linkage tree.

    Returns the two nodes (n - 1, 2) of each merge, rows being 0..n-1 and merges n, n + 1,
    ..., and the number of rows (n - 1,) below it.
    """
    merges = ends.shape[0]
    rows = merges + 1
    parents = np.arange(rows)
    node_of = np.arange(rows)
    size_of = np.ones(rows, dtype=np.int64)
    nodes = np.empty((merges, 2), dtype=np.int64)
    sizes = np.empty(merges, dtype=np.int64)
    for merge in range(merges):
        left = find_root(parents, ends[merge, 0])
        right = find_root(parents, ends[merge, 1])
        nodes[merge, 0] = node_of[left]
        nodes[merge, 1] = node_of[right]
        if size_of[left] < size_of[right]:
            left, right = right, left
        parents[right] = left
        size_of[left] += size_of[right]
        node_of[left] = rows + merge
        sizes[merge] = size_of[left]
    return nodes, sizes


@njit(nogil=True, cache=True)
def condense(nodes, sizes, densities, smallest):  # type: ignore[no-untyped-def]
    """Keep only splits into two parts of at least ``smallest`` rows.

    ``densities`` (n - 1,) is one over the length of each merge. Cluster 0 is the root.
    Returns for each cluster its parent and the density at which it begins, and for each
    row the last cluster it belongs to and the density at which it leaves it.
    """
    merges = nodes.shape[0]
    rows = merges + 1
    owner = np.zeros(rows + merges, dtype=np.int64)
    left_at = np.full(rows + merges, -1.0)
    parents = np.full(2 * (rows // smallest) + 2, -1, dtype=np.int64)
    births = np.zeros(parents.shape[0])
    clusters = 1
    for merge in range(merges - 1, -1, -1):
        node = rows + merge
        big = np.zeros(2, dtype=np.bool_)
        for side in range(2):
            child = nodes[merge, side]
            owner[child] = owner[node]
            left_at[child] = left_at[node]
            big[side] = (sizes[child - rows] if child >= rows else 1) >= smallest
        if left_at[node] >= 0.0:
            continue
        for side in range(2):
            child = nodes[merge, side]
            if big[0] and big[1]:
                owner[child] = clusters
                parents[clusters] = owner[node]
                births[clusters] = densities[merge]
                clusters += 1
            elif not big[side]:
                left_at[child] = densities[merge]
    return parents[:clusters], births[:clusters], owner[:rows], left_at[:rows]


@njit(nogil=True, cache=True)
def stabilities(parents, births, owner, left_at):  # type: ignore[no-untyped-def]
    """Return each cluster's excess of mass: rows times the density they outlive its begin."""
    clusters = parents.shape[0]
    mass = np.zeros(clusters)
    below = np.zeros(clusters)
    for row in range(owner.shape[0]):
        cluster = owner[row]
        below[cluster] += 1.0
        if left_at[row] > births[cluster]:
            mass[cluster] += left_at[row] - births[cluster]
    for cluster in range(clusters - 1, 0, -1):
        parent = parents[cluster]
        below[parent] += below[cluster]
        if births[cluster] > births[parent]:
            mass[parent] += (births[cluster] - births[parent]) * below[cluster]
    return mass


@njit(nogil=True, cache=True)
def join_neighbours(parents, is_core, rows, starts, neighbours):  # type: ignore[no-untyped-def]
    """Join core ``rows`` (m,) with the core rows among their neighbours.

    Row i has ``neighbours[starts[i] : starts[i + 1]]``.
    """
    for index in range(rows.shape[0]):
        root = find_root(parents, rows[index])
        for at in range(starts[index], starts[index + 1]):
            other = neighbours[at]
            if is_core[other]:
                other_root = find_root(parents, other)
                # The lowest row stays the root, so that clusters are numbered by it.
                if other_root < root:
                    parents[root] = other_root
                    root = other_root
                elif other_root > root:
                    parents[other_root] = root


@njit(nogil=True, cache=True)
def lowest_core_label(labels, is_core, rows, starts, neighbours):  # type: ignore[no-untyped-def]
    """Give ``rows`` that are not core the lowest label among their core neighbours."""
    for index in range(rows.shape[0]):
        row = rows[index]
        for at in range(starts[index], starts[index + 1]):
            other = neighbours[at]
            if is_core[other] and (labels[row] < 0 or labels[other] < labels[row]):
                labels[row] = labels[other]
