"""The algorithms a study may name: what they take, how they grow, what they are good at.

``rows`` is written n, ``k`` the clusters, ``p`` the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models_py.base.errors import near_match


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


@dataclass(frozen=True)
class Allowed:
    """Values that a parameter takes: in words, and as a test."""

    words: str
    accepts: Callable[[object], bool]


def _whole(least: int) -> Allowed:
    return Allowed(
        f"a whole number from {least}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
    )


def _above_zero() -> Allowed:
    return Allowed(
        "a number above 0",
        lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and 0.0 < value < float("inf")
        ),
    )


def _one_of(*words: str) -> Allowed:
    return Allowed(" or ".join(f"'{word}'" for word in words), lambda value: value in words)


PARAMETERS: dict[str, Allowed] = {
    "n_init": _whole(1),
    "max_iter": _whole(1),
    "random_state": _whole(0),
    "batch_size": _whole(1),
    "min_samples": _whole(1),
    "min_cluster_size": _whole(2),
    "least": _whole(1),
    "neighbours": _whole(0),
    "k_max": _whole(2),
    "threshold": _above_zero(),
    "eps": _above_zero(),
    "gamma": _above_zero(),
    "implementation": _one_of("bounded", "scikit-learn"),
    "covariance": _one_of("full", "diag", "tied", "spherical"),
    "metric": _one_of("euclidean", "cosine"),
    "init": _one_of("huang", "cao"),
}
"""Values of each parameter, whatever the algorithm; a list tries each of its items."""


def refused(algorithm: str, parameters: Mapping[str, object]) -> str | None:
    """Return what is wrong with an algorithm's parameters; None where nothing is.

    Parameters
    ----------
    algorithm
        A name of :data:`ALGORITHMS`.
    parameters
        As a study writes them.
    """
    known = ALGORITHMS[algorithm].parameters
    for key, value in parameters.items():
        if key not in known:
            return (
                f"{algorithm} has no parameter '{key}'{near_match(key, known)}"
                f" (it takes: {', '.join(known) or 'none'})"
            )
        items = value if isinstance(value, list) else [value]
        if not items:
            return f"{key} is an empty list; give {PARAMETERS[key].words}"
        for item in items:
            if not PARAMETERS[key].accepts(item):
                return f"{key} = {item!r} is not {PARAMETERS[key].words}"
    return None


_TREE = ("metric",)

ALGORITHMS: dict[str, AlgorithmTerms] = {
    "kmeans": AlgorithmTerms(
        "k-means", False, ("n_init", "max_iter", "implementation", "random_state"), "n k p", "n p"
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
    "genie": AlgorithmTerms("Genie linkage", False, ("threshold", "neighbours"), "n² p", "n p"),
    "chopped": AlgorithmTerms(
        "chopped spanning tree", False, ("least", "neighbours"), "n² p", "n p"
    ),
    "spectral": AlgorithmTerms(
        "spectral clustering", False, ("neighbours",), "n log n + n k²", "n k"
    ),
    "dbscan": AlgorithmTerms("DBSCAN", True, ("eps", "min_samples"), "n log n to n²", "n p"),
    "hdbscan": AlgorithmTerms(
        "HDBSCAN", True, ("min_cluster_size", "min_samples"), "n log n to n²", "n p"
    ),
    "kprototypes": AlgorithmTerms(
        "k-prototypes", False, ("init", "n_init", "gamma", "max_iter"), "n k p", "n p"
    ),
    "auto": AlgorithmTerms(
        'all of them, for `choose.by = "auto"`', True, ("k_max",), "n² p to 5,000 rows", "n p"
    ),
}
