"""Compiled passes of k-means; imported only where a k-means is run.

Every kernel works on a block of rows, lets go of the interpreter lock, and adds to sums
that belong to the block alone, so that threads change nothing in the result.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def squared_distance(points, row, centers, center):  # type: ignore[no-untyped-def]
    """Return the squared Euclidean distance of one row to one center."""
    total = 0.0
    for column in range(points.shape[1]):
        gap = points[row, column] - centers[center, column]
        total += gap * gap
    return total


@njit(nogil=True, cache=True)
def assign_all(points, centers, labels, upper, lower, sums, counts):  # type: ignore[no-untyped-def]
    """Assign every row to its nearest center, with the bounds that later passes use.

    ``upper`` becomes the distance to the own center, ``lower`` that to the second nearest;
    ``sums`` (k, p) and ``counts`` (k,) gain the rows of this block. Returns the inertia.
    """
    inertia = 0.0
    for row in range(points.shape[0]):
        best = 0
        nearest = np.inf
        second = np.inf
        for center in range(centers.shape[0]):
            distance = squared_distance(points, row, centers, center)
            if distance < nearest:
                second = nearest
                nearest = distance
                best = center
            elif distance < second:
                second = distance
        labels[row] = best
        upper[row] = np.sqrt(nearest)
        lower[row] = np.sqrt(second)
        inertia += nearest
        counts[best] += 1
        for column in range(points.shape[1]):
            sums[best, column] += points[row, column]
    return inertia


@njit(nogil=True, cache=True)
def assign_moved(  # type: ignore[no-untyped-def]
    points, centers, half_gaps, drifts, labels, upper, lower, sums, counts
):
    """Reassign the rows whose bounds no longer prove their center nearest (Hamerly 2010).

    ``half_gaps`` (k,) is half the distance from a center to its nearest other one,
    ``drifts`` (k,) how far each center moved since the pass before. ``sums`` and
    ``counts`` gain the differences made by rows that move. Returns how many did.
    """
    furthest = np.argmax(drifts)
    first_drift = drifts[furthest]
    second_drift = 0.0
    for center in range(drifts.shape[0]):
        if center != furthest and drifts[center] > second_drift:
            second_drift = drifts[center]
    moved = 0
    for row in range(points.shape[0]):
        own = labels[row]
        upper[row] += drifts[own]
        lower[row] -= second_drift if own == furthest else first_drift
        bound = max(half_gaps[own], lower[row])
        if upper[row] <= bound:
            continue
        upper[row] = np.sqrt(squared_distance(points, row, centers, own))
        if upper[row] <= bound:
            continue
        best = own
        nearest = upper[row] * upper[row]
        second = np.inf
        for center in range(centers.shape[0]):
            if center == own:
                continue
            distance = squared_distance(points, row, centers, center)
            if distance < nearest:
                second = nearest
                nearest = distance
                best = center
            elif distance < second:
                second = distance
        lower[row] = np.sqrt(second)
        if best != own:
            upper[row] = np.sqrt(nearest)
            labels[row] = best
            moved += 1
            counts[own] -= 1
            counts[best] += 1
            for column in range(points.shape[1]):
                sums[own, column] -= points[row, column]
                sums[best, column] += points[row, column]
    return moved


@njit(nogil=True, cache=True)
def spread_start(points, centers, known, uniforms):  # type: ignore[no-untyped-def]
    """Fill ``centers[known:]`` by greedy k-means++ (Arthur and Vassilvitskii 2007).

    Each new center is the best of several rows drawn with probability proportional to the
    squared distance to the centers so far. ``uniforms`` (k, trials) are draws from [0, 1).
    Returns the number of centers found, less than k where all rows coincide with one.
    """
    rows = points.shape[0]
    k = centers.shape[0]
    trials = uniforms.shape[1]
    gaps = np.full(rows, np.inf)
    if known == 0:
        centers[0] = points[min(int(uniforms[0, 0] * rows), rows - 1)]
        known = 1
    total = 0.0
    for row in range(rows):
        for center in range(known):
            gaps[row] = min(gaps[row], squared_distance(points, row, centers, center))
        total += gaps[row]
    drawn = np.empty(trials, dtype=np.int64)
    sorted_uniforms = np.empty(trials)
    for step in range(known, k):
        if total <= 0.0:
            return step
        sorted_uniforms[:] = np.sort(uniforms[step]) * total
        draw = 0
        running = 0.0
        last = 0
        for row in range(rows):
            if gaps[row] > 0.0:
                running += gaps[row]
                last = row
                while draw < trials and sorted_uniforms[draw] < running:
                    drawn[draw] = row
                    draw += 1
        drawn[draw:] = last
        best_trial = 0
        best_total = np.inf
        for trial in range(trials):
            trial_total = 0.0
            for row in range(rows):
                trial_total += min(gaps[row], squared_distance(points, row, points, drawn[trial]))
            if trial_total < best_total:
                best_total = trial_total
                best_trial = trial
        centers[step] = points[drawn[best_trial]]
        total = 0.0
        for row in range(rows):
            gaps[row] = min(gaps[row], squared_distance(points, row, centers, step))
            total += gaps[row]
    return k


@njit(nogil=True, cache=True)
def nearest_centers(points, centers, labels, distances):  # type: ignore[no-untyped-def]
    """Write the nearest center of every row and the distance to it."""
    for row in range(points.shape[0]):
        best = 0
        nearest = np.inf
        for center in range(centers.shape[0]):
            distance = squared_distance(points, row, centers, center)
            if distance < nearest:
                nearest = distance
                best = center
        labels[row] = best
        distances[row] = np.sqrt(nearest)
