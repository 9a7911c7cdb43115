"""Every algorithm by name: its candidates over k and parameters, and a refit of one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError, MemoryRefusedError
from models_py.base.settings import memory_bytes
from models_py.clustering.candidate import NOISE, Candidate
from models_py.clustering.rows import group_centers, nearest_centers
from models_py.studies.vocabulary import ALGORITHMS

TREES = ("ward", "average", "complete", "single")
KMEANS = ("kmeans", "minibatch_kmeans", "bisecting_kmeans")
MEMORY_SHARE = 0.8
WAY_OUT = "lower the rows with the study's where, or use kmeans, which grows with the rows alone"


@dataclass(frozen=True)
class MixedRows:
    """Rows as k-prototypes wants them.

    Attributes
    ----------
    numeric
        Shape (n, p): scaled numbers.
    categorical
        Shape (n, q): codes 0, 1, ... of each column's levels.
    """

    numeric: FloatArray
    categorical: IntArray

    def __getitem__(self, rows: IntArray) -> MixedRows:
        """Return some of the rows."""
        return MixedRows(self.numeric[rows], self.categorical[rows])


@dataclass(frozen=True)
class Request:
    """One algorithm as a study asks for it.

    Attributes
    ----------
    name
        A name of :data:`models_py.studies.vocabulary.ALGORITHMS`.
    ks
        Numbers of clusters to try; no matter to an algorithm that finds its own.
    parameters
        A list as a value tries each of its items.
    """

    name: str
    ks: Sequence[int]
    parameters: Mapping[str, object]


def find_candidates(
    requests: Sequence[Request], points: FloatArray, mixed: MixedRows | None, seed: int
) -> Iterator[Candidate]:
    """Yield the candidates of all requests; trees of one metric share their distances.

    Parameters
    ----------
    requests
        What to try.
    points
        Shape (n, d): the encoding.
    mixed
        The same rows for k-prototypes; None where no request needs them.
    seed
        For every random start.

    Raises
    ------
    DataError
        More clusters are asked for than there are rows.
    MemoryRefusedError
        An algorithm's memory would not fit; the message names the way out.
    """
    rows = len(points)
    for request in requests:
        if request.ks and max(request.ks) >= rows:
            raise DataError(
                f"{request.name}: k up to {max(request.ks)} needs more than {rows} rows;"
                " lower algorithms.k, or leave the group out with the study's where"
            )
        _refuse_what_does_not_fit(request, points, mixed)
    yield from _tree_candidates([r for r in requests if r.name in TREES], points)
    for request in requests:
        if request.name == "auto":
            yield from _automatic(request, points, seed)
        elif request.name == "hdbscan":
            yield from _density_trees(request, points)
        elif request.name not in TREES:
            for parameters in _grid(request.parameters):
                yield from _sweep(request, points, mixed, seed, parameters)


def refit(candidate: Candidate, points: FloatArray, mixed: MixedRows | None, seed: int) -> IntArray:
    """Return the labels that a candidate's algorithm and parameters give to other rows."""
    taken = ALGORITHMS[candidate.algorithm].parameters
    parameters = {key: value for key, value in candidate.parameters.items() if key in taken}
    k = candidate.parameters.get("k")
    ks = [int(str(k))] if k is not None else []
    request = Request(candidate.algorithm, ks, parameters)
    refitted = next(find_candidates([request], points, mixed, seed), None)
    # A tree that cannot be cut into as many parts on fewer rows gives one cluster.
    return np.zeros(len(points), dtype=np.int64) if refitted is None else refitted.labels


