"""Compiled passes of k-means; imported only where a k-means is run.

Every kernel works on a block of rows, lets go of the interpreter lock, and adds to sums
that belong to the block alone, so that threads change nothing in the result.
"""

from __future__ import annotations

import numpy as np
from numba import njit

REORDERED = {"reassoc", "contract"}
"""Sums may be added in any order, which lets them run in vectors."""


@njit(nogil=True, cache=True, fastmath=REORDERED)
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
def move_centers(centers, sums, counts, drifts):  # type: ignore[no-untyped-def]
    """Put centers on the means of their rows; returns the squared movement of all.

    A cluster without rows makes it return -1, with the centers half moved.
    """
    movement = 0.0
    for center in range(centers.shape[0]):
        if counts[center] == 0:
            return -1.0
        total = 0.0
        for column in range(centers.shape[1]):
            mean = sums[center, column] / counts[center]
            gap = mean - centers[center, column]
            centers[center, column] = mean
            total += gap * gap
        drifts[center] = np.sqrt(total)
        movement += total
    return movement


@njit(nogil=True, cache=True)
def halve_gaps(centers, half_gaps):  # type: ignore[no-untyped-def]
    """Write half the distance from each center to its nearest other one."""
    for center in range(centers.shape[0]):
        nearest = np.inf
        for other in range(centers.shape[0]):
            if other != center:
                nearest = min(nearest, squared_distance(centers, center, centers, other))
        half_gaps[center] = np.sqrt(nearest) / 2.0


@njit(nogil=True, cache=True)
def rest_in_one_block(  # type: ignore[no-untyped-def]
    points, centers, max_iter, stop, labels, upper, lower, sums, counts
):
    """Run Lloyd's algorithm to its end on one thread, as `lloyd` does on several.

    Returns the inertia, or -1 when a cluster lost all its rows.
    """
    drifts = np.empty(centers.shape[0])
    half_gaps = np.empty(centers.shape[0])
    assign_all(points, centers, labels, upper, lower, sums, counts)
    for _ in range(max_iter):
        movement = move_centers(centers, sums, counts, drifts)
        if movement < 0.0:
            return -1.0
        if movement <= stop:
            break
        halve_gaps(centers, half_gaps)
        moved = assign_moved(points, centers, half_gaps, drifts, labels, upper, lower, sums, counts)
        if moved == 0:
            break
    return assign_all(points, centers, labels, upper, lower, sums, counts)


@njit(nogil=True, cache=True, fastmath=REORDERED)
def close_in(points, gaps, at, row):  # type: ignore[no-untyped-def]
    """Lower squared distances ``gaps`` to those of one row of ``at``; returns their sum."""
    total = 0.0
    for index in range(points.shape[0]):
        gaps[index] = min(gaps[index], squared_distance(points, index, at, row))
        total += gaps[index]
    return total


@njit(nogil=True, cache=True)
def draw_far(gaps, total, shares, drawn):  # type: ignore[no-untyped-def]
    """Draw rows with probability proportional to ``gaps``; ``shares`` rise from 0 to 1."""
    running = 0.0
    last = 0
    draw = 0
    for row in range(gaps.shape[0]):
        if gaps[row] > 0.0:
            running += gaps[row]
            last = row
            while draw < shares.shape[0] and shares[draw] * total < running:
                drawn[draw] = row
                draw += 1
    while draw < shares.shape[0]:
        drawn[draw] = last
        draw += 1


@njit(nogil=True, cache=True, fastmath=REORDERED)
def best_of_drawn(points, gaps, drawn):  # type: ignore[no-untyped-def]
    """Return which of the drawn rows, as a center, would lower the sum of gaps the most."""
    best = 0
    lowest = np.inf
    for trial in range(drawn.shape[0]):
        total = 0.0
        for row in range(points.shape[0]):
            total += min(gaps[row], squared_distance(points, row, points, drawn[trial]))
        if total < lowest:
            lowest = total
            best = drawn[trial]
    return best


@njit(nogil=True, cache=True)
def spread_start(points, centers, known, shares):  # type: ignore[no-untyped-def]
    """Fill ``centers[known:]`` by greedy k-means++ (Arthur and Vassilvitskii 2007).

    Each new center is the best of several rows drawn with probability proportional to the
    squared distance to the centers so far. ``shares`` (k, trials) are draws from [0, 1),
    rising in each row. Returns the number of centers found, less than k where all rows
    coincide with one.
    """
    rows, columns = points.shape
    gaps = np.full(rows, np.inf)
    drawn = np.empty(shares.shape[1], dtype=np.int64)
    total = np.inf
    for center in range(known):
        total = close_in(points, gaps, centers, center)
    for center in range(known, centers.shape[0]):
        if total <= 0.0:
            return center
        row = min(int(shares[0, 0] * rows), rows - 1)
        if center > 0:
            draw_far(gaps, total, shares[center], drawn)
            row = best_of_drawn(points, gaps, drawn)
        for column in range(columns):
            centers[center, column] = points[row, column]
        total = close_in(points, gaps, centers, center)
    return centers.shape[0]


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
