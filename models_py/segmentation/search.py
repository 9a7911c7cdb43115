"""All candidates of all encodings in one go, measured in their own and in one common space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.base.progress import Progress
from models_py.clustering.algorithms import ALGORITHMS
from models_py.clustering.candidate import Candidate, Request
from models_py.clustering.distances import EUCLIDEAN, metric_points
from models_py.clustering.fitting import find_candidates
from models_py.clustering.rows import MixedRows
from models_py.segmentation.criteria import elbow
from models_py.segmentation.measures.computing import (
    INDICES,
    OF_CANDIDATE,
    common_figures,
    index_figures,
    silhouettes,
)
from models_py.segmentation.measures.dbcv import relative_dbcv
from models_py.segmentation.measures.gap import gap_statistic
from models_py.studies.measures import (
    DBCV,
    GAP,
    INERTIA,
    METRIC_SILHOUETTE,
    SILHOUETTE,
    Measure,
)

GAP_ROWS = 3000
"""The gap statistic clusters at most this many rows, once for each reference."""


@dataclass(frozen=True)
class EncodedRows:
    """Rows in an encoder's coordinates.

    Attributes
    ----------
    name
        What the results call it, such as ``"pca"``.
    points
        Shape (n, d).
    own
        Clusters of the rows that the encoder learnt with its coordinates, where it has some.
    """

    name: str
    points: FloatArray
    own: Candidate | None = None


@dataclass(frozen=True)
class EvaluatedCandidate:
    """A candidate, the space it was found in and its figures.

    Attributes
    ----------
    space
        Place of the encoding among those searched.
    candidate
        The clustering.
    figures
        Measures by name, see `models_py.studies.measures`; nan where one is not defined, noise
        rows left out.
    is_elbow
        Whether the inertia of its algorithm bends most over k here.
    """

    space: int
    candidate: Candidate
    figures: Mapping[str, float]
    is_elbow: bool = False

    def figure(self, measure: Measure) -> float:
        """Return the value of a measure."""
        return self.figures[measure.name]


def search(
    spaces: Sequence[EncodedRows],
    common: FloatArray,
    requests: Sequence[Request],
    mixed: MixedRows | None,
    seed: int,
    progress: Progress,
    over_all: Callable[[Candidate, FloatArray], Candidate | None] | None = None,
) -> list[EvaluatedCandidate]:
    """Find and measure every candidate.

    Time grows with the rows squared (distances, once for all candidates of a space), memory
    with the rows, plus what the algorithms take.

    Parameters
    ----------
    spaces
        The encodings, each of the same n rows.
    common
        Shape (n, p): the scaled selected features.
    requests
        Algorithms with parameters and numbers of clusters.
    mixed
        The same rows for k-prototypes.
    seed
        For every random start.
    progress
        Shows each space and the measuring.
    over_all
        Fits a candidate of a space's points to all the rows that they were drawn from; None where
        one of its clusters has none of the points.

    Returns
    -------
    list of EvaluatedCandidate
        In the order of spaces; within one, linkages first, then the other requests in order.
    """
    results: list[tuple[int, Candidate]] = []
    own: list[dict[str, FloatArray]] = []
    for number, space in enumerate(spaces):
        progress.step(f"clustering {len(common):,} rows in {space.name}")
        candidates = list(find_candidates(requests, space.points, mixed, seed))
        candidates += [space.own] if space.own is not None else []
        if over_all is not None:
            progress.step(f"fitting {len(candidates)} candidates to all rows")
            fitted = [over_all(candidate, space.points) for candidate in candidates]
            candidates = [candidate for candidate in fitted if candidate is not None]
            if not candidates:
                raise DataError(
                    "each candidate has a cluster without a row of the sample: raise sample_rows"
                )
        results += [(number, candidate) for candidate in candidates]
        progress.step(f"measuring {len(candidates)} candidates in {space.name}")
        own.append(_own_figures(space.points, candidates))
    progress.step(f"measuring {len(results)} candidates in the common space")
    shared = [
        _common_figures(
            common,
            [candidate for at, candidate in results if at == number],
            # A space that is the common one was measured already.
            own[number] if np.array_equal(space.points, common) else None,
        )
        for number, space in enumerate(spaces)
    ]
    figures = {
        name: np.concatenate([part[name] for part in parts])
        for parts in (own, shared)
        for name in parts[0]
    }
    return list(_joined(results, figures))


def _own_figures(points: FloatArray, candidates: Sequence[Candidate]) -> dict[str, FloatArray]:
    # Each by the distance that it was found by; one pass for all of a metric.
    figures = {name: np.full(len(candidates), np.nan) for name in INDICES}
    for metric, places in _of_metric(candidates).items():
        measured = index_figures(points, [candidates[i].labels for i in places], metric)
        for name, values in measured.items():
            figures[name][places] = values
    return figures


def _common_figures(
    common: FloatArray, candidates: Sequence[Candidate], own: Mapping[str, FloatArray] | None
) -> dict[str, FloatArray]:
    # By Euclidean distance, where all compare, and the silhouette by each one's own.
    of_metric = _of_metric(candidates)
    labelings = [candidate.labels for candidate in candidates]
    is_measured = own is not None and set(of_metric) == {EUCLIDEAN}
    shared = dict(own) if own and is_measured else index_figures(common, labelings)
    by_metric = shared[SILHOUETTE.name].copy()
    for metric, places in of_metric.items():
        if metric != EUCLIDEAN:
            labels = np.vstack([labelings[i] for i in places])
            by_metric[places] = (
                silhouettes(common, labels, metric) if own is None else own[SILHOUETTE.name][places]
            )
    return {**common_figures(shared), METRIC_SILHOUETTE.name: by_metric}


def _of_metric(candidates: Sequence[Candidate]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate.metric, []).append(place)
    return places


def _joined(
    candidates: Sequence[tuple[int, Candidate]], figures: Mapping[str, FloatArray]
) -> Iterator[EvaluatedCandidate]:
    bends = _elbows(candidates, figures[INERTIA.name])
    for column, (space, candidate) in enumerate(candidates):
        indices = {name: float(values[column]) for name, values in figures.items()}
        known = {name: float(compute(candidate)) for name, compute in OF_CANDIDATE.items()}
        yield EvaluatedCandidate(space, candidate, indices | known, column in bends)


EFFORT = ("k", "n_init", "max_iter", "implementation", "random_state")
"""Parameters that say how many, or how hard to look, and not what is looked for."""


def _elbows(candidates: Sequence[tuple[int, Candidate]], inertia: FloatArray) -> set[int]:
    # One elbow for each run of k that differs in k, and in how hard it was looked for, alone.
    sweeps: dict[str, dict[int, int]] = {}
    for column, (space, candidate) in enumerate(candidates):
        fixed = {key: v for key, v in candidate.parameters.items() if key not in EFFORT}
        if "k" in candidate.parameters:
            best = sweeps.setdefault(f"{space} {candidate.algorithm} {fixed}", {})
            k = int(str(candidate.parameters["k"]))
            if k not in best or inertia[column] < inertia[best[k]]:
                best[k] = column
    bends = set()
    for best in sweeps.values():
        ks = sorted(best)
        columns = [best[k] for k in ks]
        if len(columns) >= 3 and np.isfinite(inertia[columns]).all():
            bends.add(best[elbow(ks, inertia[columns])])
    return bends


def with_evidence(
    spaces: Sequence[EncodedRows], evaluated: Sequence[EvaluatedCandidate], seed: int
) -> list[EvaluatedCandidate]:
    """Add DBCV of every candidate and the gap statistic of k-means to their measures.

    Both are measured on a seeded sample where there are more than a few thousand rows, so
    that they rank candidates of one search and grow with the candidates alone.

    Parameters
    ----------
    spaces
        The rows in each encoder's coordinates.
    evaluated
        The candidates.
    seed
        For the samples and the references.
    """
    gaps = _gaps(spaces, evaluated, seed)
    return [
        replace(item, figures={**item.figures, **_evidence(item, spaces[item.space], gaps, seed)})
        for item in evaluated
    ]


def _evidence(
    item: EvaluatedCandidate, space: EncodedRows, gaps: Mapping[tuple[int, int], float], seed: int
) -> dict[str, float]:
    is_center_based = ALGORITHMS[item.candidate.algorithm].is_center_based
    gap = gaps.get((item.space, item.candidate.k), np.nan) if is_center_based else np.nan
    points = metric_points(space.points, item.candidate.metric)
    dbcv = relative_dbcv(points, item.candidate.labels, seed=seed).score
    return {DBCV.name: dbcv, GAP.name: gap}


def _gaps(
    spaces: Sequence[EncodedRows], candidates: Sequence[EvaluatedCandidate], seed: int
) -> dict[tuple[int, int], float]:
    gaps: dict[tuple[int, int], float] = {}
    for number, space in enumerate(spaces):
        ks = sorted(
            {
                item.candidate.k
                for item in candidates
                if item.space == number and ALGORITHMS[item.candidate.algorithm].is_center_based
            }
        )
        if not ks:
            continue
        points = space.points
        if len(points) > GAP_ROWS:
            drawn = np.random.default_rng(seed).choice(len(points), GAP_ROWS, replace=False)
            points = np.ascontiguousarray(points[np.sort(drawn)])
        measured = gap_statistic(points, ks, seed=seed)
        gaps |= {(number, k): float(g) for k, g in zip(measured.ks, measured.gaps, strict=True)}
    return gaps
