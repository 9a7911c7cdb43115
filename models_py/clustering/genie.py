"""Clusterings cut from a minimum spanning tree that resist chaining and stray rows.

Genie is single linkage that must join a smallest cluster whenever the sizes grow too unequal;
the chopped tree cuts the longest edges that leave enough rows on either side.

References
----------
Gagolewski, Bartoszuk, Cena (2016), Genie: a new, fast, and outlier-resistant hierarchical
clustering algorithm, Information Sciences 363, 8-23.
Campello, Moulavi, Zimek, Sander (2015), Hierarchical density estimates for data clustering,
visualization, and outlier detection, ACM Transactions on Knowledge Discovery from Data 10, 5.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Candidate
from models_py.clustering.rows import check_points


@dataclass(frozen=True)
class SpanningTree:
    """Minimum spanning tree of n rows under mutual reachability.

    Attributes
    ----------
    weights
        Shape (n - 1,), ascending.
    ends
        Shape (n - 1, 2): rows that each edge joins.
    neighbours
        Rows in the core distance; 0 for the Euclidean tree.
    """

    weights: FloatArray
    ends: IntArray
    neighbours: int

    @property
    def rows(self) -> int:
        """Rows spanned."""
        return self.weights.size + 1


def minimum_spanning_tree(points: FloatArray, neighbours: int = 0) -> SpanningTree:
    """Return the minimum spanning tree of the rows.

    Parameters
    ----------
    points
        Shape (n, p).
    neighbours
        A row's core distance reaches its neighbour of this rank, itself not counted; 0 for
        plain Euclidean distance.

    Notes
    -----
    O(n²·p) time and O(n) memory.
    """
    from models_py.clustering.genie_kernels import spanning_tree

    points = check_points(points)
    core = np.zeros(len(points))
    if neighbours > 0:
        from scipy.spatial import KDTree

        reach = min(neighbours, len(points) - 1) + 1
        core = np.ascontiguousarray(KDTree(points).query(points, k=[reach])[0][:, 0])
    weights, ends = spanning_tree(points, core)
    order = np.argsort(weights, kind="stable")
    return SpanningTree(weights[order], ends[order], neighbours)


def genie_labels(
    tree: SpanningTree, ks: Sequence[int], *, threshold: float = 0.3
) -> list[IntArray]:
    """Return the Genie clustering of each k from one tree.

    Parameters
    ----------
    tree
        From `minimum_spanning_tree`.
    ks
        Numbers of clusters, each 1..n.
    threshold
        Gini index of the cluster sizes, 0..1, above which a smallest cluster must be joined;
        1 is single linkage.

    Returns
    -------
    list of ndarray
        One array of shape (n,) for each k: 0..k-1, numbered by first row.
    """
    from models_py.clustering.genie_kernels import components, gini_merges

    if not 0.0 <= threshold <= 1.0:
        raise DataError(f"genie: threshold is {threshold}; it must lie in 0..1")
    order = gini_merges(tree.ends, float(threshold))
    return [components(tree.ends, order[: tree.rows - k], tree.rows) for k in ks]


def chopped_labels(
    tree: SpanningTree, ks: Sequence[int], *, min_cluster_size: int
) -> dict[int, IntArray]:
    """Return the clusterings that come from cutting the longest edges with enough rows beside.

    Parameters
    ----------
    tree
        From `minimum_spanning_tree`.
    ks
        Numbers of clusters wanted; those that the tree cannot give are left out.
    min_cluster_size
        Rows that each side of a cut must keep; stray rows stay with whom their edge ties them.

    Returns
    -------
    dict
        k to labels of shape (n,).
    """
    from models_py.clustering.genie_kernels import chopped_edges, components

    several = [k for k in ks if k > 1]
    if not several:
        return {}
    parent, weight, outwards = _rooted(tree)
    weight[outwards[0]] = -1.0
    order = np.vstack([outwards, np.argsort(-weight, kind="stable")])
    cuts = chopped_edges(parent, order, min_cluster_size, max(several) - 1)
    answer = {}
    rows = np.arange(tree.rows)
    upward = np.column_stack([rows, np.maximum(parent, 0)])
    for k in several:
        if k - 1 <= cuts.size:
            kept = np.setdiff1d(rows, np.append(cuts[: k - 1], outwards[0]))
            answer[k] = components(upward, kept, tree.rows)
    return answer


def _rooted(tree: SpanningTree) -> tuple[IntArray, FloatArray, IntArray]:
    """Return each row's parent, the weight of that edge, and the rows from the root outwards."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    n = tree.rows
    ones = np.ones(n - 1)
    graph = coo_array((ones, (tree.ends[:, 0], tree.ends[:, 1])), shape=(n, n)).tocsr()
    outwards, parent = breadth_first_order(graph, 0, directed=False)
    parent = np.where(parent < 0, -1, parent).astype(np.int64)
    weight = np.zeros(n)
    first, second = tree.ends[:, 0], tree.ends[:, 1]
    child = np.where(parent[second] == first, second, first)
    weight[child] = tree.weights
    return parent, weight, outwards.astype(np.int64)


def genie(
    points: FloatArray, ks: Sequence[int], *, threshold: float = 0.3, neighbours: int = 0
) -> list[Candidate]:
    """Return one Genie candidate for each k; see `genie_labels`."""
    start = time.perf_counter()
    tree = minimum_spanning_tree(points, neighbours)
    labelings = genie_labels(tree, ks, threshold=threshold)
    each = (time.perf_counter() - start) / max(1, len(labelings))
    return [
        Candidate(
            "genie", {"k": int(k), "threshold": threshold, "neighbours": neighbours}, labels, each
        )
        for k, labels in zip(ks, labelings, strict=True)
    ]


def chopped(
    points: FloatArray, ks: Sequence[int], *, min_cluster_size: int = 5, neighbours: int = 0
) -> list[Candidate]:
    """Return one candidate for each k that the tree can be chopped into; see `chopped_labels`."""
    start = time.perf_counter()
    tree = minimum_spanning_tree(points, neighbours)
    labelings = chopped_labels(tree, ks, min_cluster_size=min_cluster_size)
    each = (time.perf_counter() - start) / max(1, len(labelings))
    asked = {"min_cluster_size": min_cluster_size, "neighbours": neighbours}
    return [
        Candidate("chopped", {"k": k, **asked}, labels, each) for k, labels in labelings.items()
    ]


def genie_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Estimate the peak memory of `genie` beyond the points: the tree, and its joining."""
    return shape.rows * (56 + 8 * shape.candidates)


def chopped_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:  # noqa: ARG001
    """Estimate the peak memory of `chopped` beyond the points: the tree as a sparse graph."""
    return shape.rows * (130 + 8 * shape.candidates)
