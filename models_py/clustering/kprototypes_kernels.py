"""Compiled passes of k-prototypes; imported only where it is run.

A cost is the squared Euclidean distance over numeric columns plus gamma for each
categorical column that differs from the mode.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def row_cost(numeric, categorical, row, centers, modes, cluster, gamma):  # type: ignore[no-untyped-def]
    """Return the cost of one row in one cluster."""
    total = 0.0
    for column in range(numeric.shape[1]):
        gap = numeric[row, column] - centers[cluster, column]
        total += gap * gap
    differing = 0
    for column in range(categorical.shape[1]):
        if categorical[row, column] != modes[cluster, column]:
            differing += 1
    return total + gamma * differing


@njit(nogil=True, cache=True)
def nearest_prototype(numeric, categorical, row, centers, modes, gamma):  # type: ignore[no-untyped-def]
    """Return the cheapest cluster of one row and its cost; the first among equals."""
    best = 0
    lowest = np.inf
    for cluster in range(centers.shape[0]):
        cost = row_cost(numeric, categorical, row, centers, modes, cluster, gamma)
        if cost < lowest:
            lowest = cost
            best = cluster
    return best, lowest


@njit(nogil=True, cache=True)
def assign_prototypes(numeric, categorical, centers, modes, gamma, labels):  # type: ignore[no-untyped-def]
    """Write the cheapest cluster of every row and return the total cost."""
    total = 0.0
    for row in range(labels.shape[0]):
        best, cost = nearest_prototype(numeric, categorical, row, centers, modes, gamma)
        labels[row] = best
        total += cost
    return total


@njit(nogil=True, cache=True)
def tally(numeric, categorical, labels, sums, sizes, counts):  # type: ignore[no-untyped-def]
    """Add every row to the sums (k, p), sizes (k,) and counts (k, q, levels) of its cluster."""
    for row in range(labels.shape[0]):
        cluster = labels[row]
        sizes[cluster] += 1
        for column in range(numeric.shape[1]):
            sums[cluster, column] += numeric[row, column]
        for column in range(categorical.shape[1]):
            counts[cluster, column, categorical[row, column]] += 1


@njit(nogil=True, cache=True)
def refresh(cluster, sums, sizes, counts, centers, modes):  # type: ignore[no-untyped-def]
    """Set a cluster's means and modes from its tallies; the lowest code among equal modes."""
    for column in range(centers.shape[1]):
        centers[cluster, column] = sums[cluster, column] / sizes[cluster]
    for column in range(modes.shape[1]):
        modes[cluster, column] = np.argmax(counts[cluster, column])


@njit(nogil=True, cache=True)
def move_row(  # type: ignore[no-untyped-def]
    numeric, categorical, row, source, target, labels, sums, sizes, counts, centers, modes
):
    """Move one row between clusters; a mode gives way only to a level that is more frequent."""
    labels[row] = target
    sizes[source] -= 1
    sizes[target] += 1
    for column in range(centers.shape[1]):
        value = numeric[row, column]
        sums[source, column] -= value
        sums[target, column] += value
        centers[target, column] = sums[target, column] / sizes[target]
        if sizes[source] > 0:
            centers[source, column] = sums[source, column] / sizes[source]
    for column in range(modes.shape[1]):
        level = categorical[row, column]
        counts[source, column, level] -= 1
        counts[target, column, level] += 1
        if counts[target, column, level] > counts[target, column, modes[target, column]]:
            modes[target, column] = level
        if modes[source, column] == level:
            modes[source, column] = np.argmax(counts[source, column])


@njit(nogil=True, cache=True)
def costliest_row(numeric, categorical, centers, modes, gamma, labels, sizes):  # type: ignore[no-untyped-def]
    """Return the row furthest from its prototype among clusters of two rows and more."""
    worst = -1
    highest = -1.0
    for row in range(labels.shape[0]):
        cluster = labels[row]
        if sizes[cluster] > 1:
            cost = row_cost(numeric, categorical, row, centers, modes, cluster, gamma)
            if cost > highest:
                highest = cost
                worst = row
    return worst


@njit(nogil=True, cache=True)
def move_in_turn(  # type: ignore[no-untyped-def]
    numeric, categorical, gamma, labels, sums, sizes, counts, centers, modes
):
    """Visit every row once and move it at once where another cluster is cheaper.

    Prototypes follow each move (Huang 1998). A cluster that loses its last row gets the
    row that is furthest from its own prototype. Returns the number of moves.
    """
    moves = 0
    for row in range(labels.shape[0]):
        source = labels[row]
        target, _ = nearest_prototype(numeric, categorical, row, centers, modes, gamma)
        if target == source:
            continue
        moves += 1
        move_row(
            numeric, categorical, row, source, target, labels, sums, sizes, counts, centers, modes
        )
        if sizes[source] == 0:
            far = costliest_row(numeric, categorical, centers, modes, gamma, labels, sizes)
            move_row(
                numeric,
                categorical,
                far,
                labels[far],
                source,
                labels,
                sums,
                sizes,
                counts,
                centers,
                modes,
            )
            refresh(source, sums, sizes, counts, centers, modes)
    return moves


@njit(nogil=True, cache=True)
def run_to_rest(numeric, categorical, gamma, centers, modes, labels, max_iter, levels):  # type: ignore[no-untyped-def]
    """Run k-prototypes from given prototypes, which are changed in place.

    The result is the state of the cheapest pass seen. Returns its cost and the passes.
    """
    k, columns = centers.shape
    sums = np.zeros((k, columns))
    sizes = np.zeros(k, dtype=np.int64)
    counts = np.zeros((k, modes.shape[1], levels), dtype=np.int64)
    assign_prototypes(numeric, categorical, centers, modes, gamma, labels)
    tally(numeric, categorical, labels, sums, sizes, counts)
    for cluster in range(k):
        if sizes[cluster] == 0:
            far = costliest_row(numeric, categorical, centers, modes, gamma, labels, sizes)
            move_row(
                numeric,
                categorical,
                far,
                labels[far],
                cluster,
                labels,
                sums,
                sizes,
                counts,
                centers,
                modes,
            )
        refresh(cluster, sums, sizes, counts, centers, modes)
    found = np.empty_like(labels)
    lowest = assign_prototypes(numeric, categorical, centers, modes, gamma, found)
    best_centers = centers.copy()
    best_modes = modes.copy()
    passes = 0
    worse = 0
    while passes < max_iter and worse < 3:
        passes += 1
        moves = move_in_turn(
            numeric, categorical, gamma, labels, sums, sizes, counts, centers, modes
        )
        cost = assign_prototypes(numeric, categorical, centers, modes, gamma, found)
        if cost < lowest:
            lowest = cost
            best_centers[:] = centers
            best_modes[:] = modes
            worse = 0
        else:
            worse += 1
        if moves == 0:
            break
    centers[:] = best_centers
    modes[:] = best_modes
    assign_prototypes(numeric, categorical, centers, modes, gamma, labels)
    return lowest, passes