def _grid(parameters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    lists = [value if isinstance(value, list) else [value] for value in parameters.values()]
    for values in product(*lists):
        yield dict(zip(parameters, values, strict=True))


def _tree_candidates(requests: Sequence[Request], points: FloatArray) -> Iterator[Candidate]:
    from models_py.clustering.linkage import cut_tree, linkage_trees

    wanted: dict[str, list[Request]] = {}
    for request in requests:
        for parameters in _grid(request.parameters):
            metric = str(parameters.get("metric", "euclidean"))
            wanted.setdefault(metric, []).append(Request(request.name, request.ks, parameters))
    for metric, asked in wanted.items():
        began = time.perf_counter()
        trees = linkage_trees(points, list(dict.fromkeys(r.name for r in asked)), metric=metric)
        share = (time.perf_counter() - began) / sum(len(request.ks) for request in asked)
        for request in asked:
            for k, labels in zip(
                request.ks, cut_tree(trees[request.name], request.ks), strict=True
            ):
                yield Candidate(request.name, {"k": k, **request.parameters}, labels, share)


def _automatic(request: Request, points: FloatArray, seed: int) -> Iterator[Candidate]:
    # Past 5,000 rows a sample is clustered, and each other row joins its nearest sampled one.
    from scipy.spatial import KDTree

    from models_py.clustering.auto import auto_candidates, judged_rows

    kept = judged_rows(len(points), seed)
    sample = np.ascontiguousarray(points[kept])
    nearest = KDTree(sample).query(points)[1] if len(kept) < len(points) else np.arange(len(points))
    for parameters in _grid(request.parameters):
        for candidate in auto_candidates(sample, seed, **parameters):
            yield replace(candidate, labels=candidate.labels[nearest])


def _density_trees(request: Request, points: FloatArray) -> Iterator[Candidate]:
    # One tree serves every size of the smallest cluster.
    from models_py.clustering.density import hdbscan

    apart = {key: value for key, value in request.parameters.items() if key != "min_cluster_size"}
    sizes: Any = request.parameters.get("min_cluster_size", default_min_cluster_size(len(points)))
    for parameters in _grid(apart):
        yield from hdbscan(points, min_cluster_size=sizes, **parameters)


def _sweep(
    request: Request,
    points: FloatArray,
    mixed: MixedRows | None,
    seed: int,
    parameters: dict[str, Any],
) -> list[Candidate]:
    module, function = _FUNCTIONS[request.name]
    sweep = getattr(import_module(f"models_py.clustering.{module}"), function)
    if request.name == "dbscan":
        return [sweep(points, **parameters)]
    if request.name in WITHOUT_SEED:
        return list(sweep(points, request.ks, **parameters))
    if request.name != "kprototypes":
        return list(sweep(points, request.ks, seed=seed, **parameters))
    if mixed is None or mixed.categorical.shape[1] == 0 or mixed.numeric.shape[1] == 0:
        raise DataError(
            "kprototypes needs numeric and categorical features; add a categorical column to"
            " features.include, or use kmeans"
        )
    return list(sweep(mixed.numeric, mixed.categorical, request.ks, seed=seed, **parameters))


def default_min_cluster_size(rows: int) -> int:
    """Return the smallest density cluster worth finding: 2% of the rows, at least 10."""
    return max(10, rows // 50)


_FUNCTIONS = {
    "kmeans": ("kmeans", "kmeans_sweep"),
    "minibatch_kmeans": ("kmeans_variants", "minibatch_kmeans_sweep"),
    "bisecting_kmeans": ("kmeans_variants", "bisecting_kmeans_sweep"),
    "gaussian_mixture": ("mixture", "gaussian_mixture_sweep"),
    "dbscan": ("dbscan", "dbscan"),
    "kprototypes": ("kprototypes", "kprototypes_sweep"),
    "genie": ("genie", "genie"),
    "chopped": ("genie", "chopped"),
    "spectral": ("spectral", "spectral_sweep"),
}
WITHOUT_SEED = ("genie", "chopped")

ANY_SHAPE = ("single", "genie", "chopped", "spectral", "hdbscan", "dbscan")
"""Algorithms whose clusters have no center to speak of: a new row goes with its neighbour."""


def _refuse_what_does_not_fit(
    request: Request, points: FloatArray, mixed: MixedRows | None
) -> None:
    rows = len(points)
    needed = _peak_bytes(request, points, mixed)
    allowed = int(memory_bytes() * MEMORY_SHARE)
    if needed > allowed:
        raise MemoryRefusedError(
            f"{request.name} on {rows:,} rows needs about {needed / 1e9:.0f} GB,"
            f" {allowed / 1e9:.0f} GB may be used; {WAY_OUT}"
        )


def _peak_bytes(request: Request, points: FloatArray, mixed: MixedRows | None) -> int:
    rows, columns = points.shape
    k = max(request.ks, default=2)
    if request.name in TREES:
        from models_py.clustering.linkage import linkage_peak_bytes

        return linkage_peak_bytes(rows, columns, request.name)
    if request.name in KMEANS:
        from models_py.clustering.kmeans import kmeans_peak_bytes

        return kmeans_peak_bytes(rows, columns, k)
    if request.name == "gaussian_mixture":
        from models_py.clustering.mixture import mixture_peak_bytes

        return mixture_peak_bytes(rows, columns, k)
    if request.name == "kprototypes" and mixed is not None:
        from models_py.clustering.kprototypes import kprototypes_peak_bytes

        numbers, codes = mixed.numeric.shape[1], mixed.categorical.shape[1]
        levels = int(mixed.categorical.max(initial=0)) + 1
        return kprototypes_peak_bytes(rows, numbers, codes, k, levels)
    # Density methods estimate what their own blocks take when they begin.
    return int(rows * columns * 8 * 4)


def nearest_labels(candidate: Candidate, fitted: FloatArray, points: FloatArray) -> IntArray:
    """Return the cluster that each row belongs to, by the model where it can tell.

    Parameters
    ----------
    candidate
        A clustering of ``fitted``.
    fitted
        Shape (n, d): the rows it was fitted on.
    points
        Shape (m, d): rows to label.
    """
    predict = getattr(candidate.model, "predict", None)
    if predict is not None and candidate.algorithm != "kprototypes":
        return np.asarray(predict(points), dtype=np.int64)
    kept = candidate.labels != NOISE
    if candidate.algorithm in ANY_SHAPE:
        from scipy.spatial import KDTree

        nearest = KDTree(fitted[kept]).query(points)[1]
        return np.asarray(candidate.labels[kept][nearest], dtype=np.int64)
    return nearest_centers(points, group_centers(fitted[kept], candidate.labels[kept]))
