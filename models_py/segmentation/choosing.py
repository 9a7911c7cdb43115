"""Which candidate wins: by one measure, by the stated rule, or weighed by all the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.clustering.algorithms import MixedRows
from models_py.clustering.density import neighbour_distances
from models_py.segmentation.criteria import Measure, choose
from models_py.segmentation.refining import measure_stability
from models_py.segmentation.search import Found, Space
from models_py.studies.study import Study

MOST_REFITTED = 6
"""Candidates that the rule measures for stability before it settles for the most stable."""

MEASURED = (
    "silhouette",
    "common_silhouette",
    "davies_bouldin",
    "calinski_harabasz",
    "dbcv",
)


@dataclass(frozen=True)
class Winner:
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
        Position to (mean Jaccard, mean adjusted Rand index), of the candidates refitted.
    """

    position: int | None
    reason: str
    jaccard: FloatArray
    refitted: dict[int, tuple[float, float]] = field(default_factory=dict)

    def noting(self, notes: Sequence[str]) -> Winner:
        """Return the same winner with more to its reason."""
        return replace(self, reason="; ".join([self.reason, *notes]))

    def at(self, places: Sequence[int]) -> Winner:
        """Return the same winner where the candidates stand at these places among all."""
        return replace(
            self,
            position=None if self.position is None else places[self.position],
            refitted={places[position]: means for position, means in self.refitted.items()},
        )


def choose_winner(
    spaces: Sequence[Space],
    common: FloatArray,
    mixed: MixedRows | None,
    found: Sequence[Found],
    study: Study,
    seed: int,
) -> Winner:
    """Choose as the study says.

    Parameters
    ----------
    spaces, common, mixed
        The rows, as :func:`models_py.segmentation.search.search` took them.
    found
        The candidates with their figures.
    study
        Its sections ``choose`` and ``stability`` hold.
    seed
        For the refits.

    Raises
    ------
    DataError
        No candidate has the figure that the study chooses by, or the ``k`` that it fixes.
    """
    places = _places_of_fixed_k(found, study)
    eligible = [found[place] for place in places]
    refits = _Refits(spaces, mixed, eligible, study, seed)
    by = study.choose.by
    if by == "rule":
        winner = _by_rule(spaces, eligible, study, refits)
    else:
        winner = _by_choice(common, eligible, by, refits, seed)
    return winner.at(places)


def _places_of_fixed_k(found: Sequence[Found], study: Study) -> list[int]:
    k = study.choose.k
    places = [i for i, one in enumerate(found) if k is None or one.candidate.k == k]
    if not places:
        ks = sorted({one.candidate.k for one in found})
        raise DataError(
            f"choose.k = {k}: no candidate has {k} segments"
            f" (they have: {', '.join(map(str, ks))}); let an algorithm's k reach it"
        )
    return places


class _Refits:
    """Refits candidates on subsamples, each at most once."""

    def __init__(
        self,
        spaces: Sequence[Space],
        mixed: MixedRows | None,
        found: Sequence[Found],
        study: Study,
        seed: int,
    ) -> None:
        self._spaces, self._mixed, self._found = spaces, mixed, found
        self._section, self._seed = study.stability, seed
        self._min_stability = study.choose.min_stability
        self._jaccard: dict[int, FloatArray] = {}
        self.means: dict[int, tuple[float, float]] = {}

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
        found = self._found[position]
        points = self._spaces[found.space].points
        measured = measure_stability(
            found.candidate, points, self._mixed, self._section, self._seed
        )
        if measured is None:
            self._jaccard[position] = np.full(found.candidate.k, np.nan)
            return
        self._jaccard[position] = measured.segment_jaccard
        self.means[position] = (float(measured.segment_jaccard.mean()), measured.adjusted_rand)


