"""Compiled evidence for and against one clustering; imported only when evidence is weighed.

Rows are handed over with labels 0..k-1, every one of them in use.
"""

from __future__ import annotations

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.threads import compiled

WIDEST = 10.0
"""Ratios of distances are held within 1/10 .. 10 (inside segments from 1/2)."""


@compiled
def _root(parent: IntArray, a: int) -> int:
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@compiled
def rows_by_segment(labels: IntArray, k: int) -> tuple[IntArray, IntArray]:
    """Return the rows sorted by segment, and where each segment starts (k + 1,)."""
    starts = np.zeros(k + 1, dtype=np.int64)
    for c in labels:
        starts[c + 1] += 1
    for c in range(k):
        starts[c + 1] += starts[c]
    at = starts[:k].copy()
    order = np.zeros(labels.size, dtype=np.int64)
    for i in range(labels.size):
        order[at[labels[i]]] = i
        at[labels[i]] += 1
    return order, starts


@compiled
def _saddles(
    labels: IntArray, first: IntArray, second: IntArray, length: FloatArray, sizes: IntArray
) -> tuple[FloatArray, IntArray]:
    """Third shortest edge between each two segments (the shortest for small ones); edges' count.

    A single bridge of stray rows does not join two segments, three edges do.
    """
    k = sizes.size
    saddle = np.full((k, k), np.inf)
    count = np.zeros((k, k), dtype=np.int64)
    for e in range(first.size):
        a, b = labels[first[e]], labels[second[e]]
        if a == b:
            continue
        count[a, b] += 1
        count[b, a] = count[a, b]
        if count[a, b] <= (3 if min(sizes[a], sizes[b]) >= 20 else 1):
            saddle[a, b] = length[e]
            saddle[b, a] = length[e]
    return saddle, count


