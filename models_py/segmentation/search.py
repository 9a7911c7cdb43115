"""All candidates of all encodings in one go, measured in their own and in one common space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.progress import Progress
from models_py.clustering.algorithms import MixedRows, Request, find_candidates
from models_py.clustering.candidate import Candidate
from models_py.segmentation.criteria import elbow
from models_py.segmentation.measures.dbcv import relative_dbcv
from models_py.segmentation.measures.gap import gap_statistic

GAP_ROWS = 3000
"""The gap statistic clusters at most this many rows, once for each reference."""

CENTER_BASED = ("kmeans", "minibatch_kmeans", "bisecting_kmeans")


EXACT_SILHOUETTE_ROWS = 60_000
"""Past this many rows the silhouette is the simplified one, which grows with the rows alone."""


@dataclass(frozen=True)
class EncodedRows:
    """Rows in an encoder's coordinates.

    Attributes
    ----------
    name
        What the results call it, such as ``"pca"``.
    points
        Shape (n, d).
    """

    name: str
    points: FloatArray


@dataclass(frozen=True)
class Measures:
    """Figures of one candidate; nan where a figure is not defined.

    Attributes
    ----------
    silhouette, davies_bouldin, calinski_harabasz, inertia
        In the space that was clustered; noise rows left out.
    common_silhouette, common_davies_bouldin, common_calinski_harabasz
        In the scaled selected features, where encoders compare.
    noise_share, smallest_share
        Of the rows clustered: left as noise; in the smallest cluster.
    dbcv, gap
        Density-based validity and gap statistic, where :func:`with_evidence` measured them.
    is_elbow
        Where the inertia of its algorithm bends most over k.
    """

    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    inertia: float
    common_silhouette: float
    common_davies_bouldin: float
    common_calinski_harabasz: float
    noise_share: float
    smallest_share: float
    dbcv: float = np.nan
    gap: float = np.nan
    is_elbow: bool = False


@dataclass(frozen=True)
class EvaluatedCandidate:
    """A candidate, the space it was found in and its figures."""

    space: int
    candidate: Candidate
    measures: Measures


def search(
    spaces: Sequence[EncodedRows],
    common: FloatArray,
    requests: Sequence[Request],
    mixed: MixedRows | None,
    seed: int,
    progress: Progress,
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

    Returns
    -------
    list of EvaluatedCandidate
        In the order of spaces; within one, linkages first, then the other requests in order.
    """
    results: list[tuple[int, Candidate]] = []
    own: list[FloatArray] = []
    for number, space in enumerate(spaces):
        progress.step(f"clustering {len(common):,} rows in {space.name}")
        candidates = list(find_candidates(requests, space.points, mixed, seed))
        results += [(number, candidate) for candidate in candidates]
        progress.step(f"measuring {len(candidates)} candidates in {space.name}")
        own.append(_figures(space.points, [candidate.labels for candidate in candidates]))
    progress.step(f"measuring {len(results)} candidates in the common space")
    shared = [
        # A space that is the common one was measured already.
        own[number]
        if np.array_equal(space.points, common)
        else _figures(common, [candidate.labels for at, candidate in results if at == number])
        for number, space in enumerate(spaces)
    ]
    return list(_joined(results, np.concatenate(own, axis=1), np.concatenate(shared, axis=1)))


def _figures(points: FloatArray, labelings: Sequence[IntArray]) -> FloatArray:
    # Rows: silhouette, Davies-Bouldin, Calinski-Harabasz, inertia; one column a labeling.
    from models_py.segmentation.measures.indices import (
        calinski_harabasz_scores,
        davies_bouldin_scores,
        inertias,
    )

    stacked = np.vstack(labelings)
    return np.vstack(
        [
            silhouettes(points, stacked),
            davies_bouldin_scores(points, stacked),
            calinski_harabasz_scores(points, stacked),
            inertias(points, stacked),
        ]
    )


def silhouettes(points: FloatArray, labelings: IntArray) -> FloatArray:
    """Return the mean silhouette of each labeling, shape (labelings,); simplified past 60,000 rows.

    Parameters
    ----------
    points
        Shape (n, d).
    labelings
        Shape (labelings, n), -1 for noise.
    """
    from models_py.segmentation.measures.silhouette import (
        mean_of_clustered,
        silhouette_scores,
        simplified_silhouette,
    )

    if len(points) <= EXACT_SILHOUETTE_ROWS:
        return silhouette_scores(points, labelings)
    samples = (simplified_silhouette(points, labels) for labels in labelings)
    return np.array([mean_of_clustered(sample[None, :])[0] for sample in samples])


def _joined(
    candidates: Sequence[tuple[int, Candidate]], own: FloatArray, shared: FloatArray
) -> Iterator[EvaluatedCandidate]:
    bends = _elbows(candidates, own[3])
    for column, (space, candidate) in enumerate(candidates):
        sizes = np.bincount(candidate.labels[candidate.labels >= 0])
        smallest = sizes.min() / candidate.labels.size if sizes.size else np.nan
        figures = [*own[:, column], *shared[:3, column], candidate.noise_share, smallest]
        names = [field.name for field in fields(Measures)][: len(figures)]
        named: dict[str, Any] = {
            name: float(figure) for name, figure in zip(names, figures, strict=True)
        }
        yield EvaluatedCandidate(space, candidate, Measures(**named, is_elbow=column in bends))


def _elbows(candidates: Sequence[tuple[int, Candidate]], inertia: FloatArray) -> set[int]:
    # One elbow for each run of k that differs in k alone.
    sweeps: dict[str, list[int]] = {}
    for column, (space, candidate) in enumerate(candidates):
        fixed = {key: value for key, value in candidate.parameters.items() if key != "k"}
        if "k" in candidate.parameters:
            sweeps.setdefault(f"{space} {candidate.algorithm} {fixed}", []).append(column)
    bends = set()
    for columns in sweeps.values():
        if len(columns) >= 3 and np.isfinite(inertia[columns]).all():
            ks = [int(str(candidates[column][1].parameters["k"])) for column in columns]
            bends.add(columns[ks.index(elbow(ks, inertia[columns]))])
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
        replace(
            item,
            measures=replace(
                item.measures,
                dbcv=relative_dbcv(
                    spaces[item.space].points, item.candidate.labels, seed=seed
                ).score,
                gap=gaps.get((item.space, item.candidate.k), np.nan)
                if item.candidate.algorithm in CENTER_BASED
                else np.nan,
            ),
        )
        for item in evaluated
    ]


def _gaps(
    spaces: Sequence[EncodedRows], candidates: Sequence[EvaluatedCandidate], seed: int
) -> dict[tuple[int, int], float]:
    gaps: dict[tuple[int, int], float] = {}
    for number, space in enumerate(spaces):
        ks = sorted(
            {
                item.candidate.k
                for item in candidates
                if item.space == number and item.candidate.algorithm in CENTER_BASED
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
