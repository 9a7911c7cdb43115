"""The algorithms a study may name: what they take, how they grow, what they are good at.

``rows`` is written n, ``k`` the clusters, ``p`` the columns.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AlgorithmTerms:
    """What a study may say of an algorithm and what it costs.

    Attributes
    ----------
    title
        The name that a reader sees.
    finds_k
        Whether it finds the number of clusters itself.
    parameters
        Keys of ``[algorithms.parameters]``.
    time, memory
        Growth, written with n, k and p.
    """

    title: str
    finds_k: bool
    parameters: tuple[str, ...]
    time: str
    memory: str


_TREE = ("metric",)

ALGORITHMS: dict[str, AlgorithmTerms] = {
    "kmeans": AlgorithmTerms(
        "k-means", False, ("n_init", "max_iter", "implementation"), "n k p", "n p"
    ),
    "minibatch_kmeans": AlgorithmTerms(
        "mini-batch k-means", False, ("n_init", "max_iter", "batch_size"), "n k p", "n p"
    ),
    "bisecting_kmeans": AlgorithmTerms(
        "bisecting k-means", False, ("n_init", "max_iter"), "n k p", "n p"
    ),
    "gaussian_mixture": AlgorithmTerms(
        "Gaussian mixture", False, ("covariance", "n_init"), "n k p²", "n k + k p²"
    ),
    "ward": AlgorithmTerms("Ward linkage", False, (), "n² p", "n p"),
    "average": AlgorithmTerms("average linkage", False, _TREE, "n² p", "n²"),
    "complete": AlgorithmTerms("complete linkage", False, _TREE, "n² p", "n²"),
    "single": AlgorithmTerms("single linkage", False, _TREE, "n² p", "n p"),
    "dbscan": AlgorithmTerms("DBSCAN", True, ("eps", "min_samples"), "n log n to n²", "n p"),
    "hdbscan": AlgorithmTerms(
        "HDBSCAN", True, ("min_cluster_size", "min_samples"), "n log n to n²", "n p"
    ),
    "kprototypes": AlgorithmTerms(
        "k-prototypes", False, ("init", "n_init", "gamma", "max_iter"), "n k p", "n p"
    ),
}
