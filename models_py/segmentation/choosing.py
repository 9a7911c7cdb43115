"""Which candidate wins: by one measure, by the stated rule, or weighed by all the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.clustering.density import neighbour_distances
from models_py.clustering.distances import EUCLIDEAN
from models_py.clustering.rows import MixedRows
from models_py.segmentation.criteria import choose
from models_py.segmentation.refining import measure_stability
from models_py.segmentation.search import EvaluatedCandidate, EncodedRows
from models_py.studies.measures import (
    ADJUSTED_RAND,
    CALINSKI_HARABASZ,
    COMMON_SILHOUETTE,
    CRITERIA,
    DAVIES_BOULDIN,
    DBCV,
    METRIC_SILHOUETTE,
    NOISE_SHARE,
    SILHOUETTE,
    SMALLEST_SHARE,
    STABILITY,
)
from models_py.studies.study import Study

OF_ONE_METRIC = (
    "rule",
    *(SILHOUETTE.name, DAVIES_BOULDIN.name, CALINSKI_HARABASZ.name, DBCV.name),
)
"""Ways to choose that rest on figures of a candidate's own distance."""

MOST_REFITTED = 6
"""Candidates that the rule measures for stability before it settles for the most stable."""


@dataclass(frozen=True)
class ChosenCandidate:
    """The candidate chosen.

    Attributes
    ----------
    position
        Its place among the candidates; None where one segment is the answer.
    reason
        Why, in a sentence with the figures.
    jaccard
        Shape (k,): how far each cluster comes back in refits; nan where not measured.
    refitted
        Position to the measures that refits give, by name, of the candidates refitted.
    ranking
        Positions of the candidates that could be chosen, by what the study chooses by, the best
        first.
    """

    position: int | None
    reason: str
    jaccard: FloatArray
    refitted: dict[int, dict[str, float]] = field(default_factory=dict)
    ranking: tuple[int, ...] = ()

    def noting(self, notes: Sequence[str], jaccard: FloatArray | None = None) -> ChosenCandidate:
        """Return the same candidate with more to its reason, and the stability after that."""
        reason = self.reason
        if notes and jaccard is not None:
            reason = reason.replace(_stability_words(self.jaccard), _stability_words(jaccard))
        return replace(self, reason="; ".join([reason, *notes]))

    def at(self, places: Sequence[int]) -> ChosenCandidate:
        """Return the same candidate where the others stand at these places among all."""
        return replace(
            self,
            position=None if self.position is None else places[self.position],
            refitted={places[position]: means for position, means in self.refitted.items()},
            ranking=tuple(places[position] for position in self.ranking),
        )


def choose_candidate(
    spaces: Sequence[EncodedRows],
    common: FloatArray,
    mixed: MixedRows | None,
    evaluated: Sequence[EvaluatedCandidate],
    study: Study,
    seed: int,
) -> ChosenCandidate:
    """Choose as the study says.

    Parameters
    ----------
    spaces, common, mixed
        The rows, as :func:`models_py.segmentation.search.search` took them.
    evaluated
        The candidates with their figures.
    study
        Its sections ``choose`` and ``stability`` hold.
    seed
        For the refits.

    Raises
    ------
    DataError
        No candidate has the figure that the study chooses by, or the ``algorithm`` and ``k`` that
        it fixes.
    """
    places = _preset_places(evaluated, study)
    groups = [places]
    if study.choose.by in OF_ONE_METRIC:
        metrics = dict.fromkeys(evaluated[place].candidate.metric for place in places)
        groups = [
            [place for place in places if evaluated[place].candidate.metric == metric]
            for metric in metrics
        ]
    is_named = study.choose.algorithm is not None or study.choose.candidate is not None
    if is_named and len(places) == 1:
        refits = _Refits(spaces, mixed, evaluated, study, seed)
        return _as_fixed(places[0], evaluated, study, refits)
    chosen = []
    for group in groups:
        eligible = [evaluated[place] for place in group]
        refits = _Refits(spaces, mixed, eligible, study, seed)
        if study.choose.by == "rule":
            best = _by_rule(spaces, eligible, study, refits)
        else:
            best = _by_choice(common, eligible, study.choose.by, refits, seed)
        chosen.append(best.at(group))
    return chosen[0] if len(chosen) == 1 else _of_metrics(chosen, evaluated, study)


