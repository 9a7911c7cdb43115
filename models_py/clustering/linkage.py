"""Agglomerative clustering trees: exact, on all cores, without the full distance matrix.

Ward, average and complete linkage are reducible: a merge never brings the merged cluster nearer
to a third one than its nearer part was. Two clusters that are each other's nearest therefore
merge in the final tree whatever happens elsewhere, so all such pairs merge at once, round after
round, and only clusters whose nearest neighbour merged look for a new one. The search for a
neighbour compares centroids first, which bounds each linkage from below, and looks at member
pairs only where the bound allows it.

Ward needs nothing but centroids and sizes: memory is linear in the rows. Average and complete
linkage stop the rounds when few enough clusters are left, compute the linkage between all of
these from the points once, and finish on that matrix (a sixteenth of the full square one, or
less) with the nearest-neighbour chain. Single linkage is a minimum spanning tree, linear in
memory too. Everything is float64.

References
----------
Bruynooghe (1978), Classification ascendante hierarchique des grands ensembles de donnees.
Muellner (2011), Modern hierarchical, agglomerative clustering algorithms, arXiv:1109.2378.
Sumengen et al. (2021), Scaling hierarchical agglomerative clustering to billion-sized datasets,
arXiv:2105.11653.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from models_py.errors import DataError, MemoryRefusedError, UsageError, near_match
from models_py.evaluation.distances import (
    TILE,
    across_threads,
    check_metric,
    compiled,
    measurable_rows,
    row_ranges,
    tile_squares,
)
from models_py.typing import BoolArray, FloatArray, IntArray

METHODS: tuple[str, ...] = ("ward", "average", "complete", "single")

_WARD, _AVERAGE, _MEAN_SQUARE, _COMPLETE, _SINGLE = 0, 1, 2, 3, 4

_MATRIX_SHARE = 0.25  # rounds go on until this share of the rows is left for the matrix
_STALLED_SHARE = 0.02  # a round that merges a smaller share of the clusters is the last
_CHAIN_SHARE = 0.05  # for Ward: below this share the chain is quicker than more rounds
_LOOSE = 1.0 + 1e-9  # a bound may be off by rounding
_PIECE = 2 * TILE  # clusters handed to a thread at a time


def linkage_tree(
    points: npt.ArrayLike | None,
    method: str = "ward",
    metric: str = "euclidean",
    distances: npt.ArrayLike | None = None,
) -> FloatArray:
    """Agglomerative tree of the rows, in scipy's form.

    Parameters
    ----------
    points
        Shape (n, p), finite, n >= 2. May be None where ``distances`` is given.
    method
        ``"ward"``, ``"average"``, ``"complete"`` or ``"single"``.
    metric
        ``"euclidean"`` or ``"cosine"``; Ward's method needs the Euclidean.
    distances
        Condensed distances (n (n - 1) / 2,) to use instead of the points, for distances of
        another kind; takes 8 n^2 bytes. Not for Ward's method.

    Returns
    -------
    FloatArray
        Shape (n - 1, 4): the two clusters merged, the height and the rows in the new cluster;
        heights ascend, and equal those of `scipy.cluster.hierarchy.linkage` up to rounding.
        Merges at equal heights may come in another order than scipy's.

    Raises
    ------
    UsageError
        The method or metric is unknown, or the two do not go together.
    DataError
        Fewer than two rows, or values that are not finite.
    MemoryRefusedError
        The matrix of the remaining clusters does not fit in the free memory.
    """
    if distances is not None:
        check_method(method, metric)
        return _tree_of_distances(np.asarray(distances, dtype=np.float64), method)
    if points is None:
        raise UsageError("linkage_tree needs points or distances, got neither")
    return linkage_trees(points, [method], metric)[method]


def linkage_trees(
    points: npt.ArrayLike, methods: Sequence[str], metric: str = "euclidean"
) -> dict[str, FloatArray]:
    """Trees of several methods over the same rows.

    Equal rows are merged, and the nearest neighbour of every row is found, once for all methods:
    single rows have the same neighbour whatever the linkage.

    Parameters
    ----------
    points
        Shape (n, p), finite, n >= 2.
    methods
        Names as in `linkage_tree`.
    metric
        ``"euclidean"`` or ``"cosine"``.

    Returns
    -------
    dict of str to FloatArray
        For each method its tree, see `linkage_tree`.

    Raises
    ------
    UsageError, DataError, MemoryRefusedError
        See `linkage_tree`.
    """
    for method in methods:
        check_method(method, metric)
    vectors = measurable_rows(points, metric)
    if len(vectors) < 2:
        raise DataError(f"a linkage tree needs at least two rows, got {len(vectors)}")
    start, equal_rows = _distinct_rows(vectors)
    if any(method != "single" for method in methods):
        start = _with_neighbours(start, _COMPLETE)
    trees = {}
    for method in methods:
        code = _code(method, metric)
        if method == "single":
            merges = [equal_rows, _spanning_merges(start)]
        else:
            merges = [equal_rows, *_agglomerate(_first_neighbours(start, code), code)]
        trees[method] = _labelled_tree(merges, code, metric)
    return trees


def check_method(method: str, metric: str = "euclidean") -> None:
    """Raise unless the linkage method is known and goes with the metric.

    Raises
    ------
    UsageError
        With the near match or the way out.
    """
    if method not in METHODS:
        allowed = ", ".join(METHODS)
        raise UsageError(f"linkage '{method}' is not one of {allowed}{near_match(method, METHODS)}")
    check_metric(metric)
    if method == "ward" and metric != "euclidean":
        raise UsageError(
            f"linkage 'ward' needs metric 'euclidean', got '{metric}'; "
            "use 'average' or 'complete' with it"
        )


def linkage_peak_bytes(n: int, p: int, method: str) -> int:
    """Memory that a tree of ``n`` rows of ``p`` features takes at most, on usual data, in bytes.

    Ward and single linkage are linear in the rows: points, centroids and bookkeeping. Average and
    complete linkage add the float64 matrix of a quarter of the rows. Data where the rounds stall
    (a few far rows at ever greater distances) may need more; it is then asked for, or refused,
    when that is known.

    Parameters
    ----------
    n
        Rows.
    p
        Features.
    method
        Linkage method.

    Returns
    -------
    int
        Bytes above what the interpreter itself takes.

    Raises
    ------
    UsageError
        The method is unknown.
    """
    check_method(method)
    linear = n * (8 * 8 * (p + 4) + 200)
    matrix = 0 if method in {"ward", "single"} else 8 * int(n * _MATRIX_SHARE) ** 2
    return linear + matrix


def cut_tree(tree: npt.ArrayLike, ks: Sequence[int]) -> IntArray:
    """Labels for each number of clusters.

    Parameters
    ----------
    tree
        Shape (n - 1, 4), as from `linkage_tree` or scipy.
    ks
        Numbers of clusters, each 1..n.

    Returns
    -------
    IntArray
        Shape (len(ks), n): clusters 0..k-1, numbered in the order of their first rows.

    Raises
    ------
    UsageError
        A number of clusters is below 1 or above the rows.
    """
    links = np.ascontiguousarray(tree, dtype=np.float64)
    n = len(links) + 1
    wanted = np.asarray(ks, dtype=np.int64).reshape(-1)
    for k in wanted:
        if not 1 <= k <= n:
            raise UsageError(f"k must lie between 1 and the {n} rows, got {k}")
    labels = np.empty((wanted.size, n), dtype=np.int64)
    _cut(links[:, :2].astype(np.int64), wanted, labels)
    return labels


@dataclass(frozen=True)
class _Merges:
    """Pairs of rows whose clusters merge, in an order in which parts come before wholes."""

    left: IntArray
    right: IntArray
    values: FloatArray


@dataclass(frozen=True)
class _Clusters:
    """The m clusters that are left, with what a search for neighbours needs.

    Attributes
    ----------
    row
        Shape (m,): one original row of each cluster; its name in the merges and in ties.
    centroids, weights, spreads
        Shapes (m, q), (m,), (m,): mean, original rows, mean squared distance to the mean.
    values
        Shape (m,): value at which the cluster was formed.
    members, member_weights, starts
        Shapes (d, q), (d,), (m + 1,): the distinct points sorted by cluster, the rows equal to
        each, and where each cluster's points begin.
    neighbours, neighbour_values
        Shape (m,): nearest cluster and the linkage to it; -1 where unknown.
    stale
        Indices of clusters whose neighbour must be looked for.
    """

    row: IntArray
    centroids: FloatArray
    weights: FloatArray
    spreads: FloatArray
    values: FloatArray
    members: FloatArray
    member_weights: FloatArray
    starts: IntArray
    neighbours: IntArray
    neighbour_values: FloatArray
    stale: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.row)


def _code(method: str, metric: str) -> int:
    if method == "average" and metric == "cosine":
        return _MEAN_SQUARE
    codes = {"ward": _WARD, "average": _AVERAGE, "complete": _COMPLETE, "single": _SINGLE}
    return codes[method]


def _distinct_rows(vectors: FloatArray) -> tuple[_Clusters, _Merges]:
    """One cluster per distinct row, and the merges at height 0 that made them."""
    distinct, first, inverse, counts = np.unique(
        vectors, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    rows = np.arange(len(vectors))
    representative = first[inverse.reshape(-1)]
    repeated = rows[representative != rows]
    m = len(distinct)
    clusters = _Clusters(
        row=first.astype(np.int64),
        centroids=distinct,
        weights=counts.astype(np.float64),
        spreads=np.zeros(m),
        values=np.zeros(m),
        members=distinct,
        member_weights=counts.astype(np.float64),
        starts=np.arange(m + 1),
        neighbours=np.full(m, -1),
        neighbour_values=np.full(m, np.inf),
        stale=np.arange(m),
    )
    merges = _Merges(representative[repeated], repeated, np.zeros(repeated.size))
    return clusters, merges


def _first_neighbours(start: _Clusters, code: int) -> _Clusters:
    """Restate the nearest rows, found once by squared distance, for one linkage."""
    if code == _WARD and start.weights.max() > 1.0:  # heavier rows are further away
        return replace(start, stale=np.arange(len(start)))
    if code == _AVERAGE:
        return replace(start, neighbour_values=np.sqrt(start.neighbour_values))
    return start


def _agglomerate(start: _Clusters, code: int) -> list[_Merges]:
    clusters, found = start, []
    share = _CHAIN_SHARE if code == _WARD else _MATRIX_SHARE
    limit = max(int(len(start) * share), 1)
    while len(clusters) > limit:
        clusters = _with_neighbours(clusters, code)
        before = len(clusters)
        merges, clusters = _merge_mutual(clusters)
        found.append(merges)
        if merges.left.size < _STALLED_SHARE * before:
            break
    if len(clusters) > 1:
        found.append(_ward_chain(clusters) if code == _WARD else _matrix_chain(clusters, code))
    return found


def _with_neighbours(clusters: _Clusters, code: int) -> _Clusters:
    """Find the nearest cluster of each stale one."""
    stale, m = clusters.stale, len(clusters)
    if m < 2 or stale.size == 0:
        return clusters
    neighbours, values = clusters.neighbours.copy(), clusters.neighbour_values.copy()
    weights = clusters.weights if code == _WARD else np.ones(m)
    spreads = clusters.spreads if code in {_COMPLETE, _MEAN_SQUARE} else np.zeros(m)

    def search(piece: tuple[int, int]) -> None:
        _nearest(
            code,
            stale[piece[0] : piece[1]],
            clusters.centroids,
            weights,
            spreads,
            clusters.row,
            clusters.members,
            clusters.member_weights,
            clusters.starts,
            neighbours,
            values,
        )

    across_threads(search, row_ranges(stale.size, _PIECE))
    none = np.empty(0, dtype=np.int64)
    return replace(clusters, neighbours=neighbours, neighbour_values=values, stale=none)


def _merge_mutual(clusters: _Clusters) -> tuple[_Merges, _Clusters]:
    """Merge every two clusters that are each other's nearest."""
    index, nearest = np.arange(len(clusters)), clusters.neighbours
    left = index[(nearest[nearest] == index) & (index < nearest)]
    right = nearest[left]
    values = np.maximum(clusters.neighbour_values[left], clusters.values[left])
    values = np.maximum(values, clusters.values[right])  # rounding must not order parts last
    merges = _Merges(clusters.row[left], clusters.row[right], values)
    if left.size == 0:  # ties that are stale: looking afresh always finds a pair
        return merges, replace(clusters, stale=index)
    touched = np.zeros(len(clusters), dtype=bool)
    touched[left] = touched[right] = True
    keep = np.ones(len(clusters), dtype=bool)
    keep[right] = False
    target = np.cumsum(keep) - 1
    target[right] = target[left]
    merged = _merged_clusters(clusters, left, right, values, keep)
    members, starts = _sorted_members(clusters, target)
    neighbours = target[nearest][keep]
    neighbours[target[left]] = -1
    return merges, replace(
        merged,
        members=clusters.members[members],
        member_weights=clusters.member_weights[members],
        starts=starts,
        neighbours=neighbours,
        neighbour_values=clusters.neighbour_values[keep],
        stale=np.flatnonzero((touched | touched[nearest])[keep]),
    )


