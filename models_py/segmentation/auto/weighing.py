"""Weigh the evidence for many clusterings of one table into one score each.

A clustering's score is a weighted sum: each piece of evidence as it stands and by its rank
among the candidates, and a constant for the algorithm. The weights were fitted on planted
groups of many shapes (``benchmarks/fit_auto.py`` fits them anew), those of tables of four columns
and more apart: they maximise the adjusted Rand index to be expected when a candidate is drawn with
probability proportional to exp(score).
Nothing in them knows the shape or the number of groups of the table at hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.algorithms import KIN, family_of
from models_py.clustering.auto import WIDE_FROM
from models_py.clustering.candidate import Candidate
from models_py.segmentation.auto.evidence import EVIDENCE, measure_evidence, prepare_evidence

CLIPPED_AT = 5.0
ONE_GROUP_CHANCE = 0.8
"""Past this chance one segment is the answer; see `one_group_chance`."""


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
def shipped_weights(columns: int) -> Weights:
    """Return the weights that came with this version for a table of so many columns."""
    loaded = _stored()["wide" if columns >= WIDE_FROM else "narrow"]
    parts = {
        part: np.array([loaded["evidence"][name][part] for name in EVIDENCE])
        for part in ("mean", "deviation", "raw", "rank")
    }
    return Weights(**parts, family=loaded["family"])


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
    families = [family_of(each.algorithm, each.parameters) for each in candidates]
    opinions = [KIN.get(family, family) for family in families]
    evidence = measure_evidence(prepare_evidence(points, seed=seed), labelings, opinions)
    scores = scored(evidence, families, weights or shipped_weights(points.shape[1]))
    best = int(np.argmax(scores))
    chance = one_group_chance(evidence[best])
    reason = _reason(candidates, labelings, evidence, best, chance)
    return Weighed(scores, evidence, best, chance > ONE_GROUP_CHANCE, reason)


def scored(evidence: FloatArray, families: Sequence[str], weights: Weights) -> FloatArray:
    """Return the weighted sum of each candidate, shape (c,)."""
    scaled = (np.nan_to_num(evidence) - weights.mean) / weights.deviation
    constant = np.array([weights.family.get(family, 0.0) for family in families])
    ranked = ranks(evidence) @ weights.rank
    raw = np.clip(scaled, -CLIPPED_AT, CLIPPED_AT) @ weights.raw
    return np.asarray(raw + ranked + constant)


def ranks(evidence: FloatArray) -> FloatArray:
    """Return each value's rank in its column, centered: -0.5 for the lowest, 0.5 the highest.

    Equal values share their middle rank, so that the order of the candidates does not matter.
    """
    from scipy.stats import rankdata

    count = len(evidence)
    if count < 2:
        return np.zeros_like(evidence)
    return np.asarray((rankdata(np.nan_to_num(evidence), axis=0) - 1.0) / (count - 1.0) - 0.5)


def one_group_chance(evidence: FloatArray) -> float:
    """Return the chance, 0..1, that a clustering's segments are parts of one group.

    A logistic model of four figures of the clustering: how dense the rows lie on the way from
    one segment to the next, how much thinner the neighbour graph is at the borders, how much
    better one Gaussian a segment explains the rows than one for all, and the share of nearest
    neighbours across a border. It was fitted on the winners of tables with groups and of tables
    without (Gaussian, evenly filled, heavy-tailed and skewed clouds).
    """
    fitted = _stored()["one_group"]
    figures = dict(zip(EVIDENCE, np.nan_to_num(evidence), strict=True))
    total = fitted["constant"] + sum(
        weight * figures[name] for name, weight in fitted["evidence"].items()
    )
    return float(1.0 / (1.0 + np.exp(-total)))


@cache
def _stored() -> dict[str, Any]:
    text = files("models_py.segmentation.auto").joinpath("weights.json").read_text(encoding="utf-8")
    stored: dict[str, Any] = json.loads(text)
    return stored


def _reason(
    candidates: Sequence[Candidate],
    labelings: Sequence[IntArray],
    evidence: FloatArray,
    best: int,
    chance: float,
) -> str:
    figure = dict(zip(EVIDENCE, evidence[best], strict=True))
    k = int(labelings[best].max()) + 1
    name = f"{candidates[best].algorithm.replace('_', ' ')} with {k} segments"
    between = min(figure["crossing"], 1.0)
    seen = (
        f"between segments the rows lie {between:.0%} as dense as at their middles, silhouette"
        f" {figure['silhouette']:.2f}, agreement with the other algorithms"
        f" {figure['agreement']:.2f}, chance that all is one group {chance:.0%}"
    )
    if chance > ONE_GROUP_CHANCE:
        return f"one segment: even the best of {len(candidates)} candidates, {name}, shows: {seen}"
    return f"the evidence speaks most for {name} of {len(candidates)} candidates: {seen}"
