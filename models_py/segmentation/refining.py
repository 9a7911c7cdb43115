"""The chosen clusters, refined: agreed on across seeds, and searched again inside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import Candidate, Request
from models_py.clustering.fitting import find_candidates, refit
from models_py.clustering.rows import MixedRows
from models_py.segmentation.measures.computing import silhouettes
from models_py.segmentation.measures.stability import Stability, consensus, stability
from models_py.studies.study import Stability as Refits, Study, SubSearch

REFIT_ROWS = 5000
"""Stability refits draw at most this many rows, so that their time does not grow with n²."""


@dataclass(frozen=True)
class Refined:
    """Clusters of the rows that were clustered.

    Attributes
    ----------
    labels
        Shape (n,): 0..k-1, -1 for noise.
    jaccard
        Shape (k,): how far each cluster comes back in refits; nan where not measured.
    notes
        What was refined, a sentence each.
    """

    labels: IntArray
    jaccard: FloatArray
    notes: list[str]


def measure_stability(
    candidate: Candidate,
    points: FloatArray,
    mixed: MixedRows | None,
    section: Refits,
    seed: int,
) -> Stability | None:
    """Refit a candidate on subsamples; None without refits or with fewer than two clusters.

    Parameters
    ----------
    candidate
        A clustering of ``points``.
    points
        Shape (n, d).
    mixed
        The same rows for k-prototypes.
    section
        How many refits, on what share of the rows (at most 5,000 of them).
    seed
        For the draws and the refits.
    """
    if section.refits == 0 or candidate.k < 2:
        return None

    # The row's number travels as a last column, so that mixed rows can follow the draw.
    def fit(drawn: FloatArray, fit_seed: int) -> IntArray:
        rows = drawn[:, -1].astype(np.int64)
        drawn_mixed = mixed[rows] if mixed is not None else None
        return refit(candidate, np.ascontiguousarray(drawn[:, :-1]), drawn_mixed, fit_seed)

    numbered = np.column_stack([points, np.arange(len(points))])
    share = min(section.share, REFIT_ROWS / len(points))
    return stability(fit, numbered, candidate.labels, refits=section.refits, share=share, seed=seed)


def refine(
    candidate: Candidate,
    jaccard: FloatArray,
    points: FloatArray,
    mixed: MixedRows | None,
    study: Study,
    seed: int,
) -> Refined:
    """Refine the chosen clusters as the study says: consensus across seeds, then a search inside.

    Parameters
    ----------
    candidate
        The selected candidate.
    jaccard
        Shape (k,): its clusters' stability.
    points
        Shape (n, d): the rows in the space of the selected candidate.
    mixed
        The same rows for k-prototypes.
    study
        Its sections ``stability`` and ``sub_search`` hold.
    seed
        The first of the seeds.
    """
    refined = Refined(candidate.labels, jaccard, [])
    if study.stability.consensus_seeds > 1:
        refined = _agreed(candidate, refined, points, mixed, study, seed)
    if study.sub_search is not None:
        for cluster in range(len(refined.jaccard)):
            refined = _searched_again(refined, cluster, points, study, seed)
    return refined


def _agreed(
    candidate: Candidate,
    refined: Refined,
    points: FloatArray,
    mixed: MixedRows | None,
    study: Study,
    seed: int,
) -> Refined:
    seeds = study.stability.consensus_seeds
    labelings = [refit(candidate, points, mixed, seed + offset) for offset in range(seeds)]
    labels = consensus(labelings, candidate.k)
    agreed = replace(candidate, labels=labels)
    measured = measure_stability(agreed, points, mixed, study.stability, seed)
    jaccard = np.full(agreed.k, np.nan) if measured is None else measured.segment_jaccard
    note = f"labels that {seeds} seeds of {candidate.algorithm} agree on"
    return Refined(labels, jaccard, [*refined.notes, note])


def _searched_again(
    refined: Refined, cluster: int, points: FloatArray, study: Study, seed: int
) -> Refined:
    section = study.sub_search
    members = np.flatnonzero(refined.labels == cluster)
    if section is None or members.size < section.min_share * refined.labels.size:
        return refined
    inside = np.ascontiguousarray(points[members])
    best = _best_split(inside, section, seed)
    if best is None:
        return refined
    measured = measure_stability(best, inside, None, study.stability, seed)
    jaccard = np.full(best.k, np.nan) if measured is None else measured.segment_jaccard
    if np.min(jaccard) < study.choose.min_stability:
        return refined
    # The first part keeps the cluster's number, the others go to the end.
    labels = refined.labels.copy()
    numbers = np.array([cluster, *range(len(refined.jaccard), len(refined.jaccard) + best.k - 1)])
    labels[members] = numbers[best.labels]
    merged = np.concatenate([refined.jaccard, jaccard[1:]])
    merged[cluster] = jaccard[0]
    note = f"a cluster of {members.size:,} rows was searched again and split in {best.k}"
    return Refined(labels, merged, [*refined.notes, note])


def _best_split(points: FloatArray, section: SubSearch, seed: int) -> Candidate | None:
    low, high = section.k
    ks = [k for k in range(low, high + 1) if k < len(points)]
    request = Request(section.algorithm, ks, {})
    try:
        candidates = list(find_candidates([request], points, None, seed)) if ks else []
    except DataError:
        # Too few distinct rows inside: the cluster is as fine as it gets.
        return None
    kept = [
        candidate
        for candidate in candidates
        if candidate.noise_share == 0
        and np.bincount(candidate.labels).min() >= section.min_part * len(points)
    ]
    if not kept:
        return None
    scores = silhouettes(points, np.vstack([candidate.labels for candidate in kept]))
    best = int(np.argmax(scores))
    return kept[best] if scores[best] >= section.min_silhouette else None
