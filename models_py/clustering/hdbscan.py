"""HDBSCAN: the most stable clusters of a tree of densities, with rows left as noise.

Growth: every minimum cluster size comes from one spanning tree in linear memory: up to 20 columns
by Borůvka's rounds over a k-d tree, about n log n where the rows form groups, beyond by Prim's
algorithm in quadratic time (n² p / 2 differences).

References
----------
Campello, R., Moulavi, D., Zimek, A., Sander, J. (2015). Hierarchical density estimates for
data clustering, visualization, and outlier detection. ACM TKDD 10(1).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.base.threads import in_threads
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import NOISE, Candidate
from models_py.clustering.density import (
    TREE_COLUMNS,
    DensityModel,
    check_min_samples,
    neighbour_distances,
    neighbour_peak_bytes,
)
from models_py.clustering.rows import check_points, chunks, compact_labels

LEAF_ROWS = 24
"""Rows of a leaf of the k-d tree over which the spanning tree is built."""

ROUND_PARTS = 8
"""Parts into which one round of the spanning tree is cut for the threads."""

ROUND_ROWS = 2048
"""Rows of such a part at least."""

Selection = Literal["eom", "leaf"]


def hdbscan_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of `hdbscan` beyond the points.

    The search for core distances, or a copy of the rows with the edges and the tree.
    """
    n, p = shape.rows, shape.columns
    sizes = parameters.get("min_cluster_size", default_min_cluster_size(n))
    smallest = min(sizes) if isinstance(sizes, list) else sizes
    count = int(str(parameters.get("min_samples", smallest)))
    return max(neighbour_peak_bytes(n, p, count), n * (10 * p + 350))


@dataclass(frozen=True, eq=False)
class DensityHierarchy:
    """Single-linkage tree of mutual reachability, from which any minimum size is taken.

    Attributes
    ----------
    nodes
        Shape (n - 1, 2): the two nodes of each merge; rows are 0..n-1, merges n, n + 1, ...
    sizes
        Shape (n - 1,): rows below each merge.
    lengths
        Shape (n - 1,): mutual reachability at which each merge happens, rising.
    core_distances
        Shape (n,): distance to the ``min_samples``-th nearest row, itself included.
    """

    nodes: IntArray
    sizes: IntArray
    lengths: FloatArray
    core_distances: FloatArray = field(repr=False)

    def labels(self, min_cluster_size: int, *, selection: Selection = "eom") -> IntArray:
        """Cut the tree into the most stable clusters; -1 is noise.

        Parameters
        ----------
        min_cluster_size
            Rows of the smallest cluster, at least 2.
        selection
            ``"eom"`` takes clusters with the largest excess of mass, ``"leaf"`` the finest.

        Returns
        -------
        array
            Shape (n,): clusters in the order of their first row.
        """
        from models_py.clustering.density_kernels import condense, stabilities

        with np.errstate(divide="ignore"):
            densities = 1.0 / self.lengths
        tree = condense(self.nodes, self.sizes, densities, min_cluster_size)
        parents, _, owner, _ = tree
        if selection == "leaf":
            chosen = _leaf_clusters(parents)
        else:
            chosen = _stable_clusters(parents, stabilities(*tree))
        return _by_first_row(_nearest_chosen(parents, chosen)[owner])


def _leaf_clusters(parents: IntArray) -> BoolArray:
    """Choose clusters that are not split further; never the root, which is all rows."""
    chosen = np.ones(len(parents), dtype=np.bool_)
    chosen[parents[1:]] = False
    chosen[0] = False
    return chosen


def _stable_clusters(parents: IntArray, stability: FloatArray) -> BoolArray:
    """Choose the disjoint clusters with the largest total stability; never the root."""
    chosen = np.ones(len(parents), dtype=np.bool_)
    best = stability.copy()
    below = np.zeros(len(parents))
    for cluster in range(len(parents) - 1, -1, -1):
        if below[cluster] > best[cluster]:
            chosen[cluster] = False
            best[cluster] = below[cluster]
        if cluster:
            below[parents[cluster]] += best[cluster]
    chosen[0] = False
    covered = np.zeros(len(parents), dtype=np.bool_)
    for cluster in range(1, len(parents)):
        parent = parents[cluster]
        covered[cluster] = covered[parent] or chosen[parent]
    return np.asarray(chosen & ~covered)