def _by_choice(
    common: FloatArray,
    found: Sequence[Found],
    by: Measure | Literal["auto"],
    refits: _Refits,
    seed: int,
) -> Winner:
    candidates = [one.candidate for one in found]
    measures = {name: np.array([getattr(one.measures, name) for one in found]) for name in MEASURED}
    if by == "stability":
        measures[by] = np.array(
            [float(np.mean(refits.jaccard(position))) for position in range(len(found))]
        )
    choice = choose(common, candidates, by=by, measures=measures, seed=seed)
    if choice.index is None:
        return Winner(None, choice.reason, np.array([np.nan]))
    return Winner(choice.index, choice.reason, refits.jaccard(choice.index), refits.means)


def _by_rule(
    spaces: Sequence[Space], found: Sequence[Found], study: Study, refits: _Refits
) -> Winner:
    rule = study.choose
    silhouettes = _counted_silhouettes(found)
    smallest = np.array([one.measures.smallest_share for one in found])
    eligible = [
        int(i)
        for i in np.argsort(-silhouettes, kind="stable")
        if smallest[i] >= rule.min_share and not np.isnan(silhouettes[i])
    ]
    if not eligible:
        reason = (
            f"one segment: none of {len(found)} candidates has at least {rule.min_share:.1%} of the"
            " rows in its smallest segment"
        )
        if all(one.measures.noise_share == 1.0 for one in found):
            reason = _all_noise_words(found, spaces)
        return Winner(None, reason, np.array([np.nan]))
    best = next((i for i in eligible[:MOST_REFITTED] if refits.is_stable(i)), None)
    if best is None:
        return _most_stable(eligible[:MOST_REFITTED], found, silhouettes, study, refits)
    lowest = silhouettes[best] - rule.tolerance * abs(silhouettes[best])
    near = [i for i in eligible if silhouettes[i] >= lowest]
    finest_first = sorted(near, key=lambda i: (-found[i].candidate.k, -silhouettes[i]))
    position = next(i for i in finest_first if i == best or refits.is_stable(i))
    least = f"{100 * rule.min_share:g}%"
    within = f"; most segments within {rule.tolerance:.0%} of the best" if position != best else ""
    reason = (
        f"common-space silhouette {silhouettes[position]:.3f}, best {silhouettes[best]:.3f}, of"
        f" {len(eligible)} candidates with {least} or more in the smallest segment"
        f"{within}{_noise_words(found[position])}; {_stability_words(refits.jaccard(position))}"
    )
    return Winner(position, reason, refits.jaccard(position), refits.means)


def _counted_silhouettes(found: Sequence[Found]) -> FloatArray:
    """Return each candidate's mean common-space silhouette, rows left as noise counted 0.

    Without them a candidate that clusters none but the densest rows would always win.
    """
    return np.array(
        [one.measures.common_silhouette * (1.0 - one.measures.noise_share) for one in found]
    )


def _noise_words(one: Found) -> str:
    share = one.measures.noise_share
    return f"; the {share:.0%} of the rows that are noise count 0" if share > 0 else ""


def _all_noise_words(found: Sequence[Found], spaces: Sequence[Space]) -> str:
    """Say how far apart the rows are where no density candidate found a cluster."""
    reason = f"one segment: every row is noise in each of {len(found)} candidates"
    eps = [one for one in found if isinstance(one.candidate.parameters.get("eps"), float)]
    if not eps:
        return reason
    widest = max(eps, key=lambda one: float(str(one.candidate.parameters["eps"])))
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


def _most_stable(
    tried: list[int],
    found: Sequence[Found],
    silhouettes: FloatArray,
    study: Study,
    refits: _Refits,
) -> Winner:
    most = max(tried, key=lambda i: float(np.min(refits.jaccard(i))))
    reason = (
        f"most stable of the {len(tried)} best by common-space silhouette"
        f" ({silhouettes[most]:.3f}{_noise_words(found[most])}); none has every segment at Jaccard"
        f" {study.choose.min_stability:g} or more"
    )
    return Winner(most, reason, refits.jaccard(most), refits.means)
