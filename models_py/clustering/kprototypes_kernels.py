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
def move_row(  # type: ignore[no-untyped-def]
    numeric, categorical, row, source, target, sums, sizes, counts, centers, modes
):
    """Move one row between clusters; a mode gives way only to a level that is more frequent."""
    sizes[source] -= 1
    sizes[target] += 1
    for column in range(centers.shape[1]):
        value = numeric[row, column]
        sums[source, column] -= value
        sums[target, column] += value
        centers[target, column] = sums[target, column] / sizes[target]
        centers[source, column] = sums[source, column] / sizes[source]
    for column in range(modes.shape[1]):
        level = categorical[row, column]
        counts[source, column, level] -= 1
        counts[target, column, level] += 1
        if counts[target, column, level] > counts[target, column, modes[target, column]]:
            modes[target, column] = level
        if modes[source, column] == level:
            # The first of the most frequent levels: the lowest code.
            modes[source, column] = np.argmax(counts[source, column])


@njit(nogil=True, cache=True)
def move_in_turn(  # type: ignore[no-untyped-def]
    numeric, categorical, gamma, labels, sums, sizes, counts, centers, modes
):
    """Visit every row once and move it at once where another cluster is cheaper.

    Prototypes follow each move (Huang 1998). The last row of a cluster stays: it costs
    nothing there. Returns the number of moves.
    """
    moves = 0
    for row in range(labels.shape[0]):
        source = labels[row]
        if sizes[source] == 1:
            continue
        target, _ = nearest_prototype(numeric, categorical, row, centers, modes, gamma)
        if target != source:
            moves += 1
            labels[row] = target
            move_row(numeric, categorical, row, source, target, sums, sizes, counts, centers, modes)
    return moves