def _nearest_chosen(parents: IntArray, chosen: BoolArray) -> IntArray:
    """Return the chosen cluster that holds each cluster, -1 where none does."""
    holder = np.full(len(parents), NOISE, dtype=np.int64)
    for cluster in range(len(parents)):
        if chosen[cluster]:
            holder[cluster] = cluster
        elif cluster:
            holder[cluster] = holder[parents[cluster]]
    return holder


def _by_first_row(labels: IntArray) -> IntArray:
    """Renumber clusters in the order of their first rows."""
    labels, kept = compact_labels(labels)
    first_rows = np.array([int(np.argmax(labels == old)) for old in range(len(kept))])
    order = np.argsort(np.argsort(first_rows))
    renumbered = labels.copy()
    inside = labels >= 0
    renumbered[inside] = order[labels[inside]]
    return renumbered


def density_hierarchy(points: FloatArray, min_samples: int) -> DensityHierarchy:
    """Build the single-linkage tree of mutual reachability.

    Parameters
    ----------
    points
        Shape (n, p), finite; at least two rows.
    min_samples
        Rank of the neighbour, the row itself included, that gives the core distance.

    Raises
    ------
    DataError
        When there are fewer than two rows or ``min_samples`` lies outside 1..n.
    """
    from models_py.clustering.density_kernels import merge_edges, spanning_tree

    points = check_points(points)
    if len(points) < 2:
        raise DataError("hdbscan: one row has no tree; at least two rows are needed")
    check_min_samples(min_samples, len(points))
    core = neighbour_distances(points, min_samples)
    if points.shape[1] <= TREE_COLUMNS:
        ends, squared = _tree_by_rounds(points, core**2)
    else:
        ends, squared = spanning_tree(points.T.copy(order="C"), core**2)
    order = np.argsort(squared, kind="stable")
    nodes, sizes = merge_edges(ends[order])
    return DensityHierarchy(nodes, sizes, np.sqrt(squared[order]), core)


def _tree_by_rounds(points: FloatArray, core: FloatArray) -> tuple[IntArray, FloatArray]:
    """Build the spanning tree of mutual reachability by Borůvka's rounds over a k-d tree.

    Every round joins each component to its nearest other one; a search passes by nodes that
    lie in the row's own component or beyond the shortest edge known.

    Returns
    -------
    ends, lengths
        Shape (n - 1, 2), and squared lengths (n - 1,).
    """
    from sklearn.neighbors import KDTree

    _, order, nodes, bounds = KDTree(points, leaf_size=LEAF_ROWS).get_arrays()
    order = np.asarray(order, dtype=np.int64)
    boxes = (
        np.asarray(nodes["idx_start"], dtype=np.int64),
        np.asarray(nodes["idx_end"], dtype=np.int64),
        np.ascontiguousarray(bounds[0]),
        np.ascontiguousarray(bounds[1]),
    )
    rounds = _Rounds(points[order], core[order], boxes)
    while rounds.components > 1:
        rounds.join()
    return order[np.concatenate(rounds.ends)], np.concatenate(rounds.lengths)