def _as_fixed(
    position: int, evaluated: Sequence[EvaluatedCandidate], study: Study, refits: _Refits
) -> ChosenCandidate:
    """Return the one candidate that the study names, and where it ranks among the others."""
    item = evaluated[position]
    metric, own = item.candidate.metric, item.figure(SILHOUETTE)
    figures = [c.figure(SILHOUETTE) for c in evaluated if c.candidate.metric == metric]
    known = [figure for figure in figures if not np.isnan(figure)]
    asked = "was taken in place of the study's own answer"
    named = "is what the study names" if study.choose.candidate is None else asked
    reason = (
        f"{item.candidate.algorithm.replace('_', ' ')} with {item.candidate.k} segments {named}"
        f" ({_silhouette_name(item)} {own:.3f}"
    )
    if len(known) > 1 and not np.isnan(own):
        rank = 1 + sum(figure > own for figure in known)
        reason += f", rank {rank} of {len(known)} candidates, the best {max(known):.3f}"
    measure = study.choose.measure
    ranks = np.array([c.figures.get(measure.name, np.nan) for c in evaluated])
    ranking = _best_first(-ranks if measure.better == "lower" else ranks)
    jaccard = refits.jaccard(position)
    return ChosenCandidate(position, f"{reason})", jaccard, refits.figures, ranking)


def _best_first(scores: FloatArray) -> tuple[int, ...]:
    """Return the places of known scores, the highest first."""
    order = np.argsort(-scores, kind="stable")
    return tuple(int(place) for place in order if not np.isnan(scores[place]))


def _of_metrics(
    chosen: Sequence[ChosenCandidate], evaluated: Sequence[EvaluatedCandidate], study: Study
) -> ChosenCandidate:
    """Return the best of the candidates chosen by each distance: stable ones go first.

    Figures of two distances cannot be held against each other (a cosine silhouette is made of
    squares, and therefore larger), so the Euclidean one of the common space decides.
    """
    several = [(item, item.position) for item in chosen if item.position is not None]
    if not several:
        return chosen[0]

    def rank(pair: tuple[ChosenCandidate, int]) -> tuple[bool, float]:
        item, position = pair
        is_unstable = bool(np.min(item.jaccard) < study.choose.min_stability)
        return not is_unstable, evaluated[position].figure(COMMON_SILHOUETTE)

    best, _ = max(several, key=rank)
    figures = ", ".join(
        f"{evaluated[at].candidate.metric} {evaluated[at].figure(COMMON_SILHOUETTE):.3f}"
        for _, at in several
    )
    merged = {place: means for item in chosen for place, means in item.refitted.items()}
    places = {place for item in chosen for place in item.ranking}
    common = {place: evaluated[place].figure(COMMON_SILHOUETTE) for place in places}
    ranking = tuple(sorted(places, key=lambda place: (-common[place], place)))
    note = f"the best by each distance are compared in the common space (silhouette: {figures})"
    ranked = replace(best, refitted=merged, ranking=ranking)
    return ranked.noting([note] if len(several) > 1 else [])


def _preset_places(candidates: Sequence[EvaluatedCandidate], study: Study) -> list[int]:
    algorithm, k = study.choose.algorithm, study.choose.k
    if study.choose.candidate is not None:
        return [_one_candidate(candidates, study.choose.candidate, algorithm, k)]
    of_algorithm = [
        place
        for place, item in enumerate(candidates)
        if algorithm is None or item.candidate.algorithm == algorithm
    ]
    places = [place for place in of_algorithm if k is None or candidates[place].candidate.k == k]
    if not of_algorithm:
        raise DataError(f"choose.algorithm = '{algorithm}': it has no candidate for these rows")
    if not places:
        ks = sorted({candidates[place].candidate.k for place in of_algorithm})
        raise DataError(
            f"choose.k = {k}: no candidate has {k} segments"
            f" (they have: {', '.join(map(str, ks))}); let an algorithm's k reach it"
        )
    return places


def _one_candidate(
    candidates: Sequence[EvaluatedCandidate], place: int, algorithm: str | None, k: int | None
) -> int:
    if place < len(candidates):
        own = candidates[place].candidate
        if algorithm in (None, own.algorithm) and k in (None, own.k):
            return place
    what = (algorithm or "an algorithm").replace("_", " ")
    raise DataError(
        f"choose.candidate = {place}: it is no longer {what} with {k} segments, since the rows or"
        " the study changed; run the study without it and look at its alternatives again"
    )


