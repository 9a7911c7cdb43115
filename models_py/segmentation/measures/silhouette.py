"""Silhouettes of many labelings in one pass over the distances, and a linear form of it.

The silhouette of a row is (b - a) / max(a, b), with a its mean distance to the other rows of its
cluster and b its smallest mean distance to the rows of another cluster; 0 where it is alone.

References
----------
Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster
analysis, J. Comput. Appl. Math. 20. Hruschka, de Castro, Campello (2004), Evolutionary algorithms
for clustering gene-expression data (the simplified form).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, IntArray, finite_table
from models_py.base.threads import across_threads, compiled, row_ranges
from models_py.clustering.candidate import NOISE
from models_py.clustering.distances import (
    TILE,
    load_tile,
    measurable_rows,
    metric_points,
    tile_squares,
)
from models_py.clustering.kmeans_kernels import squared_distance
from models_py.clustering.rows import dense_labels
from models_py.segmentation.measures.indices import (
    ClusterMoments,
    checked_labelings,
    cluster_moments,
)

_MOST_CELLS = 1024  # cells whose running sums for one tile of rows fit in the second-level cache


def silhouette_samples(
    points: npt.ArrayLike,
    labelings: npt.ArrayLike,
    metric: str = "euclidean",
    noise: int = NOISE,
    block_rows: int = 256,
) -> FloatArray:
    """Silhouette of every row under every labeling, from one pass over the distances.

    Each distance is computed once, in float64, and added to running sums per cluster; labelings
    share sums by their common refinement (the rows that no labeling tells apart). Memory is that
    of the points, the labels and the result, whatever ``block_rows``.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    labelings
        Shape (L, n), or (n,) for one.
    metric
        ``"euclidean"`` or ``"cosine"``.
    noise
        Label of rows in no cluster: theirs are nan, and other rows' do not count them.
    block_rows
        Rows that one thread takes at a time.

    Returns
    -------
    FloatArray
        Shape (L, n), each -1..1; 0 for a row alone in its cluster; nan for noise, and for all
        rows of a labeling with fewer than two clusters. Unlike scikit-learn's, a labeling in
        which every row is a cluster is allowed (all 0).

    Raises
    ------
    UsageError
        The metric is unknown.
    DataError
        The points are not finite or the labelings do not fit them.
    """
    vectors = measurable_rows(points, metric)
    checked = checked_labelings(labelings, len(vectors), noise)
    result = np.full(checked.labels.shape, np.nan)
    useful = np.flatnonzero(checked.counts >= 2)
    if useful.size == 0:
        return result
    labels, counts = checked.labels[useful], checked.counts[useful]
    plan = _refine(labels, counts)
    sizes = _cluster_sizes(labels, counts)
    values = np.full(labels.shape, np.nan)

    def score(piece: tuple[int, int]) -> None:
        _score_rows(
            piece[0],
            piece[1],
            metric == "cosine",
            vectors,
            plan.codes,
            plan.first_cell,
            plan.cell_labels,
            plan.group,
            labels,
            sizes,
            values,
        )

    step = max(TILE, block_rows - block_rows % TILE)
    across_threads(score, row_ranges(len(vectors), step))
    result[useful] = values
    return result


def silhouette_scores(
    points: npt.ArrayLike,
    labelings: npt.ArrayLike,
    metric: str = "euclidean",
    noise: int = NOISE,
    block_rows: int = 256,
) -> FloatArray:
    """Mean silhouette of each labeling over the rows that are not noise.

    Parameters
    ----------
    points, labelings, metric, noise, block_rows
        As in `silhouette_samples`.

    Returns
    -------
    FloatArray
        Shape (L,); nan where a labeling has fewer than two clusters.

    Raises
    ------
    UsageError, DataError
        See `silhouette_samples`.
    """
    return mean_of_clustered(silhouette_samples(points, labelings, metric, noise, block_rows))


def mean_of_clustered(samples: FloatArray) -> FloatArray:
    """Mean of each row of ``samples`` (L, n) over its values that are not nan, else nan."""
    known = ~np.isnan(samples)
    totals = np.where(known, samples, 0.0).sum(axis=1)
    counts = known.sum(axis=1)
    means = np.full(len(samples), np.nan)
    np.divide(totals, counts, out=means, where=counts > 0)
    return means


def simplified_silhouette(
    points: npt.ArrayLike,
    labels: npt.ArrayLike,
    noise: int = NOISE,
    chunk_rows: int = 65_536,
    metric: str = "euclidean",
    moments: ClusterMoments | None = None,
) -> FloatArray:
    """Silhouette with distances to cluster means in place of mean distances to clusters.

    Linear in the rows; not equal to the silhouette, but ranks compact clusterings alike.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    labels
        Shape (n,).
    noise
        Label of rows in no cluster; theirs are nan.
    chunk_rows
        Rows that one thread takes at a time.
    metric
        ``"euclidean"`` or ``"cosine"``, the latter to the mean directions of the clusters.
    moments
        Of the clusters, where they are known; made here otherwise.

    Returns
    -------
    FloatArray
        Shape (n,); 0 for a row alone in its cluster; all nan below two clusters.

    Raises
    ------
    UsageError
        The metric is unknown.
    DataError
        The points or labels do not fit.
    """
    rows = metric_points(finite_table(points, may_be_empty=True), metric)
    checked = checked_labelings(labels, len(rows), noise)
    labeling, k = checked.labels[0], int(checked.counts[0])
    result = np.full(len(rows), np.nan)
    if k < 2:
        return result
    clusters = cluster_moments(rows, labeling, k) if moments is None else moments
    means = metric_points(clusters.means, metric)

    def score(piece: tuple[int, int]) -> None:
        part = slice(*piece)
        _score_to_means(
            rows[part], labeling[part], clusters.sizes, means, metric == "cosine", result[part]
        )

    across_threads(score, row_ranges(len(rows), chunk_rows))
    return result


@dataclass(frozen=True)
class _Refinement:
    """Labelings cut into cells: rows that share every label of a group of labelings.

    Attributes
    ----------
    codes
        Shape (n, groups): the cell of each row in each group.
    first_cell
        Shape (groups + 1,): where each group's cells begin when all are numbered through.
    group
        Shape (L,): the group of each labeling.
    cell_labels
        Shape (L, cells): the label that a labeling gives a cell of its group.
    """

    codes: IntArray
    first_cell: IntArray
    group: IntArray
    cell_labels: IntArray


def _refine(labels: IntArray, counts: IntArray) -> _Refinement:
    """Group labelings, in their order, as long as a group has few enough cells."""
    groups: list[IntArray] = []
    cells: list[int] = []
    group = np.empty(len(labels), dtype=np.int64)
    for index, labeling in enumerate(labels):
        width = int(counts[index]) + 1
        if groups:
            crossed, present = dense_labels(groups[-1] * width + labeling + 1)
        if not groups or present > _MOST_CELLS:
            crossed, present = dense_labels(labeling + 1)
            groups.append(crossed)
            cells.append(present)
        groups[-1], cells[-1] = crossed, present
        group[index] = len(groups) - 1
    first_cell = np.concatenate(([0], np.cumsum(cells)))
    cell_labels = np.full((len(labels), first_cell[-1]), NOISE)
    for index, labeling in enumerate(labels):
        cell_labels[index, first_cell[group[index]] + groups[group[index]]] = labeling
    return _Refinement(np.stack(groups, axis=1), first_cell, group, cell_labels)


def _cluster_sizes(labels: IntArray, counts: IntArray) -> IntArray:
    """Rows of each cluster, shape (L, largest k); 0 past a labeling's k."""
    largest = int(counts.max())
    return np.stack([np.bincount(labeling + 1, minlength=largest + 1)[1:] for labeling in labels])