def _merged_clusters(
    clusters: _Clusters, left: IntArray, right: IntArray, values: FloatArray, keep: BoolArray
) -> _Clusters:
    centroids, weights = clusters.centroids.copy(), clusters.weights.copy()
    spreads, formed = clusters.spreads.copy(), clusters.values.copy()
    total = weights[left] + weights[right]
    share = weights[right] / total
    apart = centroids[right] - centroids[left]
    centroids[left] += share[:, None] * apart  # exact where both are equal
    between = share * (1.0 - share) * np.einsum("ij,ij->i", apart, apart)
    spreads[left] += share * (spreads[right] - spreads[left]) + between
    weights[left] = total
    formed[left] = values
    return replace(
        clusters,
        row=clusters.row[keep],
        centroids=centroids[keep],
        weights=weights[keep],
        spreads=spreads[keep],
        values=formed[keep],
    )


def _sorted_members(clusters: _Clusters, target: IntArray) -> tuple[IntArray, IntArray]:
    """Order that puts each new cluster's points side by side, and where each begins."""
    owner = np.repeat(target, np.diff(clusters.starts))
    counts = np.bincount(owner)
    return np.argsort(owner, kind="stable"), np.concatenate(([0], np.cumsum(counts)))


def _ward_chain(clusters: _Clusters) -> _Merges:
    """Finish Ward's tree on centroids, in memory linear in the clusters."""
    m, q = clusters.centroids.shape
    tiles = -(-m // TILE)
    centroids = np.zeros((tiles * TILE, q))
    centroids[:m] = clusters.centroids
    tiled = np.ascontiguousarray(centroids.reshape(tiles, TILE, q).transpose(0, 2, 1))
    weights = np.full(tiles * TILE, -1.0)
    weights[:m] = clusters.weights
    pairs, values = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    _chain_centroids(m, tiled, weights, pairs, values)
    return _chain_merges(clusters, pairs, values)


def _matrix_chain(clusters: _Clusters, code: int) -> _Merges:
    """Finish the tree on the linkage matrix of the clusters that are left."""
    m = len(clusters)
    _refuse_beyond_memory(m)
    matrix = np.empty((m, m))

    def fill(piece: tuple[int, int]) -> None:
        first, last = piece
        _fill_linkages(
            code,
            first,
            last,
            clusters.members,
            clusters.member_weights,
            clusters.weights,
            clusters.starts,
            matrix,
        )
        matrix[last:, first:last] = matrix[first:last, last:].T

    across_threads(fill, row_ranges(m, _PIECE))
    np.fill_diagonal(matrix, np.inf)
    pairs, values = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    _chain_matrix(code, matrix, clusters.weights.copy(), pairs, values)
    return _chain_merges(clusters, pairs, values)


def _chain_merges(clusters: _Clusters, pairs: IntArray, values: FloatArray) -> _Merges:
    _raise_to_parts(pairs, clusters.values.copy(), values)
    return _Merges(clusters.row[pairs[:, 0]], clusters.row[pairs[:, 1]], values)


def _refuse_beyond_memory(m: int) -> None:
    needed = 8 * m * m
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > free:
        raise MemoryRefusedError(
            f"the linkage of {m} clusters needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are "
            "free; use linkage 'ward', or sample rows and assign the rest"
        )


def _spanning_merges(start: _Clusters) -> _Merges:
    """Edges of the minimum spanning tree, by length: the merges of single linkage."""
    m, q = start.centroids.shape
    if m < 2:
        nothing = np.empty(0, dtype=np.int64)
        return _Merges(nothing, nothing, np.empty(0))
    tiles = -(-m // TILE)
    points = np.zeros((tiles * TILE, q))
    points[:m] = start.centroids
    tiled = np.ascontiguousarray(points.reshape(tiles, TILE, q).transpose(0, 2, 1))
    pairs, values = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    _span(m, tiled, pairs, values)
    return _Merges(start.row[pairs[:, 0]], start.row[pairs[:, 1]], values)


def _tree_of_distances(condensed: FloatArray, method: str) -> FloatArray:
    n = round(float(1.0 + np.sqrt(1.0 + 8.0 * condensed.size)) / 2.0)
    if condensed.ndim != 1 or n < 2 or n * (n - 1) // 2 != condensed.size:
        raise DataError(f"distances of shape {condensed.shape} are not a condensed matrix")
    if not np.isfinite(condensed).all():
        raise DataError("distances hold missing or infinite values")
    if method == "ward":
        raise UsageError("linkage 'ward' needs points, got distances; use 'average' with them")
    _refuse_beyond_memory(n)
    matrix = np.full((n, n), np.inf)
    upper = np.triu_indices(n, 1)
    matrix[upper] = condensed
    matrix.T[upper] = condensed
    pairs, values = np.empty((n - 1, 2), dtype=np.int64), np.empty(n - 1)
    _chain_matrix(_code(method, "euclidean"), matrix, np.ones(n), pairs, values)
    _raise_to_parts(pairs, np.zeros(n), values)
    return _labelled_tree([_Merges(pairs[:, 0].copy(), pairs[:, 1].copy(), values)], _AVERAGE, "")


def _labelled_tree(merges: list[_Merges], code: int, metric: str) -> FloatArray:
    """Order the merges by height and name clusters as scipy does."""
    values = np.concatenate([merge.values for merge in merges])
    if metric == "cosine":
        values = values / 2.0
    elif code != _AVERAGE:
        values = np.sqrt(values)
    order = np.argsort(values, kind="stable")
    left = np.concatenate([merge.left for merge in merges])[order]
    right = np.concatenate([merge.right for merge in merges])[order]
    tree = np.empty((len(values), 4))
    tree[:, 2] = values[order]
    _name_clusters(left, right, tree)
    return tree


@compiled
def _tie_rank(first: int, second: int) -> int:
    """Pseudo-random rank of a pair, so that many equal distances still give many mutual pairs."""
    low, high = np.uint64(min(first, second)), np.uint64(max(first, second))
    mixed = (low * np.uint64(0x9E3779B97F4A7C15)) ^ (high * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return int((mixed ^ (mixed >> np.uint64(32))) >> np.uint64(1))


@compiled
def _exact_linkage(
    code: int, i: int, j: int, members: FloatArray, member_weights: FloatArray, starts: IntArray
) -> float:
    """Average distance, or largest squared distance, between the points of two clusters."""
    i, j = min(i, j), max(i, j)  # one order of summing, so that both sides see the same bits
    total, weight = 0.0, 0.0
    for a in range(starts[i], starts[i + 1]):
        for b in range(starts[j], starts[j + 1]):
            square = 0.0
            for feature in range(members.shape[1]):
                apart = members[a, feature] - members[b, feature]
                square += apart * apart
            if code == _COMPLETE:
                total = max(total, square)
            else:
                pair = member_weights[a] * member_weights[b]
                total += pair * np.sqrt(square)
                weight += pair
    return total if code == _COMPLETE else total / weight


@compiled
def _nearest(
    code: int,
    wanted: IntArray,
    centroids: FloatArray,
    weights: FloatArray,
    spreads: FloatArray,
    row: IntArray,
    members: FloatArray,
    member_weights: FloatArray,
    starts: IntArray,
    neighbours: IntArray,
    values: FloatArray,
) -> None:
    """Nearest cluster of each wanted one; entries of ``neighbours`` >= 0 are first guesses."""
    m, features = centroids.shape
    tile, squares = np.zeros((features, TILE)), np.empty(TILE)
    weight, spread = np.ones(TILE), np.zeros(TILE)
    bound, limit = np.empty(TILE), np.empty(TILE)
    for start in range(0, len(wanted), TILE):
        filled = min(TILE, len(wanted) - start)
        limit[:] = -1.0
        for t in range(filled):
            i = wanted[start + t]
            tile[:, t] = centroids[i]
            weight[t], spread[t], limit[t] = weights[i], spreads[i], np.inf
            guess = neighbours[i]
            if guess >= 0 and code in (_AVERAGE, _COMPLETE):
                value = _exact_linkage(code, i, guess, members, member_weights, starts)
                limit[t] = _LOOSE * (value * value if code == _AVERAGE else value)
            neighbours[i], values[i] = -1, np.inf
        for j in range(m):
            tile_squares(tile, centroids[j], squares)
            near = 0
            for t in range(TILE):
                bound[t] = squares[t] * min(weight[t], weights[j]) + (spread[t] + spreads[j])
                near += bound[t] <= limit[t]
            if near == 0:
                continue
            for t in range(filled):
                i = wanted[start + t]
                if bound[t] > limit[t] or i == j:
                    continue
                if code == _WARD:
                    value = squares[t] * (2.0 * weights[i] * weights[j] / (weights[i] + weights[j]))
                elif code == _MEAN_SQUARE:
                    value = bound[t]
                else:
                    value = _exact_linkage(code, i, j, members, member_weights, starts)
                if value > values[i]:
                    continue
                if value == values[i] and _tie_rank(row[i], row[j]) > _tie_rank(
                    row[i], row[neighbours[i]]
                ):
                    continue
                neighbours[i], values[i] = j, value
                limit[t] = _LOOSE * (value * value if code == _AVERAGE else value)


@compiled
def _fill_linkages(
    code: int,
    first: int,
    last: int,
    members: FloatArray,
    member_weights: FloatArray,
    weights: FloatArray,
    starts: IntArray,
    matrix: FloatArray,
) -> None:
    """Linkage of clusters first..last to each later one, and among themselves."""
    m, features = len(starts) - 1, members.shape[1]
    tile, squares, sums = np.zeros((features, TILE)), np.empty(TILE), np.empty(TILE)
    owner = np.empty(TILE, dtype=np.int64)
    matrix[first:last, first:] = 0.0
    cluster = first
    for start in range(starts[first], starts[last], TILE):
        filled = min(TILE, starts[last] - start)
        for t in range(filled):
            while starts[cluster + 1] <= start + t:
                cluster += 1
            owner[t] = cluster
            tile[:, t] = members[start + t]
        for other in range(first, m):
            sums[:] = 0.0
            for point in range(starts[other], starts[other + 1]):
                tile_squares(tile, members[point], squares)
                if code == _COMPLETE:
                    for t in range(TILE):
                        sums[t] = max(sums[t], squares[t])
                elif code == _AVERAGE:
                    for t in range(TILE):
                        sums[t] += member_weights[point] * np.sqrt(squares[t])
                else:
                    for t in range(TILE):
                        sums[t] += member_weights[point] * squares[t]
            for t in range(filled):
                if code == _COMPLETE:
                    matrix[owner[t], other] = max(matrix[owner[t], other], sums[t])
                else:
                    matrix[owner[t], other] += member_weights[start + t] * sums[t]
    for i in range(first, last):
        if code != _COMPLETE:
            for j in range(first, m):
                matrix[i, j] /= weights[i] * weights[j]
        for j in range(first, i):  # the upper triangle rules: a matrix symmetric to the last bit
            matrix[i, j] = matrix[j, i]


@compiled
def _smallest(values: FloatArray, penalty: FloatArray, scratch: FloatArray) -> int:
    """First index of the smallest ``values + penalty``."""
    lanes = scratch[:TILE]
    lanes[:] = np.inf
    whole = len(values) - len(values) % TILE
    for start in range(0, whole, TILE):
        for t in range(TILE):
            value = values[start + t] + penalty[start + t]
            lanes[t] = value if value < lanes[t] else lanes[t]
    smallest = np.inf
    for t in range(TILE):
        smallest = min(smallest, lanes[t])
    for i in range(whole, len(values)):
        smallest = min(smallest, values[i] + penalty[i])
    for i in range(len(values)):
        if values[i] + penalty[i] == smallest:
            return i
    return -1


@compiled
def _chain_matrix(
    code: int, matrix: FloatArray, weights: FloatArray, pairs: IntArray, values: FloatArray
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
        pairs[done, 0], pairs[done, 1], values[done] = a, b, matrix[a, b]
        done += 1
        share = weights[b] / (weights[a] + weights[b])
        weights[a] += weights[b]
        dead[b] = np.inf
        for i in range(m):
            if dead[i] != 0.0 or i == a:
                continue
            to_a, to_b = matrix[a, i], matrix[b, i]
            if code == _COMPLETE:
                value = max(to_a, to_b)
            elif code == _SINGLE:
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
def _chain_centroids(
    m: int, tiled: FloatArray, weights: FloatArray, pairs: IntArray, values: FloatArray
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
        pairs[done, 0], pairs[done, 1], values[done] = a, b, value
        done += 1
        share = weights[b] / (weights[a] + weights[b])
        weights[a] += weights[b]
        weights[b] = -1.0
        for feature in range(tiled.shape[1]):
            to_b = tiled[b // TILE, feature, b % TILE]
            to_a = tiled[a // TILE, feature, a % TILE]
            tiled[a // TILE, feature, a % TILE] = to_a + share * (to_b - to_a)


@compiled
def _raise_to_parts(pairs: IntArray, formed: FloatArray, values: FloatArray) -> None:
    """Keep rounding from putting a merge below the merges that made its parts."""
    for step in range(len(pairs)):
        a, b = pairs[step]
        values[step] = max(values[step], formed[a], formed[b])
        formed[a] = values[step]


@compiled
def _span(m: int, tiled: FloatArray, pairs: IntArray, values: FloatArray) -> None:
    """Prim's minimum spanning tree of the first m columns; squared lengths."""
    tiles, features, _ = tiled.shape
    squares, vector = np.empty(TILE), np.empty(features)
    nearest = np.zeros(tiles * TILE, dtype=np.int64)
    lengths, taken = np.full(tiles * TILE, np.inf), np.zeros(tiles * TILE)
    taken[m:] = np.inf
    scratch, latest = np.empty(TILE), 0
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
def _name_clusters(left: IntArray, right: IntArray, tree: FloatArray) -> None:
    """Fill columns 0, 1 and 3 of a tree from merges of rows that ascend in height."""
    n = len(left) + 1
    parent = np.arange(2 * n - 1)
    size = np.ones(2 * n - 1)
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
def _cut(children: IntArray, ks: IntArray, labels: IntArray) -> None:
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
        number[:] = -1
        found = 0
        for row in range(n):
            if number[top[row]] < 0:
                number[top[row]] = found
                found += 1
            labels[which, row] = number[top[row]]
