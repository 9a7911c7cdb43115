"""Agglomerative clustering trees: exact, on all cores, without the full distance matrix.

Ward, average and complete linkage are reducible: a merge never brings the merged cluster nearer
to a third one than its nearer part was. Two clusters that are each other's nearest therefore
merge in the final tree whatever happens elsewhere, so all such pairs merge at once, round after
round, and only clusters whose nearest neighbour merged look for a new one. The search for a
neighbour compares centroids first, which bounds each linkage from below, and looks at member
pairs only where the bound allows it.

Ward needs nothing but centroids and sizes: memory is linear in the rows. Average and complete
linkage stop the rounds when few enough clusters are left (about a seventh of the rows where
features are few), compute the linkage between these from the points once, and finish on that
matrix with the nearest-neighbour chain. Single linkage is a minimum spanning tree, linear in
memory too. Everything is float64.

No matrix over the rows is ever stored: recomputing a distance costs less than fetching it. What
the trees share is the search for the nearest rows; silhouettes take one blocked pass more.

References
----------
Bruynooghe (1978), Classification ascendante hierarchique des grands ensembles de donnees.
Muellner (2011), Modern hierarchical, agglomerative clustering algorithms, arXiv:1109.2378.
Sumengen et al. (2021), Scaling hierarchical agglomerative clustering to billion-sized datasets,
arXiv:2105.11653.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError, MemoryRefusedError, UsageError, near_match
from models_py.base.settings import memory_bytes
from models_py.base.threads import across_threads, row_ranges
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Candidate, Request
from models_py.clustering.distances import METRICS, TILE, check_metric, measurable_rows
from models_py.clustering.linkage_kernels import (
    AVERAGE,
    COMPLETE,
    MEAN_SQUARE,
    SINGLE,
    WARD,
    chain_centroids,
    chain_matrix,
    cut_tree_kernel,
    name_clusters,
    recall_lists,
    search_nearest,
    span,
    sum_linkages,
)

METHODS: tuple[str, ...] = ("ward", "average", "complete", "single")


_MATRIX_SHARE = 0.15  # rounds go on until this share of the rows is left for the matrix
_LARGEST_MATRIX_SHARE = 0.4  # share from which on costly rounds may give way to the matrix
_MATRIX_SHARES = ((8, 13, 45), (0.15, 0.24, 0.38))  # columns, share: measured on groups of rows
_COSTLY_SHARE = 1 / 32  # share of all point pairs that makes a round costly
_STALLED_SHARE = 0.02  # a round that merges a smaller share of the clusters is the last
_CHAIN_SHARE = 0.05  # for Ward: below this share the chain is quicker than more rounds
_LIST = 8  # nearest clusters remembered for each cluster
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
        start, _ = _with_neighbours(start, COMPLETE)
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


def single_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Estimate the peak memory of single linkage beyond the points.

    Four copies of the rows (distinct, sorted, tiled) and what is kept of each.
    """
    return shape.rows * (32 * _padded(shape.columns) + 210 + 8 * shape.candidates)


def ward_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Estimate the peak memory of Ward linkage beyond the points.

    The rows, centroids and members while clusters merge, and the nearest ones of each.
    """
    return shape.rows * (50 * _padded(shape.columns) + 460 + 8 * shape.candidates)


def matrix_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of average and complete linkage beyond the points.

    They add a float64 matrix of 15% (few features) to 40% (many) of the rows to what Ward takes.
    Data where the rounds stall (rows at ever greater distances) may need more; it is then asked
    for, or refused, when that is known.
    """
    matrix = 8 * int(shape.rows * np.interp(shape.columns, *_MATRIX_SHARES)) ** 2
    return ward_peak_bytes(shape, parameters) + matrix


