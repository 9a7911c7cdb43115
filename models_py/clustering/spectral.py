"""Spectral clustering of the nearest-neighbour graph: groups are where a random walk stays.

References
----------
Ng, Jordan, Weiss (2001), On spectral clustering: analysis and an algorithm, Advances in Neural
Information Processing Systems 14.
Zelnik-Manor, Perona (2004), Self-tuning spectral clustering, Advances in Neural Information
Processing Systems 17.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.clustering.algorithms import TableShape
from models_py.clustering.candidate import Candidate
from models_py.clustering.kmeans import quick_kmeans
from models_py.clustering.rows import check_ks, check_points

DENSE_ROWS = 700
"""Up to these rows a dense solver is as quick as the sparse one, and exact."""


LEAST_TIE = 1e-9
"""Weight added to every tie, so that a far neighbour still holds the graph together."""

TOLERANCE = 1e-4
"""Relative accuracy of the sparse solver's eigenvalues, well under the gaps between groups."""

NO_LENGTH = 1e-12
"""Length below which a row of the embedding is not scaled to length 1."""


def spectral_embedding(points: FloatArray, columns: int, *, neighbours: int = 10) -> FloatArray:
    """Return leading eigenvectors of the normalised neighbour graph.

    Parameters
    ----------
    points
        Shape (n, p).
    columns
        Eigenvectors wanted, at most n - 2.
    neighbours
        Each row is tied to this many; ties weigh exp(-d² / (s·t)), where s and t are the two
        rows' distances to their last neighbour.

    Returns
    -------
    ndarray
        Shape (n, columns), largest eigenvalue first, signs fixed.
    """
    from scipy.sparse import coo_array, csr_array, diags_array
    from scipy.spatial import KDTree
    from threadpoolctl import threadpool_limits

    points = check_points(points)
    n = len(points)
    count = min(neighbours, n - 1)
    apart, rows = KDTree(points).query(points, count + 1)
    scale = np.maximum(apart[:, -1], np.finfo(np.float64).tiny ** 0.5)
    weight = np.exp(-(apart[:, 1:] ** 2) / (scale[:, None] * scale[rows[:, 1:]])) + LEAST_TIE
    pairs = (np.repeat(np.arange(n), count), rows[:, 1:].ravel())
    graph = csr_array(coo_array((weight.ravel(), pairs), shape=(n, n)))
    graph = graph.maximum(graph.T)
    inverse = diags_array(1.0 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel()))
    with threadpool_limits(1):
        vectors = _leading(csr_array(inverse @ graph @ inverse), min(columns, n - 2))
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return np.ascontiguousarray(vectors * np.sign(largest))


def _leading(graph: object, columns: int) -> FloatArray:
    from scipy.linalg import eigh
    from scipy.sparse.linalg import eigsh

    n = graph.shape[0]  # type: ignore[attr-defined]
    if _is_dense(n, columns):
        dense = graph.toarray()  # type: ignore[attr-defined]
        vectors = eigh(dense, subset_by_index=[n - columns, n - 1])[1]
        return np.asarray(vectors[:, ::-1])
    values, vectors = eigsh(graph, k=columns, which="LA", tol=TOLERANCE, v0=np.ones(n))
    return np.asarray(vectors[:, np.argsort(-values, kind="stable")])


def _is_dense(rows: int, columns: int) -> bool:
    return rows <= DENSE_ROWS or columns > rows // 4


def spectral_sweep(
    points: FloatArray, ks: Sequence[int], *, seed: int, neighbours: int = 10
) -> list[Candidate]:
    """Return one spectral candidate for each k, all from one embedding.

    Parameters
    ----------
    points
        Shape (n, p).
    ks
        Numbers of clusters, each 2..n - 2.
    seed
        For the k-means in the embedding.
    neighbours
        See `spectral_embedding`.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points) - 2)
    start = time.perf_counter()
    embedding = spectral_embedding(points, max(wanted), neighbours=neighbours)
    shared = (time.perf_counter() - start) / len(wanted)
    candidates = []
    for k in wanted:
        start = time.perf_counter()
        rows = embedding[:, :k]
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = np.ascontiguousarray(rows / np.maximum(norms, NO_LENGTH))
        if len(np.unique(rows.round(9), axis=0)) < k:
            continue
        labels = quick_kmeans(rows, [k], seed=seed)[0].labels
        seconds = shared + time.perf_counter() - start
        candidates.append(
            Candidate("spectral", {"k": k, "neighbours": neighbours}, labels, seconds)
        )
    return candidates


def spectral_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory of `spectral_sweep` beyond the points.

    The ties of every row to its neighbours while the graph is made, or the vectors of the
    Lanczos iteration beside it; few rows, or many eigenvectors, take the dense matrix and the
    solver's copies of it.
    """
    n, k = shape.rows, shape.clusters
    ties = int(str(parameters.get("neighbours", 10)))
    labels = n * 8 * shape.candidates
    if _is_dense(n, k):
        return 18 * n * n + labels
    lanczos = 8 * (max(2 * k + 1, 20) + 3 * k) + 40 * ties
    return n * max(116 * ties + 90, lanczos) + labels