class _Refits:
    """Refits candidates on subsamples, each at most once."""

    def __init__(
        self,
        spaces: Sequence[EncodedRows],
        mixed: MixedRows | None,
        candidates: Sequence[EvaluatedCandidate],
        study: Study,
        seed: int,
    ) -> None:
        self._spaces, self._mixed, self._found = spaces, mixed, candidates
        self._section, self._seed = study.stability, seed
        self._min_stability = study.choose.min_stability
        self._jaccard: dict[int, FloatArray] = {}
        self.figures: dict[int, dict[str, float]] = {}

    def jaccard(self, position: int) -> FloatArray:
        """Return each cluster's mean Jaccard coefficient, shape (k,); nan without refits."""
        if position not in self._jaccard:
            self._measure(position)
        return self._jaccard[position]

    def is_stable(self, position: int) -> bool:
        """Whether every cluster comes back, or no refit was asked for."""
        lowest = float(np.min(self.jaccard(position)))
        return bool(np.isnan(lowest) or lowest >= self._min_stability)

    def _measure(self, position: int) -> None:
        evaluated = self._found[position]
        points = self._spaces[evaluated.space].points
        measured = measure_stability(
            evaluated.candidate, points, self._mixed, self._section, self._seed
        )
        if measured is None:
            self._jaccard[position] = np.full(evaluated.candidate.k, np.nan)
            return
        self._jaccard[position] = measured.segment_jaccard
        self.figures[position] = {
            STABILITY.name: float(measured.segment_jaccard.mean()),
            ADJUSTED_RAND.name: measured.adjusted_rand,
        }


def _by_choice(
    common: FloatArray,
    evaluated: Sequence[EvaluatedCandidate],
    by: str,
    refits: _Refits,
    seed: int,
) -> ChosenCandidate:
    candidates = [item.candidate for item in evaluated]
    measures = {
        name: np.array([candidate.figures[name] for candidate in evaluated])
        for name in CRITERIA
        if all(name in candidate.figures for candidate in evaluated)
    }
    if by == STABILITY.name:
        measures[by] = np.array(
            [float(np.mean(refits.jaccard(position))) for position in range(len(evaluated))]
        )
    choice = choose(common, candidates, by=by, measures=measures, seed=seed)
    ranking = _best_first(np.array([evidence.score for evidence in choice.evidence]))
    if choice.index is None:
        return ChosenCandidate(None, choice.reason, np.array([np.nan]), ranking=ranking)
    jaccard = refits.jaccard(choice.index)
    return ChosenCandidate(choice.index, choice.reason, jaccard, refits.figures, ranking)


def _by_rule(
    spaces: Sequence[EncodedRows],
    evaluated: Sequence[EvaluatedCandidate],
    study: Study,
    refits: _Refits,
) -> ChosenCandidate:
    rule = study.choose
    silhouettes = _counted_silhouettes(evaluated)
    smallest = np.array([candidate.figure(SMALLEST_SHARE) for candidate in evaluated])
    needed = max(rule.min_share, rule.min_size / len(evaluated[0].candidate.labels))
    eligible = [
        int(i)
        for i in np.argsort(-silhouettes, kind="stable")
        if smallest[i] >= needed and not np.isnan(silhouettes[i])
    ]
    if not eligible:
        reason = (
            f"one segment: none of {len(evaluated)} candidates has at least {_least(study, needed)}"
            " of the rows in its smallest segment"
        )
        if all(candidate.figure(NOISE_SHARE) == 1.0 for candidate in evaluated):
            reason = _all_noise_words(evaluated, spaces)
        return ChosenCandidate(None, reason, np.array([np.nan]))
    best = next((i for i in eligible[:MOST_REFITTED] if refits.is_stable(i)), None)
    if best is None:
        tried = eligible[:MOST_REFITTED]
        settled = (
            _none_stable(tried, evaluated, study, refits)
            if rule.when_unstable == "one_segment"
            else _most_stable(tried, evaluated, silhouettes, study, refits)
        )
        return replace(settled, ranking=tuple(eligible))
    lowest = silhouettes[best] - rule.tolerance * abs(silhouettes[best])
    near = [i for i in eligible if silhouettes[i] >= lowest]
    finest_first = sorted(near, key=lambda i: (-evaluated[i].candidate.k, -silhouettes[i]))
    position = next(i for i in finest_first if i == best or refits.is_stable(i))
    least = f"{100 * needed:.3g}%"
    within = f"; most segments within {rule.tolerance:.0%} of the best" if position != best else ""
    reason = (
        f"common-space {_silhouette_name(evaluated[position])} {silhouettes[position]:.3f},"
        f" best {silhouettes[best]:.3f}, of"
        f" {len(eligible)} candidates with {least} or more in the smallest segment"
        f"{within}{_noise_words(evaluated[position])}; {_stability_words(refits.jaccard(position))}"
    )
    jaccard = refits.jaccard(position)
    return ChosenCandidate(position, reason, jaccard, refits.figures, tuple(eligible))