@compiled
def _score_to_means(
    rows: FloatArray,
    labels: IntArray,
    sizes: FloatArray,
    means: FloatArray,
    halved_squares: bool,
    out: FloatArray,
) -> None:
    """Simplified silhouettes of rows that are in a cluster."""
    for i in range(len(rows)):
        own = labels[i]
        if own < 0:
            continue
        within, nearest = 0.0, np.inf
        for cluster in range(len(means)):
            square = squared_distance(rows, i, means, cluster)
            if cluster == own:
                within = square
            else:
                nearest = min(nearest, square)
        if halved_squares:
            within, nearest = 0.5 * within, 0.5 * nearest
        else:
            within, nearest = np.sqrt(within), np.sqrt(nearest)
        larger = max(within, nearest)
        out[i] = (nearest - within) / larger if larger > 0.0 and sizes[own] > 1.0 else 0.0


@compiled
def _score_rows(
    first: int,
    last: int,
    halved_squares: bool,
    vectors: FloatArray,
    codes: IntArray,
    first_cell: IntArray,
    cell_labels: IntArray,
    group: IntArray,
    labels: IntArray,
    sizes: IntArray,
    out: FloatArray,
) -> None:
    """Silhouettes of rows first..last under each labeling; see `_Refinement` for the cells."""
    n, features = vectors.shape
    groups, cells, most = codes.shape[1], first_cell[-1], sizes.shape[1]
    tile, distances = np.empty((features, TILE)), np.empty(TILE)
    sums, cluster_sums = np.empty((cells, TILE)), np.empty((most, TILE))
    for start in range(first, last, TILE):
        filled = min(TILE, last - start)
        load_tile(vectors, start, tile)
        for cell in range(cells):
            for t in range(TILE):
                sums[cell, t] = 0.0
        for j in range(n):
            tile_squares(tile, vectors[j], distances)
            for t in range(TILE):
                distances[t] = 0.5 * distances[t] if halved_squares else np.sqrt(distances[t])
            for g in range(groups):
                cell = first_cell[g] + codes[j, g]
                for t in range(TILE):
                    sums[cell, t] += distances[t]
        for index in range(len(labels)):
            cells_from, cells_to = first_cell[group[index]], first_cell[group[index] + 1]
            _join_cells(cell_labels[index], cells_from, cells_to, sums, cluster_sums)
            for t in range(filled):
                own = labels[index, start + t]
                if own >= 0:
                    out[index, start + t] = _silhouette(own, t, sizes[index], cluster_sums)


@compiled
def _join_cells(
    cell_labels: IntArray, first: int, last: int, sums: FloatArray, cluster_sums: FloatArray
) -> None:
    """Add the cells first..last up to the clusters that they belong to."""
    for cluster in range(len(cluster_sums)):
        for t in range(TILE):
            cluster_sums[cluster, t] = 0.0
    for cell in range(first, last):
        cluster = cell_labels[cell]
        if cluster >= 0:
            for t in range(TILE):
                cluster_sums[cluster, t] += sums[cell, t]


@compiled
def _silhouette(own: int, t: int, sizes: IntArray, sums: FloatArray) -> float:
    """Silhouette of the row in column ``t`` of the distance sums (k, TILE) to clusters."""
    if sizes[own] == 1:
        return 0.0
    nearest = np.inf
    for cluster in range(len(sizes)):
        if cluster != own and sizes[cluster] > 0:
            nearest = min(nearest, sums[cluster, t] / sizes[cluster])
    within = sums[own, t] / (sizes[own] - 1)
    larger = max(within, nearest)
    return (nearest - within) / larger if larger > 0.0 else 0.0
