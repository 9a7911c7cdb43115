"""Measures of a clustering that are linear in the rows, for many labelings at once.

References
----------
Davies, Bouldin (1979), A cluster separation measure, IEEE Trans. Pattern Anal. Mach. Intell. 1.
Calinski, Harabasz (1974), A dendrite method for cluster analysis, Commun. Stat. 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, IntArray, finite_table
from models_py.base.errors import DataError
from models_py.base.threads import across_threads, compiled
from models_py.clustering.candidate import NOISE
from models_py.clustering.kmeans_kernels import squared_distance
from models_py.clustering.rows import dense_labels


@dataclass(frozen=True)
class Labelings:
    """Labelings of the same rows, renumbered 0..k-1 with noise as -1.

    Attributes
    ----------
    labels
        Shape (L, n).
    counts
        Clusters of each labeling, noise not counted, shape (L,).
    """

    labels: IntArray
    counts: IntArray


def checked_labelings(labelings: npt.ArrayLike, rows: int, noise: int = NOISE) -> Labelings:
    """Renumber labelings to 0..k-1 and -1 for noise.

    Parameters
    ----------
    labelings
        Shape (L, n), or (n,) for one.
    rows
        The n that is expected.
    noise
        Label of rows in no cluster.

    Returns
    -------
    Labelings
        With two dimensions always.

    Raises
    ------
    DataError
        The labels are not whole numbers, or not one for each row.
    """
    given = np.atleast_2d(np.asarray(labelings))
    if given.ndim != 2 or given.shape[1] != rows:
        raise DataError(f"labelings of shape {given.shape} do not fit {rows} rows")
    if given.dtype.kind not in "iub":
        raise DataError(f"labels must be whole numbers, got type {given.dtype}")
    labels = np.empty(given.shape, dtype=np.int64)
    counts = np.zeros(len(given), dtype=np.int64)
    for index, labeling in enumerate(given.astype(np.int64)):
        labels[index], counts[index] = dense_labels(labeling, noise)
    return Labelings(labels, counts)


@dataclass(frozen=True)
class ClusterMoments:
    """What the linear measures need to know of the clusters.

    Attributes
    ----------
    sizes, means
        Shapes (k,) and (k, p).
    square_sums, distance_sums
        Shape (k,): squared distances, and distances, of a cluster's rows to its mean, summed.
    """

    sizes: FloatArray
    means: FloatArray
    square_sums: FloatArray
    distance_sums: FloatArray


def cluster_moments(points: FloatArray, labels: IntArray, k: int) -> ClusterMoments:
    """Sizes, means and scatter of clusters 0..k-1; rows with a negative label do not count.

    Parameters
    ----------
    points
        Shape (n, p), C-contiguous.
    labels
        Shape (n,).
    k
        Number of clusters, each with at least one row.

    Returns
    -------
    ClusterMoments
        In the order of the labels.
    """
    sizes, means = np.zeros(k), np.zeros((k, points.shape[1]))
    square_sums, distance_sums = np.zeros(k), np.zeros(k)
    _sum_moments(points, labels, sizes, means, square_sums, distance_sums)
    return ClusterMoments(sizes, means, square_sums, distance_sums)


def all_moments(
    points: npt.ArrayLike, labelings: npt.ArrayLike, noise: int = NOISE
) -> list[ClusterMoments]:
    """Return what the measures below are made of: the moments of each labeling's clusters.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    labelings
        Shape (L, n), or (n,) for one.
    noise
        Label of rows in no cluster; they do not count.

    Raises
    ------
    DataError
        The points or labelings do not fit.
    """
    rows = finite_table(points, may_be_empty=True)
    checked = checked_labelings(labelings, len(rows), noise)
    return across_threads(
        lambda index: cluster_moments(rows, checked.labels[index], int(checked.counts[index])),
        range(len(checked.labels)),
    )


def inertias(labelings: Sequence[ClusterMoments]) -> FloatArray:
    """Sum of squared distances to the cluster means, for each labeling.

    Parameters
    ----------
    labelings
        The moments of each, by `all_moments`.

    Returns
    -------
    FloatArray
        Shape (L,); nan where every row is noise.
    """
    return _measured(labelings, lambda moments: float(moments.square_sums.sum()), 1)


def davies_bouldin_scores(labelings: Sequence[ClusterMoments]) -> FloatArray:
    """Davies-Bouldin index of each labeling; lower is better, 0 the least.

    Parameters
    ----------
    labelings
        As in `inertias`.

    Returns
    -------
    FloatArray
        Shape (L,); nan below two clusters, or where every row is a cluster.
    """
    return _measured(labelings, _davies_bouldin, 2)


def calinski_harabasz_scores(labelings: Sequence[ClusterMoments]) -> FloatArray:
    """Calinski-Harabasz index (variance ratio) of each labeling; higher is better.

    Parameters
    ----------
    labelings
        As in `inertias`.

    Returns
    -------
    FloatArray
        Shape (L,); nan below two clusters, or where every row is a cluster; 1 where all clusters
        are single points repeated, as scikit-learn has it.
    """
    return _measured(labelings, _calinski_harabasz, 2)


def _measured(
    labelings: Sequence[ClusterMoments],
    measure: Callable[[ClusterMoments], float],
    least_clusters: int,
) -> FloatArray:
    figures = [measure(one) if len(one.sizes) >= least_clusters else np.nan for one in labelings]
    return np.array(figures, dtype=np.float64)


def _davies_bouldin(clusters: ClusterMoments) -> float:
    if len(clusters.sizes) == clusters.sizes.sum():
        return np.nan
    within = clusters.distance_sums / clusters.sizes
    apart = clusters.means[:, None, :] - clusters.means[None, :, :]
    between = np.sqrt(np.einsum("ijk,ijk->ij", apart, apart))
    if np.allclose(within, 0.0) or np.allclose(between, 0.0):
        return 0.0
    between[between == 0.0] = np.inf
    return float(((within[:, None] + within[None, :]) / between).max(axis=1).mean())


def _calinski_harabasz(clusters: ClusterMoments) -> float:
    k, n = len(clusters.sizes), clusters.sizes.sum()
    if k == n:
        return np.nan
    inside = clusters.square_sums.sum()
    if inside == 0.0:
        return 1.0
    apart = clusters.means - clusters.sizes @ clusters.means / n
    outside = clusters.sizes @ np.einsum("ij,ij->i", apart, apart)
    return float(outside * (n - k) / (inside * (k - 1.0)))


@compiled
def _sum_moments(
    points: FloatArray,
    labels: IntArray,
    sizes: FloatArray,
    means: FloatArray,
    square_sums: FloatArray,
    distance_sums: FloatArray,
) -> None:
    n, features = points.shape
    for i in range(n):
        cluster = labels[i]
        if cluster >= 0:
            sizes[cluster] += 1.0
            for feature in range(features):
                means[cluster, feature] += points[i, feature]
    for cluster in range(len(sizes)):
        for feature in range(features):
            means[cluster, feature] /= sizes[cluster]
    for i in range(n):
        cluster = labels[i]
        if cluster >= 0:
            square = squared_distance(points, i, means, cluster)
            square_sums[cluster] += square
            distance_sums[cluster] += np.sqrt(square)