class _Rounds:
    """Components of a growing spanning forest, rows in the order of a k-d tree."""

    def __init__(self, points: FloatArray, core: FloatArray, boxes: tuple[Any, ...]) -> None:
        from models_py.clustering.density_kernels import least_in_nodes

        rows = len(points)
        self._points = points
        self._core = core
        self._boxes = boxes
        self._least_core = np.empty(len(boxes[0]))
        least_in_nodes(core, boxes[0], boxes[1], self._least_core)
        self._component = np.arange(rows)
        self._parents = np.arange(rows)
        self._known = np.full(rows, -1, dtype=np.int64)
        self._known_length = np.zeros(rows)
        self.components = rows
        self.ends: list[IntArray] = []
        self.lengths: list[FloatArray] = []

    def join(self) -> None:
        """Join every component to its nearest other one."""
        from models_py.clustering.density_kernels import flat_components, join_sets

        row, length = self._exits()
        order = np.argsort(length, kind="stable")
        edges = np.column_stack((row, self._known[row]))[order]
        kept = join_sets(self._parents, edges)
        self.ends.append(edges[kept])
        self.lengths.append(length[order][kept])
        self.components = int(flat_components(self._parents, self._component))

    def _exits(self) -> tuple[IntArray, FloatArray]:
        """Return the row and length of the shortest edge that leaves each component."""
        from models_py.clustering.density_kernels import shortest_exits, whole_nodes

        whole = np.empty(len(self._boxes[0]), dtype=np.int64)
        whole_nodes(self._component, self._boxes[0], self._boxes[1], whole)

        def search(part: slice) -> tuple[FloatArray, IntArray]:
            best = np.full(self.components, np.inf)
            best_row = np.full(self.components, -1, dtype=np.int64)
            shortest_exits(
                (part.start, part.stop),
                self._points,
                self._core,
                self._component,
                self._boxes,
                whole,
                self._least_core,
                self._known,
                self._known_length,
                best,
                best_row,
            )
            return best, best_row

        size = max(ROUND_ROWS, -(-len(self._points) // ROUND_PARTS))
        exits = in_threads(search, [(part,) for part in chunks(len(self._points), size)])
        lengths = np.array([best for best, _ in exits])
        first = lengths.argmin(axis=0)
        every = np.arange(self.components)
        return np.array([row for _, row in exits])[first, every], lengths[first, every]


def hdbscan(
    points: FloatArray,
    *,
    min_cluster_size: int | Iterable[int] | None = None,
    min_samples: int | None = None,
    selection: Selection = "eom",
) -> list[Candidate]:
    """Run HDBSCAN for one or several minimum cluster sizes from one tree.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    min_cluster_size
        Rows of the smallest cluster, at least 2; one or several, each tried. When None, 2% of
        the rows, at least 10.
    min_samples
        Rank of the neighbour that gives a row's core distance, itself included; the
        smallest ``min_cluster_size`` when None, which for one size is what scikit-learn does.
    selection
        As in `DensityHierarchy.labels`.

    Returns
    -------
    list of Candidate
        One for each size, in the order given. Noise is -1; the model is a `DensityModel` of
        the clustered rows. Seconds share the tree equally.

    Raises
    ------
    DataError
        When a size is below 2 or over the rows, ``min_samples`` lies outside 1..n, or values
        are not finite.
    """
    points = check_points(points)
    if min_cluster_size is None:
        min_cluster_size = default_min_cluster_size(len(points))
    smallest = _check_sizes(min_cluster_size, len(points))
    neighbour = min(smallest) if min_samples is None else min_samples
    began = time.perf_counter()
    tree = density_hierarchy(points, neighbour)
    shared = (time.perf_counter() - began) / len(smallest)
    candidates = []
    for size in smallest:
        began = time.perf_counter()
        labels = tree.labels(size, selection=selection)
        parameters = {"min_cluster_size": size, "min_samples": neighbour, "selection": selection}
        inside = labels >= 0
        model = DensityModel(points[inside], labels[inside])
        seconds = shared + time.perf_counter() - began
        candidates.append(Candidate("hdbscan", parameters, labels, seconds, model=model))
    return candidates


def default_min_cluster_size(rows: int) -> int:
    """Return the smallest density cluster worth finding: 2% of the rows, at least 10."""
    return max(10, rows // 50)


def _check_sizes(min_cluster_size: int | Iterable[int], rows: int) -> list[int]:
    if isinstance(min_cluster_size, (int, np.integer)):
        sizes = [int(min_cluster_size)]
    else:
        sizes = [int(size) for size in min_cluster_size]
    if not sizes:
        raise DataError("min_cluster_size: none was given; name at least one, such as 50")
    for size in sizes:
        if not 2 <= size <= rows:
            raise DataError(
                f"min_cluster_size: {size} does not lie within 2..{rows}, the rows there are"
            )
    return sizes