@compiled
def _inner_gaps(
    labels: IntArray, first: IntArray, second: IntArray, length: FloatArray, sizes: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the longest edge that holds a sizeable part of a segment, and the share cut off.

    Edges join rows of one segment from the shortest on; a part of 6% of the segment (four rows)
    or more counts. The share cut off is that of rows outside the segment's largest piece.
    """
    n, k = labels.size, sizes.size
    parent, rows = np.arange(n), np.ones(n, dtype=np.int64)
    widest, largest = np.zeros(k), np.zeros(k)
    for e in range(first.size):
        c = labels[first[e]]
        if c != labels[second[e]]:
            continue
        a, b = _root(parent, first[e]), _root(parent, second[e])
        if a == b:
            continue
        if min(rows[a], rows[b]) >= max(4.0, 0.06 * sizes[c]):
            widest[c] = max(widest[c], length[e])
        parent[a] = b
        rows[b] += rows[a]
    for i in range(n):
        if parent[i] == i:
            largest[labels[i]] = max(largest[labels[i]], float(rows[i]))
    return widest, 1.0 - largest / sizes


@compiled
def _usual_reach(labels: IntArray, by_reach: IntArray, reach: FloatArray, k: int) -> FloatArray:
    """Median core distance of each segment; `by_reach` lists the rows from the smallest on."""
    sizes, met = np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int64)
    for c in labels:
        sizes[c] += 1
    usual = np.zeros(k)
    for i in by_reach:
        c = labels[i]
        met[c] += 1
        if met[c] == (sizes[c] + 2) // 2:
            usual[c] += 0.5 * reach[i]
        if met[c] == (sizes[c] + 1) // 2:
            usual[c] += 0.5 * reach[i]
    return usual


@compiled
def density_gaps(
    labels: IntArray,
    sizes: IntArray,
    first: IntArray,
    second: IntArray,
    length: FloatArray,
    by_reach: IntArray,
    reach: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """Return log valley, log inner gap and share cut off of each segment, and crossing edges.

    The valley of a segment is its lowest saddle to a neighbour over the larger of the two
    segments' median core distances; the inner gap is the longest edge inside over its own.
    """
    k = sizes.size
    usual = _usual_reach(labels, by_reach, reach, k)
    saddle, count = _saddles(labels, first, second, length, sizes)
    widest, cut_off = _inner_gaps(labels, first, second, length, sizes)
    valley, gap = np.zeros(k), np.zeros(k)
    for c in range(k):
        lowest = WIDEST
        for b in range(k):
            if b != c and count[c, b] > 0:
                lowest = min(lowest, saddle[c, b] / max(usual[c], usual[b], 1e-300))
        valley[c] = np.log(max(lowest, 1.0 / WIDEST))
        inner = min(max(widest[c] / max(usual[c], 1e-300), 0.5), WIDEST)
        gap[c] = np.log(WIDEST if cut_off[c] > 0.06 else inner)
    return valley, gap, cut_off, count


@compiled
def neighbour_purity(labels: IntArray, neighbours: IntArray, sizes: IntArray) -> FloatArray:
    """Return the share of each segment's nearest neighbours that lie in it too."""
    inside = np.zeros(sizes.size)
    for i in range(labels.size):
        same = 0
        for j in neighbours[i]:
            if labels[j] == labels[i]:
                same += 1
        inside[labels[i]] += same / neighbours.shape[1]
    return inside / sizes


@compiled
def sampled_silhouette(labels: IntArray, distances: FloatArray, k: int) -> tuple[float, float]:
    """Return the mean silhouette of the sampled rows and that of the worst segment."""
    m = labels.size
    sizes, sums, totals = np.zeros(k), np.zeros(k), np.zeros((k, m))
    for j in range(m):
        sizes[labels[j]] += 1
        # Distances are symmetric: row j holds those of all rows to j, side by side.
        total, apart = totals[labels[j]], distances[j]
        for i in range(m):
            total[i] += apart[i]
    for i in range(m):
        own = labels[i]
        if sizes[own] < 2:
            continue
        within, nearest = totals[own, i] / (sizes[own] - 1), np.inf
        for c in range(k):
            if c != own and sizes[c] > 0:
                nearest = min(nearest, totals[c, i] / sizes[c])
        if nearest < np.inf and max(within, nearest) > 0.0:
            sums[own] += (nearest - within) / max(within, nearest)
    worst = 1.0
    for c in range(k):
        if sizes[c] > 0:
            worst = min(worst, sums[c] / sizes[c])
    return sums.sum() / m, worst


@compiled
def _moments(
    rows: FloatArray, begin: int, end: int, mean: FloatArray, covariance: FloatArray
) -> None:
    """Write mean and covariance of the rows begin..end-1."""
    q, many = rows.shape[1], end - begin
    mean[:] = 0.0
    covariance[:] = 0.0
    for i in range(begin, end):
        for j in range(q):
            mean[j] += rows[i, j]
    for j in range(q):
        mean[j] /= many
    for i in range(begin, end):
        for j in range(q):
            apart = rows[i, j] - mean[j]
            for h in range(j + 1):
                covariance[j, h] += apart * (rows[i, h] - mean[h])
    for j in range(q):
        for h in range(j + 1):
            covariance[j, h] /= many
            covariance[h, j] = covariance[j, h]


@compiled
def segment_moments(rows: FloatArray, starts: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return means (k, q) and covariances (k, q, q) of rows sorted by segment."""
    k, q = starts.size - 1, rows.shape[1]
    means, covariances = np.zeros((k, q)), np.zeros((k, q, q))
    for c in range(k):
        _moments(rows, starts[c], starts[c + 1], means[c], covariances[c])
    return means, covariances


@compiled
def _trace(matrix: FloatArray) -> float:
    total = 0.0
    for j in range(matrix.shape[0]):
        total += matrix[j, j]
    return total


@compiled
def _factor(matrix: FloatArray) -> None:
    """Cholesky factor of a positive definite matrix, written over its lower half."""
    for j in range(matrix.shape[0]):
        for h in range(j + 1):
            left = matrix[j, h]
            for t in range(h):
                left -= matrix[j, t] * matrix[h, t]
            if h < j:
                matrix[j, h] = left / matrix[h, h]
            else:
                matrix[j, j] = np.sqrt(max(left, 1e-300))


@compiled
def _solve(factor: FloatArray, vector: FloatArray) -> None:
    """Solve in place for a matrix given by its Cholesky factor."""
    q = vector.size
    for j in range(q):
        for t in range(j):
            vector[j] -= factor[j, t] * vector[t]
        vector[j] /= factor[j, j]
    for j in range(q - 1, -1, -1):
        for t in range(j + 1, q):
            vector[j] -= factor[t, j] * vector[t]
        vector[j] /= factor[j, j]


@compiled
def gaussian_evidence(
    covariances: FloatArray, sizes: IntArray, floor: float
) -> tuple[float, float, float]:
    """Return log-likelihoods a row of one Gaussian per segment, full and round, and inertia.

    Covariances of segments with few rows are drawn towards round ones, so that no segment of a
    handful of rows gets a likelihood without bound.
    """
    k, q = covariances.shape[0], covariances.shape[1]
    n = sizes.sum()
    full, spherical, inertia = 0.0, 0.0, 0.0
    column = np.zeros(q)
    for c in range(k):
        variance = _trace(covariances[c]) / q
        inertia += variance * q * sizes[c]
        shrink = 0.5 * min(1.0, (q + 1.0) / (sizes[c] + 1.0))
        factor = (1.0 - shrink) * covariances[c]
        for j in range(q):
            factor[j, j] += shrink * variance + floor
        _factor(factor)
        misfit, volume = 0.0, q * np.log(2.0 * np.pi)
        for j in range(q):
            volume += 2.0 * np.log(factor[j, j])
            column[:] = covariances[c, j]
            _solve(factor, column)
            misfit += column[j]
        chance = np.log(sizes[c] / n)
        full += sizes[c] * (chance - 0.5 * (volume + misfit))
        spread = np.log(2.0 * np.pi * (variance + floor)) + 1.0
        spherical += sizes[c] * (chance - 0.5 * q * spread)
    return full / n, spherical / n, inertia


@compiled
def _select(values: FloatArray, rank: int) -> float:
    """Value of the given rank, by Hoare's selection; reorders the values."""
    low, high = 0, values.size - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return float(values[rank])


@compiled
def _median(values: FloatArray) -> float:
    scratch = values.copy()
    upper = _select(scratch, scratch.size // 2)
    if scratch.size % 2:
        return upper
    return 0.5 * (upper + _select(scratch, scratch.size // 2 - 1))


@compiled
def _emptiness(along: FloatArray, split: int) -> float:
    """Rows at the emptiest place between two groups' medians over those at the lower median.

    0 for two groups with nothing between, about 1 and more for one group cut in two.
    """
    low, high = _median(along[:split]), _median(along[split:])
    if low > high:
        low, high = high, low
    apart = high - low
    if apart <= 0.0:
        return 3.0
    half = 0.12 * apart
    at_low, at_high = 0.0, 0.0
    between = np.zeros(9)
    for x in along:
        at_low += abs(x - low) < half
        at_high += abs(x - high) < half
        for t in range(9):
            between[t] += abs(x - (low + apart * (0.3 + 0.05 * t))) < half
    emptiest = between[0]
    for t in range(1, 9):
        emptiest = min(emptiest, between[t])
    return float(min(3.0, (emptiest + 0.5) / (min(at_low, at_high) + 0.5)))


@compiled
def _bridge(
    first: FloatArray, other: FloatArray, within: FloatArray, apart: FloatArray, floor: float
) -> float:
    """Return the emptiness between two groups along the direction that tells them apart best.

    `within` is their pooled covariance, `apart` the difference of their means; both are
    overwritten.
    """
    rows, q = first.shape[0] + other.shape[0], first.shape[1]
    round_share = min(1.0, q / rows) if rows < 5 * q else 0.0
    variance = _trace(within) / q
    for j in range(q):
        for h in range(q):
            within[j, h] *= 1.0 - round_share
        within[j, j] += (round_share + 1e-3) * variance + floor
    _factor(within)
    _solve(within, apart)
    along = np.zeros(rows)
    for i in range(rows):
        for j in range(q):
            value = first[i, j] if i < first.shape[0] else other[i - first.shape[0], j]
            along[i] += value * apart[j]
    return _emptiness(along, first.shape[0])


@compiled
def _likely_neighbours(c: int, means: FloatArray, count: IntArray) -> IntArray:
    """Return the two nearest means and the two segments with most crossing edges; -1 for none."""
    k = means.shape[0]
    chosen = np.full(4, -1)
    nearest = np.full(2, np.inf)
    for b in range(k):
        if b == c:
            continue
        apart = 0.0
        for j in range(means.shape[1]):
            apart += (means[c, j] - means[b, j]) ** 2
        if apart < nearest[0]:
            nearest[1], chosen[1] = nearest[0], chosen[0]
            nearest[0], chosen[0] = apart, b
        elif apart < nearest[1]:
            nearest[1], chosen[1] = apart, b
        if count[c, b] > 0 and (chosen[2] < 0 or count[c, b] > count[c, chosen[2]]):
            chosen[2], chosen[3] = b, chosen[2]
        elif count[c, b] > 0 and (chosen[3] < 0 or count[c, b] > count[c, chosen[3]]):
            chosen[3] = b
    return chosen


@compiled
def bridges(
    rows: FloatArray,
    starts: IntArray,
    means: FloatArray,
    covariances: FloatArray,
    count: IntArray,
    floor: float,
) -> FloatArray:
    """Return each segment's fullest bridge to a likely neighbour, 0 (apart) .. 3."""
    k = starts.size - 1
    fullest, known = np.zeros(k), np.full((k, k), -1.0)
    for c in range(k):
        first = rows[starts[c] : starts[c + 1]]
        for b in _likely_neighbours(c, means, count):
            if b < 0:
                continue
            if known[c, b] < 0.0:
                other = rows[starts[b] : starts[b + 1]]
                filled = 1.0
                if min(first.shape[0], other.shape[0]) >= 3:
                    within = covariances[c] * first.shape[0] + covariances[b] * other.shape[0]
                    within /= first.shape[0] + other.shape[0] - 1.0
                    filled = _bridge(first, other, within, means[b] - means[c], floor)
                known[c, b], known[b, c] = filled, filled
            fullest[c] = max(fullest[c], known[c, b])
    return fullest


@compiled
def _longest_axis(covariance: FloatArray) -> FloatArray:
    """First principal axis by a dozen power steps."""
    q = covariance.shape[0]
    axis, turned = np.ones(q), np.zeros(q)
    for _ in range(12):
        norm = 0.0
        for j in range(q):
            turned[j] = 1e-9 * axis[j]
            for h in range(q):
                turned[j] += covariance[j, h] * axis[h]
            norm += turned[j] ** 2
        if norm <= 0.0:
            break
        for j in range(q):
            axis[j] = turned[j] / np.sqrt(norm)
    return axis


@compiled
def _halves(rows: FloatArray, mean: FloatArray, covariance: FloatArray) -> BoolArray:
    """Two-means of one segment, started along its longest axis."""
    axis = _longest_axis(covariance)
    n, q = rows.shape
    upper = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        along = 0.0
        for j in range(q):
            along += (rows[i, j] - mean[j]) * axis[j]
        upper[i] = along > 0.0
    high, low = np.zeros(q), np.zeros(q)
    for _ in range(7):
        many = 0
        high[:], low[:] = 0.0, 0.0
        for i in range(n):
            many += upper[i]
            for j in range(q):
                if upper[i]:
                    high[j] += rows[i, j]
                else:
                    low[j] += rows[i, j]
        if many in (0, n):
            break
        low /= n - many
        high /= many
        changed = False
        for i in range(n):
            closer = 0.0
            for j in range(q):
                closer += (rows[i, j] - low[j]) ** 2
                closer -= (rows[i, j] - high[j]) ** 2
            if (closer > 0.0) != upper[i]:
                upper[i], changed = closer > 0.0, True
        if not changed:
            break
    return upper


@compiled
def inner_bridges(
    rows: FloatArray, starts: IntArray, means: FloatArray, covariances: FloatArray, floor: float
) -> FloatArray:
    """Return how filled each segment is between its own two halves: 0 (two groups) .. 3."""
    k, q = means.shape
    filled = np.ones(k)
    half_means, scatter = np.zeros((2, q)), np.zeros((2, q, q))
    for c in range(k):
        part = rows[starts[c] : starts[c + 1]]
        if part.shape[0] < 8:
            continue
        upper = _halves(part, means[c], covariances[c])
        split = part.shape[0] - upper.sum()
        if min(split, part.shape[0] - split) < 3:
            continue
        halved = np.zeros((part.shape[0], q))
        at = np.array([0, split])
        for i in range(part.shape[0]):
            side = 1 if upper[i] else 0
            halved[at[side]] = part[i]
            at[side] += 1
        _moments(halved, 0, split, half_means[0], scatter[0])
        _moments(halved, split, part.shape[0], half_means[1], scatter[1])
        within = scatter[0] * split + scatter[1] * (part.shape[0] - split)
        within /= part.shape[0] - 1.0
        apart = half_means[1] - half_means[0]
        filled[c] = _bridge(halved[:split], halved[split:], within, apart, floor)
    return filled


@compiled
def davies_bouldin(means: FloatArray, covariances: FloatArray) -> float:
    """Return the Davies-Bouldin index with root-mean-square spreads."""
    k = means.shape[0]
    spread = np.zeros(k)
    for c in range(k):
        spread[c] = np.sqrt(_trace(covariances[c]))
    total = 0.0
    for a in range(k):
        worst = 0.0
        for b in range(k):
            if a != b:
                apart = 1e-300
                for j in range(means.shape[1]):
                    apart += (means[a, j] - means[b, j]) ** 2
                worst = max(worst, (spread[a] + spread[b]) / np.sqrt(apart))
        total += min(worst, 20.0)
    return float(total / k)


@compiled
def _pairs_twice(counts: FloatArray) -> float:
    total = 0.0
    for size in counts:
        total += size * (size - 1.0)
    return total


@compiled
def adjusted_rand_rows(labelings: IntArray, counts: IntArray, row: int, out: FloatArray) -> None:
    """Write the adjusted Rand index of one labeling with each one before it."""
    n = labelings.shape[1]
    for other in range(row):
        many = counts[other]
        table = np.zeros(counts[row] * many)
        first, second = np.zeros(counts[row]), np.zeros(many)
        for i in range(n):
            a, b = labelings[row, i], labelings[other, i]
            table[a * many + b] += 1.0
            first[a] += 1.0
            second[b] += 1.0
        own_pairs, two = _pairs_twice(first), _pairs_twice(second)
        expected, highest = own_pairs * two / (n * (n - 1.0)), (own_pairs + two) / 2.0
        out[other] = 1.0
        if highest != expected:
            out[other] = (_pairs_twice(table) - expected) / (highest - expected)
