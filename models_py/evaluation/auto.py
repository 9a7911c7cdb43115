"""Segments of a table of which nothing is known: candidates, evidence and choice in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models_py.clustering.rows import check_points
from models_py.evaluation.choosing import (
    CandidateEvidence,
    choose,
)
from models_py.clustering.proposing import auto_candidates, judged_rows, numbered
from models_py.typing import FloatArray, IntArray

ONE_SEGMENT = "one_segment"


@dataclass(frozen=True)
class AutoResult:
    """Segments found, and why these.

    Attributes
    ----------
    labels
        Shape (n,): 0..k-1, the largest segment first; every row has one.
    k
        Segments; 1 where the rows show no structure.
    algorithm, parameters
        What found them; ``"one_segment"`` where nothing did.
    evidence
        One row for each candidate.
    reason
        One sentence with the figures.
    """

    labels: IntArray
    k: int
    algorithm: str
    parameters: Mapping[str, object]
    evidence: list[CandidateEvidence]
    reason: str


def auto_cluster(points: FloatArray, *, seed: int, k_max: int | None = None) -> AutoResult:
    """Find segments without being told the algorithm, their number or their shape.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    seed
        Same seed, same segments.
    k_max
        Most segments; 35 by default.

    Raises
    ------
    DataError
        For values that are not finite.

    Notes
    -----
    Time grows with n² up to 5,000 rows. Past that a sample of 5,000 is clustered and each other
    row joins the segment of the nearest sampled row, so that time grows with n·log n; `reason`
    says so.
    """
    points = check_points(points)
    kept = judged_rows(len(points), seed)
    sample = np.ascontiguousarray(points[kept])
    if len(np.unique(sample, axis=0)) < 4:
        return _one(len(points), [], "one segment: fewer than four distinct rows")
    candidates = auto_candidates(sample, seed, k_max=k_max)
    choice = choose(sample, candidates, by="auto", measures={}, seed=seed)
    reason = choice.reason
    if len(kept) < len(points):
        reason += f" (found on {len(kept):,} of {len(points):,} rows, the others joined)"
    if choice.index is None:
        return _one(len(points), choice.evidence, reason)
    winner = candidates[choice.index]
    labels = largest_first(joined(points, kept, winner.labels))
    k = int(labels.max()) + 1
    return AutoResult(labels, k, winner.algorithm, winner.parameters, choice.evidence, reason)


def _one(n: int, evidence: list[CandidateEvidence], reason: str) -> AutoResult:
    return AutoResult(np.zeros(n, dtype=np.int64), 1, ONE_SEGMENT, {}, evidence, reason)


def joined(points: FloatArray, kept: IntArray, found: IntArray) -> IntArray:
    """Return labels of all rows: those found on the kept rows, the nearest kept row's elsewhere."""
    if len(kept) == len(points):
        return found
    from scipy.spatial import KDTree

    return np.asarray(found[KDTree(points[kept]).query(points)[1]])


def largest_first(labels: IntArray) -> IntArray:
    """Return the labels as 0..k-1 by falling size; equal sizes by first row."""
    codes = numbered(labels)
    order = np.argsort(-np.bincount(codes), kind="stable")
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    return np.asarray(rank[codes])
