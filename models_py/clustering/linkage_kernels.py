"""Compiled kernels of agglomerative clustering: merging rounds, chains and the cut of a tree."""

from __future__ import annotations

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.threads import compiled
from models_py.clustering.distances import TILE, load_tile, tile_squares

WARD, AVERAGE, MEAN_SQUARE, COMPLETE, SINGLE = 0, 1, 2, 3, 4

_LOOSE = 1.0 + 1e-9  # a bound may be off by rounding


@compiled
def _tie_rank(first: int, second: int) -> int:
    """Pseudo-random rank of a pair, so that many equal distances still give many mutual pairs."""
    low, high = np.uint64(min(first, second)), np.uint64(max(first, second))
    mixed = (low * np.uint64(0x9E3779B97F4A7C15)) ^ (high * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return int((mixed ^ (mixed >> np.uint64(32))) >> np.uint64(1))


@compiled
def _linkage(
    code: int,
    i: int,
    j: int,
    centroids: FloatArray,
    weights: FloatArray,
    spreads: FloatArray,
    members: FloatArray,
    member_weights: FloatArray,
    starts: IntArray,
) -> float:
    """Linkage of two clusters: Ward's squared height, average distance, or the largest square."""
    if code in (WARD, MEAN_SQUARE):
        square = 0.0
        for feature in range(centroids.shape[1]):
            apart = centroids[i, feature] - centroids[j, feature]
            square += apart * apart
        if code == WARD:
            return float(square * (2.0 * weights[i] * weights[j] / (weights[i] + weights[j])))
        return float(square + (spreads[i] + spreads[j]))
    low, high = min(i, j), max(i, j)  # one order of summing: both sides see the same bits
    total = 0.0
    for a in range(starts[low], starts[low + 1]):
        for b in range(starts[high], starts[high + 1]):
            square = 0.0
            for feature in range(members.shape[1]):
                apart = members[a, feature] - members[b, feature]
                square += apart * apart
            if code == COMPLETE:
                total = max(total, square)
            else:
                total += member_weights[a] * member_weights[b] * np.sqrt(square)
    return total if code == COMPLETE else total / (weights[i] * weights[j])


@compiled
def _insert(
    i: int, j: int, value: float, row: IntArray, listed: IntArray, listed_values: FloatArray
) -> None:
    """Put cluster j into the list of cluster i, unless it is there or too far."""
    place = len(listed)
    for k in range(len(listed) - 1, -1, -1):
        if listed[k] == j:
            return
        if value < listed_values[k] or (
            value == listed_values[k]
            and _tie_rank(row[i], row[j]) < _tie_rank(row[i], row[listed[k]])
        ):
            place = k
    for k in range(len(listed) - 1, place, -1):
        listed[k], listed_values[k] = listed[k - 1], listed_values[k - 1]
    if place < len(listed):
        listed[place], listed_values[place] = j, value


@compiled
def recall_lists(
    code: int,
    wanted: IntArray,
    other_part: IntArray,
    target: IntArray,
    old_near: IntArray,
    old_horizon: FloatArray,
    row: IntArray,
    centroids: FloatArray,
    weights: FloatArray,
    spreads: FloatArray,
    members: FloatArray,
    member_weights: FloatArray,
    starts: IntArray,
    near: IntArray,
    near_values: FloatArray,
    horizon: FloatArray,
) -> None:
    """Value the clusters listed for the parts of each wanted one anew.

    ``wanted`` and ``other_part`` are old indices, ``old_near`` holds new ones already.
    """
    length = near.shape[1]
    for part in wanted:
        i, other = target[part], other_part[part]
        within = min(old_horizon[part], old_horizon[other])
        for k in range(length):
            near[i, k], near_values[i, k] = -1, np.inf
        for side in range(1 if other == part else 2):
            for k in range(length):
                j = old_near[part if side == 0 else other, k]
                if j < 0 or j == i:
                    continue
                value = _linkage(
                    code, i, j, centroids, weights, spreads, members, member_weights, starts
                )
                _insert(i, j, value, row, near[i], near_values[i])
        known = near_values[i, 0] <= within
        horizon[i] = min(within, near_values[i, length - 1]) if known else -1.0


@compiled
def search_nearest(
    code: int,
    wanted: IntArray,
    bound_weights: FloatArray,
    bound_spreads: FloatArray,
    row: IntArray,
    centroids: FloatArray,
    weights: FloatArray,
    spreads: FloatArray,
    members: FloatArray,
    member_weights: FloatArray,
    starts: IntArray,
    near: IntArray,
    near_values: FloatArray,
) -> int:
    """Complete the lists of the wanted clusters, which may hold some clusters already.

    Returns the point pairs visited.

    The squared distance of centroids times the smaller weight, plus the spreads, bounds every
    linkage (squared, for the average) from below.
    """
    m, features = centroids.shape
    last, visited = near.shape[1] - 1, 0
    tile, bound = np.zeros((features, TILE)), np.empty(TILE)
    weight, spread, limit = np.ones(TILE), np.zeros(TILE), np.empty(TILE)
    for start in range(0, len(wanted), TILE):
        filled = min(TILE, len(wanted) - start)
        for t in range(TILE):
            i = wanted[min(start + t, len(wanted) - 1)]
            weight[t], spread[t] = bound_weights[i], bound_spreads[i]
            limit[t] = _limit(code, near_values[i, last]) if t < filled else -1.0
            for feature in range(features):
                tile[feature, t] = centroids[i, feature]
        for j in range(m):
            tile_squares(tile, centroids[j], bound)
            hits = 0
            for t in range(TILE):
                smaller = min(weight[t], bound_weights[j])
                bound[t] = bound[t] * smaller + (spread[t] + bound_spreads[j])
                hits += bound[t] <= limit[t]
            if hits == 0:
                continue
            for t in range(filled):
                i = wanted[start + t]
                if bound[t] > limit[t] or i == j:
                    continue
                value = _linkage(
                    code, i, j, centroids, weights, spreads, members, member_weights, starts
                )
                visited += (starts[i + 1] - starts[i]) * (starts[j + 1] - starts[j])
                if value <= near_values[i, last]:
                    _insert(i, j, value, row, near[i], near_values[i])
                    limit[t] = _limit(code, near_values[i, last])
    return visited


@compiled
def _limit(code: int, value: float) -> float:
    """Largest bound that a linkage of this value can have, with room for rounding."""
    return _LOOSE * (value * value if code == AVERAGE else value)


@compiled
def _add_linkages(code: int, squares: FloatArray, weight: float, sums: FloatArray) -> None:
    """Add one point's linkage to each of a tile of points (or keep the largest)."""
    if code == COMPLETE:
        for t in range(TILE):
            sums[t] = squares[t] if squares[t] > sums[t] else sums[t]
    elif code == AVERAGE:
        for t in range(TILE):
            sums[t] += weight * np.sqrt(squares[t])
    else:
        for t in range(TILE):
            sums[t] += weight * squares[t]


@compiled
def sum_linkages(
    code: int,
    first: int,
    last: int,
    members: FloatArray,
    member_weights: FloatArray,
    starts: IntArray,
    out: FloatArray,
) -> None:
    """Add up (or keep the largest of) the point pairs of clusters first..last and later ones."""
    m, features = len(starts) - 1, members.shape[1]
    tile, squares, sums = np.zeros((features, TILE)), np.empty(TILE), np.empty(TILE)
    owner, scale = np.empty(TILE, dtype=np.int64), np.ones(TILE)
    cluster = first
    for start in range(starts[first], starts[last], TILE):
        filled = min(TILE, starts[last] - start)
        load_tile(members, start, tile)
        for t in range(filled):
            while starts[cluster + 1] <= start + t:
                cluster += 1
            owner[t], scale[t] = cluster - first, member_weights[start + t]
        for other in range(first, m):
            for t in range(TILE):
                sums[t] = 0.0
            for point in range(starts[other], starts[other + 1]):
                tile_squares(tile, members[point], squares)
                _add_linkages(code, squares, member_weights[point], sums)
            total = 0.0
            for t in range(filled):  # a run of points of one cluster is one entry
                total = max(total, sums[t]) if code == COMPLETE else total + scale[t] * sums[t]
                if t == filled - 1 or owner[t + 1] != owner[t]:
                    sofar = out[owner[t], other - first]
                    total = max(total, sofar) if code == COMPLETE else total + sofar
                    out[owner[t], other - first] = total
                    total = 0.0


@compiled
def _smallest(values: FloatArray, penalty: FloatArray, scratch: FloatArray) -> int:
    """First index of the smallest ``values + penalty``."""
    for t in range(TILE):
        scratch[t] = np.inf
    whole = len(values) - len(values) % TILE
    for start in range(0, whole, TILE):
        for t in range(TILE):
            value = values[start + t] + penalty[start + t]
            scratch[t] = value if value < scratch[t] else scratch[t]
    smallest = np.inf
    for t in range(TILE):
        smallest = min(smallest, scratch[t])
    for i in range(whole, len(values)):
        smallest = min(smallest, values[i] + penalty[i])
    for i in range(len(values)):
        if values[i] + penalty[i] == smallest:
            return i
    return -1


@compiled
def chain_matrix(
    code: int,
    matrix: FloatArray,
    weights: FloatArray,
    formed: FloatArray,
    pairs: IntArray,
    values: FloatArray,
) -> None:
    """Nearest-neighbour chain on a full symmetric matrix (diagonal infinite), overwritten."""
    m = len(matrix)
    dead, scratch = np.zeros(m), np.empty(TILE)
    chain = np.empty(m, dtype=np.int64)
    length, first_alive, done = 0, 0, 0
    while done < m - 1:
        if length == 0:
            while dead[first_alive] != 0.0:
                first_alive += 1
            chain[0], length = first_alive, 1
        x = chain[length - 1]
        y = _smallest(matrix[x], dead, scratch)
        if length < 2 or matrix[x, y] < matrix[x, chain[length - 2]]:
            chain[length], length = y, length + 1
            continue
        y = chain[length - 2]
        length -= 2
        a, b = min(x, y), max(x, y)
        formed[a] = max(matrix[a, b], formed[a], formed[b])  # not below its parts by rounding
        pairs[done, 0], pairs[done, 1], values[done] = a, b, formed[a]
        done += 1
        share = weights[b] / (weights[a] + weights[b])
        weights[a] += weights[b]
        dead[b] = np.inf
        for i in range(m):
            if dead[i] != 0.0 or i == a:
                continue
            to_a, to_b = matrix[a, i], matrix[b, i]
            if code == COMPLETE:
                value = max(to_a, to_b)
            elif code == SINGLE:
                value = min(to_a, to_b)
            else:
                value = to_a + share * (to_b - to_a)
            matrix[a, i] = value
            matrix[i, a] = value


@compiled
def _nearest_centroid(
    i: int, m: int, tiled: FloatArray, weights: FloatArray, squares: FloatArray, vector: FloatArray
) -> tuple[int, float]:
    """Nearest living cluster by Ward's squared height; ``tiled`` is (tiles, q, TILE)."""
    for feature in range(tiled.shape[1]):
        vector[feature] = tiled[i // TILE, feature, i % TILE]
    nearest, smallest = -1, np.inf
    for start in range(0, m, TILE):
        tile_squares(tiled[start // TILE], vector, squares)
        near = 0
        for t in range(TILE):
            squares[t] *= 2.0 * weights[i] * weights[start + t] / (weights[i] + weights[start + t])
            near += (squares[t] < smallest) & (weights[start + t] > 0.0)
        if near == 0:
            continue
        for t in range(TILE):
            if squares[t] < smallest and weights[start + t] > 0.0 and start + t != i:
                nearest, smallest = start + t, squares[t]
    return nearest, smallest


@compiled
def chain_centroids(
    m: int,
    tiled: FloatArray,
    weights: FloatArray,
    formed: FloatArray,
    pairs: IntArray,
    values: FloatArray,
) -> None:
    """Nearest-neighbour chain of Ward's method; a cluster of negative weight is gone."""
    squares, vector = np.empty(TILE), np.empty(tiled.shape[1])
    chain, heights = np.empty(m, dtype=np.int64), np.empty(m)
    length, first_alive, done = 0, 0, 0
    while done < m - 1:
        if length == 0:
            while weights[first_alive] < 0.0:
                first_alive += 1
            chain[0], heights[0], length = first_alive, np.inf, 1
        x = chain[length - 1]
        y, value = _nearest_centroid(x, m, tiled, weights, squares, vector)
        if length < 2 or value < heights[length - 1]:
            chain[length], heights[length], length = y, value, length + 1
            continue
        y, value = chain[length - 2], heights[length - 1]
        length -= 2
        a, b = min(x, y), max(x, y)
        formed[a] = max(value, formed[a], formed[b])  # not below its parts by rounding
        pairs[done, 0], pairs[done, 1], values[done] = a, b, formed[a]
        done += 1
        share = weights[b] / (weights[a] + weights[b])
        weights[a] += weights[b]
        weights[b] = -1.0
        for feature in range(tiled.shape[1]):
            to_b = tiled[b // TILE, feature, b % TILE]
            to_a = tiled[a // TILE, feature, a % TILE]
            tiled[a // TILE, feature, a % TILE] = to_a + share * (to_b - to_a)


@compiled
def span(
    m: int,
    tiled: FloatArray,
    lengths: FloatArray,
    taken: FloatArray,
    nearest: IntArray,
    pairs: IntArray,
    values: FloatArray,
) -> None:
    """Prim's minimum spanning tree of the first m columns; squared lengths."""
    tiles, features, _ = tiled.shape
    squares, scratch, vector = np.empty(TILE), np.empty(TILE), np.empty(features)
    latest = 0
    for step in range(m - 1):
        taken[latest] = np.inf
        for feature in range(features):
            vector[feature] = tiled[latest // TILE, feature, latest % TILE]
        for tile in range(tiles):
            tile_squares(tiled[tile], vector, squares)
            start = tile * TILE
            for t in range(TILE):
                nearer = squares[t] < lengths[start + t]
                lengths[start + t] = squares[t] if nearer else lengths[start + t]
                nearest[start + t] = latest if nearer else nearest[start + t]
        latest = _smallest(lengths, taken, scratch)
        pairs[step, 0], pairs[step, 1] = nearest[latest], latest
        values[step] = lengths[latest]


@compiled
def name_clusters(left: IntArray, right: IntArray, tree: FloatArray) -> None:
    """Fill columns 0, 1 and 3 of a tree from merges of rows that ascend in height."""
    n = len(left) + 1
    parent = np.empty(2 * n - 1, dtype=np.int64)
    size = np.ones(2 * n - 1)
    for node in range(2 * n - 1):
        parent[node] = node
    for step in range(n - 1):
        a, b = left[step], right[step]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        tree[step, 0], tree[step, 1] = min(a, b), max(a, b)
        size[n + step] = size[a] + size[b]
        tree[step, 3] = size[n + step]
        parent[a] = parent[b] = n + step


@compiled
def cut_tree_kernel(children: IntArray, ks: IntArray, labels: IntArray) -> None:
    """Label the rows for each k: undo the k - 1 highest merges."""
    n = len(children) + 1
    top = np.empty(2 * n - 1, dtype=np.int64)
    number = np.empty(2 * n - 1, dtype=np.int64)
    for which in range(len(ks)):
        top[2 * n - 2] = 2 * n - 2
        for step in range(n - 2, -1, -1):
            undone = step >= n - ks[which]
            for side in range(2):
                child = children[step, side]
                top[child] = child if undone else top[n + step]
        for node in range(2 * n - 1):
            number[node] = -1
        count = 0
        for row in range(n):
            if number[top[row]] < 0:
                number[top[row]] = count
                count += 1
            labels[which, row] = number[top[row]]