def _least(study: Study, needed: float) -> str:
    if needed > study.choose.min_share:
        return f"{study.choose.min_size} ({needed:.1%})"
    return f"{needed:.1%}"


def _counted_silhouettes(candidates: Sequence[EvaluatedCandidate]) -> FloatArray:
    """Return each candidate's mean silhouette by its own distance, rows left as noise counted 0.

    Without them a candidate that clusters none but the densest rows would always win.
    """
    return np.array(
        [
            candidate.figure(METRIC_SILHOUETTE) * (1.0 - candidate.figure(NOISE_SHARE))
            for candidate in candidates
        ]
    )


def _silhouette_name(evaluated: EvaluatedCandidate) -> str:
    metric = evaluated.candidate.metric
    return "silhouette" if metric == EUCLIDEAN else f"{metric} silhouette"


def _noise_words(evaluated: EvaluatedCandidate) -> str:
    share = evaluated.figure(NOISE_SHARE)
    return f"; the {share:.0%} of the rows that are noise count 0" if share > 0 else ""


def _all_noise_words(evaluated: Sequence[EvaluatedCandidate], spaces: Sequence[EncodedRows]) -> str:
    """Say how far apart the rows are where no density candidate found a cluster."""
    reason = f"one segment: every row is noise in each of {len(evaluated)} candidates"
    eps = [item for item in evaluated if isinstance(item.candidate.parameters.get("eps"), float)]
    if not eps:
        return reason
    widest = max(eps, key=lambda ep: float(str(ep.candidate.parameters["eps"])))
    count = min(int(str(widest.candidate.parameters["min_samples"])), len(widest.candidate.labels))
    apart = neighbour_distances(spaces[widest.space].points, count)
    return (
        f"{reason}: a cluster needs {count} rows within eps"
        f" {widest.candidate.parameters['eps']:g}, and the {count} nearest rows lie"
        f" {apart.min():,.4g} apart (half of the rows {np.median(apart):,.4g} or more,"
        f" the loneliest {apart.max():,.4g})"
    )


def _stability_words(jaccard: FloatArray) -> str:
    lowest = float(np.min(jaccard))
    if np.isnan(lowest):
        return "stability was not measured"
    return f"every segment comes back in refits (lowest Jaccard {lowest:.2f})"


def _none_stable(
    tried: list[int],
    candidates: Sequence[EvaluatedCandidate],
    study: Study,
    refits: _Refits,
) -> ChosenCandidate:
    lowest = {position: float(np.min(refits.jaccard(position))) for position in tried}
    most = max(tried, key=lambda position: lowest[position])
    reason = (
        f"one segment: no split comes back in refits; the most stable of the {len(tried)} best by"
        f" common-space {_silhouette_name(candidates[most])}, with"
        f" {candidates[most].candidate.k} segments, has one at Jaccard {lowest[most]:.2f} where"
        f" {study.choose.min_stability:g} is asked for"
    )
    return ChosenCandidate(None, reason, np.array([np.nan]), refits.figures)


def _most_stable(
    tried: list[int],
    candidates: Sequence[EvaluatedCandidate],
    silhouettes: FloatArray,
    study: Study,
    refits: _Refits,
) -> ChosenCandidate:
    most = max(tried, key=lambda i: float(np.min(refits.jaccard(i))))
    reason = (
        f"most stable of the {len(tried)} best by common-space"
        f" {_silhouette_name(candidates[most])}"
        f" ({silhouettes[most]:.3f}{_noise_words(candidates[most])}); none has every segment"
        f" at Jaccard {study.choose.min_stability:g} or more"
    )
    return ChosenCandidate(most, reason, refits.jaccard(most), refits.figures)
