"""Which of several clusterings of one table to keep, and why.

By one measure, or by weighing all the evidence (``"auto"``) so that the shape, size and number
of groups need not be known. The stated rule, which refits, is in `models_py.segmentation.choosing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError, near_match
from models_py.base.plurals import plural
from models_py.clustering.auto import assign_noise, judged_rows, numbered
from models_py.clustering.candidate import Candidate
from models_py.clustering.distances import EUCLIDEAN
from models_py.segmentation.measures.computing import OF_CANDIDATE
from models_py.studies.measures import CRITERIA, DBCV, MEASURES


@dataclass(frozen=True)
class CandidateEvidence:
    """What speaks for one candidate.

    Attributes
    ----------
    index
        Position among the candidates.
    algorithm, k
        Of the candidate; noise is no segment.
    smallest_share
        Share of all rows in the smallest segment, 0..1.
    score
        What the rule ranks by, higher is better; nan where the candidate cannot be chosen.
    figures
        Measures and evidence by name.
    """

    index: int
    algorithm: str
    k: int
    smallest_share: float
    score: float
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """The candidate to keep.

    Attributes
    ----------
    index
        Position among the candidates; None when one segment is the answer (no structure).
    reason
        One sentence with the figures that decided.
    evidence
        One row for each candidate, in their order.
    """

    index: int | None
    reason: str
    evidence: list[CandidateEvidence]


def choose(
    points: FloatArray,
    candidates: Sequence[Candidate],
    *,
    by: str,
    measures: Mapping[str, FloatArray],
    seed: int,
) -> Choice:
    """Choose among clusterings of the same rows.

    Parameters
    ----------
    points
        Shape (n, p): the space that evidence is measured in.
    candidates
        Clusterings of the n rows.
    by
        ``"auto"`` or one of `CRITERIA`.
    measures
        Figures already known, each of shape (len(candidates),), nan where a candidate has none.
        DBCV is computed here where it is asked for and missing; BIC is taken from the
        candidates.
    seed
        For the rows that large tables are judged on.

    Raises
    ------
    DataError
        For no candidates, an unknown rule, a measure that nobody supplied, or figures that do
        not fit the candidates.

    Notes
    -----
    ``"auto"`` judges at most 5,000 rows, drawn by `seed`; see
    `models_py.segmentation.auto.weighing`.
    """
    _check(candidates, by, measures)
    if by == "auto":
        return _by_evidence(points, candidates, measures, seed)
    return _by_measure(points, candidates, by, measures, seed)


def elbow(ks: Sequence[int], inertias: Sequence[float] | FloatArray) -> int:
    """Return the k where the inertia stops falling steeply.

    Parameters
    ----------
    ks
        Numbers of segments, ascending.
    inertias
        Inertia of each.

    Raises
    ------
    DataError
        For fewer than three k or lengths that differ.

    References
    ----------
    Satopaa, Albrecht, Irwin, Raghavan (2011), Finding a "kneedle" in a haystack: detecting knee
    points in system behavior, ICDCS workshops, 166-171: the point of a falling convex curve,
    both axes scaled to 0..1, that lies deepest below the diagonal.
    """
    at, fall = np.asarray(ks, dtype=np.float64), np.asarray(inertias, dtype=np.float64)
    if at.size < 3 or at.size != fall.size:
        raise DataError(f"elbow: {at.size} k and {fall.size} inertias; give three or more of both")
    if fall.max() == fall.min():
        return int(at[0])
    across = (at - at[0]) / (at[-1] - at[0])
    down = (fall - fall.min()) / (fall.max() - fall.min())
    return int(at[int(np.argmax(1.0 - across - down))])


def _check(candidates: Sequence[Candidate], by: str, measures: Mapping[str, FloatArray]) -> None:
    if not candidates:
        raise DataError("choosing: there are no candidates; try more algorithms or a wider k")
    allowed = ("auto", *CRITERIA)
    if by not in allowed:
        raise DataError(
            f"choosing: '{by}' is none of {', '.join(allowed)}{near_match(by, allowed)}"
        )
    for name, figures in measures.items():
        if np.shape(figures) != (len(candidates),):
            raise DataError(
                f"choosing: measure '{name}' has shape {np.shape(figures)} for "
                f"{len(candidates)} candidates; give one figure each"
            )


def _rows(
    candidates: Sequence[Candidate], scores: FloatArray, figures: Sequence[Mapping[str, float]]
) -> list[CandidateEvidence]:
    return [
        CandidateEvidence(
            index, candidate.algorithm, candidate.k, _smallest_share(candidate), float(score), own
        )
        for index, (candidate, score, own) in enumerate(
            zip(candidates, scores, figures, strict=True)
        )
    ]


def _smallest_share(candidate: Candidate) -> float:
    kept = candidate.labels[candidate.labels >= 0]
    return (
        float(np.unique(kept, return_counts=True)[1].min() / candidate.labels.size)
        if kept.size
        else 0.0
    )


def _known(measures: Mapping[str, FloatArray], count: int) -> list[dict[str, float]]:
    return [{name: float(figures[i]) for name, figures in measures.items()} for i in range(count)]


def _by_measure(
    points: FloatArray,
    candidates: Sequence[Candidate],
    by: str,
    measures: Mapping[str, FloatArray],
    seed: int,
) -> Choice:
    figures = _figures(points, candidates, by, measures, seed)
    if np.isnan(figures).all():
        raise DataError(f"choosing: no candidate has the measure '{by}'; choose by another")
    measure = MEASURES[by]
    is_lower_better = measure.better == "lower"
    scores = -figures if is_lower_better else figures
    best = int(np.nanargmax(scores))
    gain, chance = np.nan, np.nan
    if by == "icl":
        gain, chance = _gain_over_one_group(candidates, figures)
    if gain <= chance:
        reason = _one_group_words(candidates, best, gain, chance)
        return Choice(None, reason, _rows(candidates, scores, _known(measures, len(candidates))))
    side = "lowest" if is_lower_better else "highest"
    metric = candidates[best].metric
    words = f"{metric} {measure.words}" if measure.is_own and metric != EUCLIDEAN else measure.words
    digits = 0 if abs(figures[best]) >= 100 else 3
    figure, count = f"{words} ({figures[best]:,.{digits}f})", int(np.isfinite(figures).sum())
    is_only = "is the only candidate that the study lets win, with a"
    said = f"{is_only} {figure}" if count == 1 else f"has the {side} {figure} of {count} candidates"
    reason = f"{_named(candidates[best])} {said}"
    if np.isfinite(gain):
        reason += f", {_below(gain)} that of one group"
    known = _known({**measures, by: figures}, len(candidates))
    return Choice(best, reason, _rows(candidates, scores, known))


def _gain_over_one_group(candidates: Sequence[Candidate], icl: FloatArray) -> tuple[float, float]:
    """Return how far the lowest ICL is below that of one group, and how far it is by chance.

    Both are nan where that is not known. One component leaves nothing unclear: its ICL is its BIC.
    """
    alone = [c.one_group_bic for c in candidates if c.one_group_bic is not None]
    if len(alone) < len(candidates):
        return float("nan"), float("nan")
    gain = float(np.max(np.array(alone) - icl))
    if gain <= 0.0:
        return gain, 0.0
    asked = {c.chance_gain for c in candidates if c.chance_gain is not None}
    return gain, max((gain_of_chance() for gain_of_chance in asked), default=0.0)


def _below(gain: float) -> str:
    return "just below" if gain < 1.0 else f"{gain:,.0f} below"


def _one_group_words(candidates: Sequence[Candidate], best: int, gain: float, chance: float) -> str:
    above = "just" if gain > -1.0 else f"{-gain:,.0f}"
    why = f"{above} above that of one group: it leaves more unclear than it tells apart"
    if gain > 0.0:
        why = (
            f"only {_below(gain)} that of one group: so few rows of one group get"
            f" {_below(chance)} it by chance"
        )
    return (
        f"one segment: no groups here. The best of {plural(len(candidates), 'candidate')},"
        f" {_named(candidates[best])}, has an ICL {why}"
    )


def _figures(
    points: FloatArray,
    candidates: Sequence[Candidate],
    by: str,
    measures: Mapping[str, FloatArray],
    seed: int,
) -> FloatArray:
    if by in measures:
        return np.asarray(measures[by], dtype=np.float64)
    if by in OF_CANDIDATE:
        return np.array([OF_CANDIDATE[by](candidate) for candidate in candidates])
    if by == DBCV.name:
        from models_py.segmentation.measures.dbcv import relative_dbcv

        return np.array([relative_dbcv(points, c.labels, seed=seed).score for c in candidates])
    raise DataError(f"choosing: the measure '{by}' was not computed; add it or choose by another")


def _named(candidate: Candidate) -> str:
    return f"{candidate.algorithm.replace('_', ' ')} with {candidate.k} segments"


def _by_evidence(
    points: FloatArray,
    candidates: Sequence[Candidate],
    measures: Mapping[str, FloatArray],
    seed: int,
) -> Choice:
    from models_py.segmentation.auto.weighing import weigh

    kept = judged_rows(len(points), seed)
    judged = np.ascontiguousarray(points[kept], dtype=np.float64)
    labelings = [numbered(assign_noise(judged, candidate.labels[kept])) for candidate in candidates]
    several = [i for i, labels in enumerate(labelings) if 1 < labels.max() + 1 < len(kept)]
    known = _known(measures, len(candidates))
    scores = np.full(len(candidates), np.nan)
    if not several or len(np.unique(judged, axis=0)) < 4:
        reason = f"one segment: none of {len(candidates)} candidates tells two apart"
        return Choice(None, reason, _rows(candidates, scores, known))
    weighed = weigh(judged, [candidates[i] for i in several], [labelings[i] for i in several], seed)
    for position, i in enumerate(several):
        scores[i] = weighed.scores[position]
        known[i].update(weighed.figures(position))
    sampled = (
        f" (judged on {len(kept):,} of {len(points):,} rows)" if len(kept) < len(points) else ""
    )
    rows = _rows(candidates, scores, known)
    best = None if weighed.one_segment else several[weighed.best]
    return Choice(best, weighed.reason + sampled, rows)