def _padded(columns: int) -> int:
    # Columns as `measurable_rows` gives them.
    return -(-columns // 4) * 4


def linkage_sweep(points: FloatArray, requests: Sequence[Request]) -> Iterator[Candidate]:
    """Yield the candidates of several linkages; those of one metric share their distances.

    Parameters
    ----------
    points
        Shape (n, p), finite, n >= 2.
    requests
        Linkages by name, with numbers of clusters and, where not Euclidean, the metric.

    Raises
    ------
    UsageError, DataError, MemoryRefusedError
        See `linkage_tree`.
    """
    of_metric: dict[str, list[Request]] = {}
    for request in requests:
        of_metric.setdefault(str(request.parameters.get("metric", METRICS[0])), []).append(request)
    for metric, asked in of_metric.items():
        began = time.perf_counter()
        methods = list(dict.fromkeys(request.name for request in asked))
        trees = linkage_trees(points, methods, metric)
        each = (time.perf_counter() - began) / sum(len(request.ks) for request in asked)
        for request in asked:
            cuts = cut_tree(trees[request.name], request.ks)
            for k, labels in zip(request.ks, cuts, strict=True):
                yield Candidate(request.name, {"k": k, **request.parameters}, labels, each)


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
    cut_tree_kernel(links[:, :2].astype(np.int64), wanted, labels)
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
    near, near_values
        Shape (m, _LIST): nearest clusters found, nearest first, and the linkages to them when they
        were found; -1 and infinity where there are none.
    horizon
        Shape (m,): no cluster that a list lacks is nearer than this; -1 where nothing is known.
    """

    row: IntArray
    centroids: FloatArray
    weights: FloatArray
    spreads: FloatArray
    values: FloatArray
    members: FloatArray
    member_weights: FloatArray
    starts: IntArray
    near: IntArray
    near_values: FloatArray
    horizon: FloatArray

    def __len__(self) -> int:
        return len(self.row)


def _code(method: str, metric: str) -> int:
    if method == "average" and metric == "cosine":
        return MEAN_SQUARE
    codes = {"ward": WARD, "average": AVERAGE, "complete": COMPLETE, "single": SINGLE}
    return codes[method]


def _distinct_rows(vectors: FloatArray) -> tuple[_Clusters, _Merges]:
    """One cluster per distinct row, and the merges at height 0 that made them."""
    distinct, first, inverse, counts = np.unique(
        vectors, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    m = len(distinct)
    rows = np.arange(len(vectors))
    representative = first[inverse.reshape(-1)]
    repeated = rows[representative != rows]
    order = np.random.default_rng(m).permutation(m)  # sorted rows would be found ever nearer
    distinct, first, counts = distinct[order], first[order], counts[order]
    clusters = _Clusters(
        row=first.astype(np.int64),
        centroids=distinct,
        weights=counts.astype(np.float64),
        spreads=np.zeros(m),
        values=np.zeros(m),
        members=distinct,
        member_weights=counts.astype(np.float64),
        starts=np.arange(m + 1),
        near=np.full((m, _LIST), -1),
        near_values=np.full((m, _LIST), np.inf),
        horizon=np.full(m, -1.0),
    )
    merges = _Merges(representative[repeated], repeated, np.zeros(repeated.size))
    return clusters, merges


def _first_neighbours(start: _Clusters, code: int) -> _Clusters:
    """Restate the nearest rows, found once by squared distance, for one linkage."""
    if code == WARD and start.weights.max() > 1.0:  # heavier rows are further away
        return _forgotten(start)
    if code == AVERAGE:
        return replace(
            start, near_values=np.sqrt(start.near_values), horizon=np.sqrt(start.horizon)
        )
    return start


def _forgotten(clusters: _Clusters) -> _Clusters:
    """Drop what is known of neighbours."""
    return replace(
        clusters,
        near=np.full_like(clusters.near, -1),
        near_values=np.full_like(clusters.near_values, np.inf),
        horizon=np.full_like(clusters.horizon, -1.0),
    )


def _agglomerate(start: _Clusters, code: int) -> list[_Merges]:
    clusters, merged = start, []
    share = _CHAIN_SHARE if code == WARD else _MATRIX_SHARE
    limit = max(int(len(start) * share), 1)
    while len(clusters) > limit:
        clusters, visited = _with_neighbours(clusters, code)
        before = len(clusters)
        merges, clusters = _merge_mutual(clusters, code)
        merged.append(merges)
        costly = visited > _COSTLY_SHARE * len(start) ** 2
        if costly and len(clusters) < _LARGEST_MATRIX_SHARE * len(start):
            break
        if merges.left.size < _STALLED_SHARE * before:
            break
    if len(clusters) > 1:
        merged.append(_ward_chain(clusters) if code == WARD else _matrix_chain(clusters, code))
    return merged


def _with_neighbours(clusters: _Clusters, code: int) -> tuple[_Clusters, int]:
    """List the nearest clusters of each cluster of which nothing is known.

    Also counts the point pairs that were visited because the bound did not rule them out.
    """
    unknown, m = np.flatnonzero(clusters.horizon < 0.0), len(clusters)
    near, near_values = clusters.near.copy(), clusters.near_values.copy()
    weights = clusters.weights if code == WARD else np.ones(m)
    spreads = clusters.spreads if code in {COMPLETE, MEAN_SQUARE} else np.zeros(m)

    def search(piece: tuple[int, int]) -> int:
        wanted = unknown[piece[0] : piece[1]]
        return search_nearest(
            code, wanted, weights, spreads, *_geometry(clusters), near, near_values
        )

    visited = sum(across_threads(search, row_ranges(unknown.size, _PIECE)))
    horizon = clusters.horizon.copy()
    horizon[unknown] = near_values[unknown, -1]
    updated = replace(clusters, near=near, near_values=near_values, horizon=horizon)
    return updated, visited


def _geometry(
    clusters: _Clusters,
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, IntArray]:
    return (
        clusters.row,
        clusters.centroids,
        clusters.weights,
        clusters.spreads,
        clusters.members,
        clusters.member_weights,
        clusters.starts,
    )


def _merge_mutual(clusters: _Clusters, code: int) -> tuple[_Merges, _Clusters]:
    """Merge every two clusters that are each other's nearest."""
    index, nearest = np.arange(len(clusters)), clusters.near[:, 0]
    left = index[(nearest[nearest] == index) & (index < nearest)]
    right = nearest[left]
    values = np.maximum(clusters.near_values[left, 0], clusters.values[left])
    values = np.maximum(values, clusters.values[right])  # rounding must not order parts last
    merges = _Merges(clusters.row[left], clusters.row[right], values)
    if left.size == 0:  # ties of different rounds: looking afresh always finds a pair
        return merges, _forgotten(clusters)
    keep = np.ones(len(clusters), dtype=bool)
    keep[right] = False
    target = np.cumsum(keep) - 1
    target[right] = target[left]
    merged = _merged_clusters(clusters, left, right, values, keep)
    members, starts = _sorted_members(clusters, target)
    merged = replace(
        merged,
        members=clusters.members[members],
        member_weights=clusters.member_weights[members],
        starts=starts,
    )
    other_part = index.copy()
    other_part[left] = right
    touched = other_part != index
    touched[right] = True
    stale = np.flatnonzero(keep & (touched | touched[nearest]))
    return merges, _with_recalled(clusters, merged, code, stale, other_part, target)


def _with_recalled(
    before: _Clusters,
    merged: _Clusters,
    code: int,
    stale: IntArray,
    other_part: IntArray,
    target: IntArray,
) -> _Clusters:
    """Find new nearest clusters among those already listed, where the horizon allows it.

    A cluster that neither part had listed lies beyond the horizon of both, and merging does not
    bring it nearer; so if the nearest of the listed ones lies within, it is the nearest of all.
    """
    survivors = np.empty(len(merged), dtype=np.int64)
    survivors[target[::-1]] = np.arange(len(before))[::-1]
    near = np.where(before.near >= 0, target[before.near], -1)
    horizon = before.horizon[survivors]
    new_near, new_values = near[survivors], before.near_values[survivors]

    def recall(piece: tuple[int, int]) -> None:
        wanted = stale[piece[0] : piece[1]]
        recall_lists(
            code,
            wanted,
            other_part,
            target,
            near,
            before.horizon,
            *_geometry(merged),
            new_near,
            new_values,
            horizon,
        )

    across_threads(recall, row_ranges(stale.size, _PIECE))
    return replace(merged, near=new_near, near_values=new_values, horizon=horizon)


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
    m = len(clusters)
    tiled = _tiled(clusters.centroids)
    weights = np.full(len(tiled) * TILE, -1.0)
    weights[:m] = clusters.weights
    pairs, values = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    chain_centroids(m, tiled, weights, clusters.values.copy(), pairs, values)
    return _Merges(clusters.row[pairs[:, 0]], clusters.row[pairs[:, 1]], values)


def _tiled(vectors: FloatArray) -> FloatArray:
    """Vectors (m, q) as tiles (ceil(m / TILE), q, TILE), padded with zeros."""
    m, q = vectors.shape
    tiles = -(-m // TILE)
    padded = np.zeros((tiles * TILE, q))
    padded[:m] = vectors
    return np.ascontiguousarray(padded.reshape(tiles, TILE, q).transpose(0, 2, 1))


def _matrix_chain(clusters: _Clusters, code: int) -> _Merges:
    """Finish the tree on the linkage matrix of the clusters that are left."""
    m = len(clusters)
    matrix = _linkage_matrix(clusters, code)
    pairs, values = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    chain_matrix(code, matrix, clusters.weights.copy(), clusters.values.copy(), pairs, values)
    return _Merges(clusters.row[pairs[:, 0]], clusters.row[pairs[:, 1]], values)


def _linkage_matrix(clusters: _Clusters, code: int) -> FloatArray:
    """Linkage of every two clusters, (m, m), infinite on the diagonal."""
    m = len(clusters)
    _refuse_beyond_memory(m)
    members, starts, weights = clusters.members, clusters.starts, clusters.weights
    matrix = np.empty((m, m))

    def fill(piece: tuple[int, int]) -> None:
        first, last = piece
        later = np.zeros((last - first, m - first))
        sum_linkages(code, first, last, members, clusters.member_weights, starts, later)
        if code != COMPLETE:
            later /= weights[first:last, None] * weights[first:]
        square = later[:, : last - first]
        below = np.tril_indices(last - first, -1)
        square[below] = square.T[below]  # symmetric to the last bit, whatever the rounding
        matrix[first:last, first:] = later
        matrix[last:, first:last] = later[:, last - first :].T

    across_threads(fill, row_ranges(m, _PIECE))
    np.fill_diagonal(matrix, np.inf)
    return matrix


def _refuse_beyond_memory(m: int) -> None:
    needed, free = 8 * m * m, memory_bytes()
    if needed > free:
        raise MemoryRefusedError(
            f"the linkage of {m} clusters needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are "
            "free; use linkage 'ward', or sample rows and assign the rest"
        )


def _spanning_merges(start: _Clusters) -> _Merges:
    """Edges of the minimum spanning tree, by length: the merges of single linkage."""
    m = len(start)
    if m < 2:
        nothing = np.empty(0, dtype=np.int64)
        return _Merges(nothing, nothing, np.empty(0))
    tiled = _tiled(start.centroids)
    padded = len(tiled) * TILE
    lengths, nearest = np.full(padded, np.inf), np.zeros(padded, dtype=np.int64)
    taken = np.where(np.arange(padded) < m, 0.0, np.inf)
    pairs, values = np.empty((m - 1, 2), dtype=np.int64), np.empty(m - 1)
    span(m, tiled, lengths, taken, nearest, pairs, values)
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
    code = _code(method, "euclidean")
    chain_matrix(code, matrix, np.ones(n), np.zeros(n), pairs, values)
    return _labelled_tree([_Merges(pairs[:, 0].copy(), pairs[:, 1].copy(), values)], AVERAGE, "")


def _labelled_tree(merges: list[_Merges], code: int, metric: str) -> FloatArray:
    """Order the merges by height and name clusters as scipy does."""
    values = np.concatenate([merge.values for merge in merges])
    if metric == "cosine":
        values = values / 2.0
    elif code != AVERAGE:
        values = np.sqrt(values)
    order = np.argsort(values, kind="stable")
    left = np.concatenate([merge.left for merge in merges])[order]
    right = np.concatenate([merge.right for merge in merges])[order]
    tree = np.empty((len(values), 4))
    tree[:, 2] = values[order]
    name_clusters(left, right, tree)
    return tree
