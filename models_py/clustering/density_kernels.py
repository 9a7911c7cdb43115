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
def gap_to_box(points, row, low, high, node):  # type: ignore[no-untyped-def]
    """Return the squared distance from a row to a node's box, 0 inside."""
    total = 0.0
    for column in range(points.shape[1]):
        value = points[row, column]
        gap = max(low[node, column] - value, value - high[node, column], 0.0)
        total += gap * gap
    return total


@njit(nogil=True, cache=True)
def least_in_nodes(values, first, last, out):  # type: ignore[no-untyped-def]
    """Write the least value of each node's rows; children follow their parent as in a heap."""
    nodes = first.shape[0]
    for node in range(nodes - 1, -1, -1):
        child = 2 * node + 1
        if child < nodes:
            out[node] = min(out[child], out[child + 1]) if child + 1 < nodes else out[child]
        else:
            out[node] = values[first[node] : last[node]].min()


@njit(nogil=True, cache=True)
def whole_nodes(component, first, last, out):  # type: ignore[no-untyped-def]
    """Write the component of each node whose rows share one, else -1."""
    nodes = first.shape[0]
    for node in range(nodes - 1, -1, -1):
        child = 2 * node + 1
        if child < nodes:
            out[node] = out[child] if out[child] == out[child + 1] else -1
        else:
            out[node] = component[first[node]]
            for row in range(first[node] + 1, last[node]):
                if component[row] != out[node]:
                    out[node] = -1


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def reach(points, core, row, other):  # type: ignore[no-untyped-def]
    """Return the squared mutual reachability of two rows."""
    total = 0.0
    for column in range(points.shape[1]):
        gap = points[row, column] - points[other, column]
        total += gap * gap
    return max(total, core[row], core[other])


@njit(nogil=True, cache=True)
def nearest_outside(  # type: ignore[no-untyped-def]
    points, core, component, tree, whole, least_core, row, bound, stack, gaps
):
    """Return the nearest row of another component closer than ``bound``, and its reach.

    ``tree`` holds the first and last row and the low and high corner of each node.
    """
    first, last, low, high = tree
    own = component[row]
    nearest = -1
    depth = 1
    stack[0] = 0
    gaps[0] = 0.0
    while depth > 0:
        depth -= 1
        node = stack[depth]
        if gaps[depth] >= bound or whole[node] == own:
            continue
        child = 2 * node + 1
        if child >= first.shape[0]:
            for other in range(first[node], last[node]):
                if component[other] != own:
                    length = reach(points, core, row, other)
                    if length < bound:
                        bound = length
                        nearest = other
            if bound <= core[row]:
                break
            continue
        left = max(gap_to_box(points, row, low, high, child), least_core[child])
        right = max(gap_to_box(points, row, low, high, child + 1), least_core[child + 1])
        near = 0 if left <= right else 1
        stack[depth] = child + 1 - near
        gaps[depth] = max(left, right)
        stack[depth + 1] = child + near
        gaps[depth + 1] = min(left, right)
        depth += 2
    return nearest, bound


@njit(nogil=True, cache=True)
def shortest_exits(  # type: ignore[no-untyped-def]
    rows, points, core, component, tree, whole, least_core, known, known_length, best, best_row
):
    """Find the shortest edge that leaves each component from the given ``rows``.

    ``known`` and ``known_length`` (n,) keep each row's nearest row outside, or a length
    below which there is none, from one round to the next. ``best`` (components,) and
    ``best_row`` hold the shortest edges of these rows alone.
    """
    stack = np.empty(128, dtype=np.int64)
    gaps = np.empty(128)
    for row in range(rows[0], rows[1]):
        own = component[row]
        if known[row] >= 0 and component[known[row]] != own and known_length[row] < best[own]:
            best[own] = known_length[row]
            best_row[own] = row
    for row in range(rows[0], rows[1]):
        own = component[row]
        if known_length[row] >= best[own] or core[row] >= best[own]:
            continue
        nearest, length = nearest_outside(
            points, core, component, tree, whole, least_core, row, best[own], stack, gaps
        )
        known[row] = nearest
        known_length[row] = length
        if nearest >= 0:
            best[own] = length
            best_row[own] = row


@njit(nogil=True, cache=True)
def join_sets(parents, edges):  # type: ignore[no-untyped-def]
    """Join the sets at the ends of each edge; returns which edges joined two."""
    kept = np.zeros(edges.shape[0], dtype=np.bool_)
    for edge in range(edges.shape[0]):
        first = find_root(parents, edges[edge, 0])
        other = find_root(parents, edges[edge, 1])
        if first != other:
            kept[edge] = True
            parents[max(first, other)] = min(first, other)
    return kept


@njit(nogil=True, cache=True)
def flat_components(parents, component):  # type: ignore[no-untyped-def]
    """Write each row's set, numbered by first rows, and return how many there are."""
    count = 0
    for row in range(parents.shape[0]):
        root = find_root(parents, row)
        if root == row:
            component[row] = count
            count += 1
        else:
            component[row] = component[root]
    return count


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
