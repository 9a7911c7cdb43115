"""Weigh the evidence for many clusterings of one table into one score each.

A clustering's score is a weighted sum: each piece of evidence as it stands and by its rank
among the candidates, and a constant for the algorithm. The weights were fitted on planted
groups of many shapes: they maximise the adjusted Rand index that is
to be expected when a candidate is drawn with probability proportional to exp(score). Nothing in
them knows the shape or the number of groups of the table at hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from models_py.clustering.candidate import Candidate
from models_py.evaluation.evidence import EVIDENCE, measure_evidence, prepare_evidence
from models_py.typing import FloatArray, IntArray

FAMILIES = (
    "kmeans",
    "ward",
    "average",
    "complete",
    "genie",
    "smooth_genie",
    "chopped",
    "gaussian_full",
    "gaussian_diag",
    "hdbscan",
    "spectral",
)
_KIN = {
    "minibatch_kmeans": "kmeans",
    "bisecting_kmeans": "kmeans",
    "kprototypes": "kmeans",
    "gaussian_tied": "gaussian_full",
    "gaussian_spherical": "gaussian_diag",
    "dbscan": "hdbscan",
    "single": "chopped",
}
CLIPPED_AT = 5.0


@dataclass(frozen=True)
class Weights:
    """What each piece of evidence counts.

    Attributes
    ----------
    mean, deviation
        Of each evidence over the planted sets, by which it is scaled.
    raw, rank
        Weights of the scaled evidence and of its rank among the candidates, 0..1.
    family
        Constant of each algorithm.
    """

    mean: FloatArray
    deviation: FloatArray
    raw: FloatArray
    rank: FloatArray
    family: Mapping[str, float]


@dataclass(frozen=True)
class Weighed:
    """Scores of the candidates and what they came from.

    Attributes
    ----------
    scores
        Shape (c,): higher is better.
    evidence
        Shape (c, len(EVIDENCE)).
    best
        Position of the highest score.
    one_segment
        Whether even the best does not tell groups apart.
    reason
        One sentence with the figures.
    """

    scores: FloatArray
    evidence: FloatArray
    best: int
    one_segment: bool
    reason: str

    def figures(self, position: int) -> dict[str, float]:
        """Return the evidence of one candidate by name."""
        return {
            name: float(value)
            for name, value in zip(EVIDENCE, self.evidence[position], strict=True)
        }


@cache
def shipped_weights() -> Weights:
    """Return the weights that came with this version."""
    text = files("models_py.evaluation").joinpath("weights.json").read_text(encoding="utf-8")
    loaded = json.loads(text)
    columns = {
        part: np.array([loaded["evidence"][name][part] for name in EVIDENCE])
        for part in ("mean", "deviation", "raw", "rank")
    }
    return Weights(**columns, family=loaded["family"])


def family_of(candidate: Candidate) -> str:
    """Return the family that a candidate's algorithm counts as."""
    if candidate.algorithm == "genie":
        return "smooth_genie" if candidate.parameters.get("neighbours") else "genie"
    name = candidate.algorithm
    if name == "gaussian_mixture":
        name = f"gaussian_{candidate.parameters.get('covariance', 'full')}"
    return _KIN.get(name, name)


def weigh(
    points: FloatArray,
    candidates: Sequence[Candidate],
    labelings: Sequence[IntArray],
    seed: int,
    weights: Weights | None = None,
) -> Weighed:
    """Return the score of each candidate.

    Parameters
    ----------
    points
        Shape (n, p), at most some thousand rows.
    candidates
        For their algorithms.
    labelings
        Their labels on these rows: 0..k-1 all in use, k of 2 or more, noise assigned.
    seed
        For the sampled silhouettes.
    weights
        `shipped_weights` by default.
    """
    families = [family_of(candidate) for candidate in candidates]
    evidence = measure_evidence(prepare_evidence(points, seed=seed), labelings, families)
    scores = scored(evidence, families, weights or shipped_weights())
    best = int(np.argmax(scores))
    one_segment = is_one_segment(evidence[best])
    reason = _reason(candidates, labelings, evidence, best, one_segment)
    return Weighed(scores, evidence, best, one_segment, reason)


def scored(evidence: FloatArray, families: Sequence[str], weights: Weights) -> FloatArray:
    """Return the weighted sum of each candidate, shape (c,)."""
    scaled = (np.nan_to_num(evidence) - weights.mean) / weights.deviation
    constant = np.array([weights.family.get(family, 0.0) for family in families])
    ranked = ranks(evidence) @ weights.rank
    raw = np.clip(scaled, -CLIPPED_AT, CLIPPED_AT) @ weights.raw
    return np.asarray(raw + ranked + constant)


def ranks(evidence: FloatArray) -> FloatArray:
    """Return each value's rank in its column, centred: -0.5 for the lowest, 0.5 the highest.

    Equal values share their middle rank, so that the order of the candidates does not matter.
    """
    from scipy.stats import rankdata

    count = len(evidence)
    if count < 2:
        return np.zeros_like(evidence)
    return np.asarray((rankdata(np.nan_to_num(evidence), axis=0) - 1.0) / (count - 1.0) - 0.5)


def is_one_segment(evidence: FloatArray) -> bool:
    """Return whether a clustering's segments are no groups: filled between, no gap, no shape.

    All three must fail: the density along the line from one segment to the next does not fall,
    the neighbour graph is no thinner between segments than inside, and one Gaussian explains
    the rows as well as one for each segment does.
    """
    bridge, clearance, gaussian = (
        float(evidence[EVIDENCE.index(name)]) for name in ("bridge", "clearance", "gaussian_bic")
    )
    return bridge > 0.8 and clearance < 0.0 and gaussian < 0.02


def _reason(
    candidates: Sequence[Candidate],
    labelings: Sequence[IntArray],
    evidence: FloatArray,
    best: int,
    one_segment: bool,
) -> str:
    figure = dict(zip(EVIDENCE, evidence[best], strict=True))
    name = candidates[best].algorithm.replace("_", " ")
    k = int(labelings[best].max()) + 1
    seen = (
        f"density between segments {min(figure['bridge'], 1.0):.0%} of that at their middles, "
        f"neighbour graph {np.exp(figure['valley']):.1f} times as thin at their borders, "
        f"silhouette {figure['silhouette']:.2f}, "
        f"agreement with other algorithms {figure['agreement']:.2f}"
    )
    if one_segment:
        return (
            f"one segment: the best of {len(candidates)} candidates, {name} with {k}, shows {seen}"
        )
    return f"{name} with {k} segments weighs most of {len(candidates)} candidates: {seen}"
