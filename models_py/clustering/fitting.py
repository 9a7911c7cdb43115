"""Candidates of every algorithm that is asked for, and the refit of one of them.

What an algorithm is and costs stands in :mod:`models_py.clustering.algorithms`; here it is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError, MemoryRefusedError
from models_py.base.settings import memory_bytes
from models_py.clustering.algorithms import ALGORITHMS, TableShape
from models_py.clustering.candidate import NOISE, Candidate, Request
from models_py.clustering.distances import metric_points
from models_py.clustering.rows import MixedRows, group_centers, nearest_centers

MEMORY_SHARE = 0.8
"""Share of the memory there is that a run may take: the rest of the job needs some too."""


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
        The same rows for algorithms that need mixed rows; None where no request does.
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
        check_memory(request, points, mixed)
    yield from _together(requests, points)
    for request in requests:
        if not ALGORITHMS[request.name].shares_work:
            yield from _candidates_of(request, points, mixed, seed)


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


def nearest_labels(
    candidate: Candidate, fitted: FloatArray, points: FloatArray, mixed: MixedRows | None = None
) -> IntArray:
    """Return the cluster that each row belongs to, by the model where there is one.

    Parameters
    ----------
    candidate
        A clustering of ``fitted``.
    fitted
        Shape (n, d): the rows it was fitted on; at length 1 where cosines were compared.
    points
        Shape (m, d): rows to label, likewise.
    mixed
        The same rows for a model that needs mixed rows; without them centers decide.
    """
    algorithm = ALGORITHMS[candidate.algorithm]
    if candidate.model is not None:
        if not algorithm.needs_mixed_rows:
            return np.asarray(candidate.model.predict(points), dtype=np.int64)
        if mixed is not None:
            predicted = candidate.model.predict(mixed.numeric, mixed.categorical)
            return np.asarray(predicted, dtype=np.int64)
    kept = candidate.labels != NOISE
    if algorithm.has_any_shape:
        from scipy.spatial import KDTree

        nearest = KDTree(fitted[kept]).query(points)[1]
        return np.asarray(candidate.labels[kept][nearest], dtype=np.int64)
    centers = group_centers(fitted[kept], candidate.labels[kept])
    return nearest_centers(points, metric_points(centers, candidate.metric))


def peak_bytes(request: Request, points: FloatArray, mixed: MixedRows | None) -> int:
    """Estimate what a request takes at its peak beyond the rows, in bytes."""
    estimate = ALGORITHMS[request.name].load("peak_bytes")
    shape = table_shape(request, points, mixed)
    return max(int(estimate(shape, parameters)) for parameters in _grid(request.parameters))


def table_shape(request: Request, points: FloatArray, mixed: MixedRows | None) -> TableShape:
    """Return what the memory of a request depends on."""
    k, count = max(request.ks, default=2), max(len(request.ks), 1)
    if mixed is None or not ALGORITHMS[request.name].needs_mixed_rows:
        return TableShape(len(points), points.shape[1], k, count)
    levels = int(mixed.categorical.max(initial=0)) + 1
    columns, categories = mixed.numeric.shape[1], mixed.categorical.shape[1]
    return TableShape(len(points), columns, k, count, categories, levels)


def check_memory(request: Request, points: FloatArray, mixed: MixedRows | None) -> None:
    """Refuse a request that would not fit in the memory there is.

    Raises
    ------
    MemoryRefusedError
        The message names an algorithm that would fit, or else how to lower the rows.
    """
    needed = peak_bytes(request, points, mixed)
    allowed = int(memory_bytes() * MEMORY_SHARE)
    if needed > allowed:
        raise MemoryRefusedError(
            f"{request.name} on {len(points):,} rows needs about {_size(needed)},"
            f" {_size(allowed)} may be used; {_way_out(request, points, allowed)}"
        )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def _way_out(request: Request, points: FloatArray, allowed: int) -> str:
    # Of the algorithms that fit, first those that are asked as much: k given, or found.
    lower = "lower the rows with the study's where"
    asked = ALGORITHMS[request.name]
    takers = [
        name
        for name, other in ALGORITHMS.items()
        if name != request.name
        and not other.needs_mixed_rows
        and _fits(Request(name, [] if other.finds_k else request.ks, {}), points, allowed)
    ]
    takers.sort(key=lambda name: ALGORITHMS[name].finds_k != asked.finds_k)
    return f"use {takers[0]}, which fits, or {lower}" if takers else lower


def _fits(request: Request, points: FloatArray, allowed: int) -> bool:
    return peak_bytes(request, points, None) <= allowed


def _grid(parameters: Mapping[str, object], whole: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    # Every combination of listed values, but for the parameters whose lists are taken whole.
    lists = [
        value if isinstance(value, list) and key not in whole else [value]
        for key, value in parameters.items()
    ]
    for values in product(*lists):
        yield dict(zip(parameters, values, strict=True))


def _together(requests: Sequence[Request], points: FloatArray) -> Iterator[Candidate]:
    # One call of a runner whose algorithms share work, for all that is asked of them.
    asked: dict[str, list[Request]] = {}
    for request in requests:
        algorithm = ALGORITHMS[request.name]
        if algorithm.shares_work:
            every = [Request(request.name, request.ks, each) for each in _grid(request.parameters)]
            asked.setdefault(algorithm.runner, []).extend(every)
    for group in asked.values():
        yield from ALGORITHMS[group[0].name].load("runner")(points, group)


def _candidates_of(
    request: Request, points: FloatArray, mixed: MixedRows | None, seed: int
) -> Iterator[Candidate]:
    algorithm = ALGORITHMS[request.name]
    run = algorithm.load("runner")
    rows = (points,)
    if algorithm.needs_mixed_rows:
        rows = _kinds(request.name, mixed)
    given = rows if algorithm.finds_k else (*rows, request.ks)
    own = {"seed": seed} if algorithm.takes_seed else {}
    for parameters in _grid(request.parameters, algorithm.swept):
        yield from run(*given, **own, **parameters)


def _kinds(name: str, mixed: MixedRows | None) -> tuple[Any, ...]:
    is_alone = mixed is None or 0 in (mixed.categorical.shape[1], mixed.numeric.shape[1])
    if mixed is None or (is_alone and ALGORITHMS[name].needs_both_kinds):
        raise DataError(
            f"{name} needs numeric and categorical features; add a categorical column to"
            " features.include, or use kmeans"
        )
    return mixed.numeric, mixed.categorical
