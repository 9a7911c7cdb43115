"""Which columns tell groups of rows apart, found without knowing the groups.

A column belongs to the structure of a table if the groups that the *other* columns show can be
seen in it. A date of entry that is spread evenly cuts the rows in as many parts as one likes, but
nothing else follows these parts; two columns that say the same with different words support each
other only as far as one does not follow from the other, for what a number shows beyond the other
numbers is what counts.

Mixtures of numbers and words are fitted (`models_py.clustering.mixed_mixture`), each column is
judged by the components that the mixture finds without it, and the mixture is fitted again to
those that gain, until they stay the same. A gain is twice the logarithm of how much likelier the
column is, less what as many parameters cost by the Bayesian information criterion.

References
----------
Raftery, A., Dean, N. (2006). Variable selection for model-based clustering. JASA 101(473).
Maugis, C., Celeux, G., Martin-Magniette, M.-L. (2009). Variable selection for clustering with
Gaussian mixture models. Biometrics 65(3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.mixed_mixture import (
    Layout,
    MixedMixture,
    MixedPoints,
    lay_out,
    log_densities,
    mixture_path,
    one_component,
    to_shares,
)

MOST_ROWS = 3_000
LEAST_ROWS = 100
"""With fewer rows the gain of a column cannot be parted from chance."""

FIRST_KS = (2, 3, 4, 5, 6, 8, 10)
"""Numbers of components by which columns are first judged, when most of them may say nothing."""

STARTS = 3
ROUNDS = 6
RIDGE = 1e-6


@dataclass(frozen=True)
class Relevance:
    """What one column says of groups.

    Attributes
    ----------
    gain
        Above 0 where it tells groups apart.
    explained
        Share of it, 0..1, that is known once the groups of the other columns are.
    """

    gain: float
    explained: float


@dataclass(frozen=True)
class Structure:
    """What each column says of the groups that the others show.

    Attributes
    ----------
    numeric, categorical
        Shapes (p,) and (q,): gain of each column of the mixed rows; above 0 where it tells groups
        apart, nan where it has one value alone.
    numeric_explained, categorical_explained
        Shapes (p,) and (q,): share, 0..1, of the variance (of words: of the entropy) that is
        known once the groups of the other columns are.
    groups
        Components of the mixture that the gains come from.
    """

    numeric: FloatArray
    categorical: FloatArray
    numeric_explained: FloatArray
    categorical_explained: FloatArray
    groups: int

    @property
    def columns(self) -> int:
        """How many columns tell groups apart."""
        return int((self.numeric > 0.0).sum() + (self.categorical > 0.0).sum())


def find_structure(numeric: FloatArray, categorical: IntArray, most: int, seed: int) -> Structure:
    """Return what each column of mixed rows says of groups.

    Parameters
    ----------
    numeric
        Shape (n, p), finite and scaled.
    categorical
        Shape (n, q): codes 0, 1, ...
    most
        Groups, at most.
    seed
        For the rows drawn, past 3,000 of them, and the starts.

    Notes
    -----
    Time grows with the columns cubed and is some seconds for 40 of them.
    """
    n = len(numeric)
    if n > MOST_ROWS:
        drawn = np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))
        numeric, categorical = numeric[drawn], categorical[drawn]
    layout, points = lay_out(numeric, categorical, seed)
    judged = _first_judgement(points, most, seed)
    seen: set[tuple[int, ...]] = set()
    for _ in range(ROUNDS):
        kept = judged.kept
        if len(kept) < 2 or kept in seen:
            break
        seen.add(kept)
        part = points.of(kept)
        fits = [fit for fit in mixture_path(part, 2, most, seed) if fit.is_of_kinds]
        if not fits:
            break
        best = min(fits, key=lambda fit: fit.icl(part))
        judged = _judge(points, kept, best)
    return _structure(judged, layout, numeric.shape[1], categorical.shape[1])


@dataclass(frozen=True, eq=False)
class _Judgement:
    """Gain and explained share of each column of the points, and of how many components."""

    gains: FloatArray
    explained: FloatArray
    groups: int

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(int(place) for place in np.flatnonzero(self.gains > 0.0))

    @property
    def total(self) -> float:
        return float(self.gains[self.gains > 0.0].sum())


def _first_judgement(points: MixedPoints, most: int, seed: int) -> _Judgement:
    every = tuple(range(points.columns))
    judged = [
        _judge(points, every, fit)
        for start in range(STARTS)
        for fit in mixture_path(points, 2, most, seed + start)
        if fit.is_of_kinds and len(fit.weights) in FIRST_KS
    ]
    if not judged:
        return _judge(points, every, one_component(points))
    return max(judged, key=lambda judgement: judgement.total)


def _structure(judged: _Judgement, layout: Layout, p: int, q: int) -> Structure:
    """Put the columns of the points back to where they stand in the mixed rows."""
    places = np.concatenate([layout.numbers, layout.truths, p + np.arange(q)])
    gains, explained = np.full(p + q, np.nan), np.zeros(p + q)
    gains[places], explained[places] = judged.gains, np.clip(judged.explained, 0.0, 1.0)
    return Structure(gains[:p], gains[p:], explained[:p], explained[p:], judged.groups)


def _judge(points: MixedPoints, kept: Sequence[int], fit: MixedMixture) -> _Judgement:
    """Judge every column by the components that the kept columns but itself show."""
    p, part = points.numbers.shape[1], points.of(kept)
    places = [place for place in kept if place < p]
    logs = log_densities(part, fit.weights, fit.means, fit.within, fit.levels)
    gains, explained = np.zeros(points.columns), np.zeros(points.columns)
    gains[:p], explained[:p] = _other_numbers(points, places, fit.shares)
    for column in range(points.columns - p):
        gains[p + column], explained[p + column] = _words(points, column, fit.shares)
    for order, place in enumerate(kept):
        if place < p:
            shares = to_shares(logs + _without_number(part, fit, order))[0]
            gains[place], explained[place] = _own_number(part, order, shares)
        else:
            column = part.column == order - len(places)
            own = part.words[:, column] @ np.log(fit.levels[:, column]).T
            gains[place], explained[place] = _words(points, place - p, to_shares(logs - own)[0])
    return _Judgement(gains, explained, len(fit.weights))


def _without_number(part: MixedPoints, fit: MixedMixture, column: int) -> FloatArray:
    """Return what log densities gain, up to a constant, without a number; shape (n, k)."""
    precision = np.linalg.inv(fit.within)
    at = part.numbers @ precision[:, column]
    from_centers = at[:, None] - fit.means @ precision[:, column]
    return np.asarray(0.5 * from_centers**2 / precision[column, column])


def _cost(shares: FloatArray, free: int = 1) -> float:
    return float(free * (shares.shape[1] - 1) * np.log(len(shares)))


def _scatter(numbers: FloatArray, shares: FloatArray) -> FloatArray:
    """Return the covariance inside components, shape (p, p)."""
    sizes = shares.sum(axis=0) + 1e-9
    means = (shares.T @ numbers) / sizes[:, None]
    return np.asarray((numbers.T @ numbers - (means.T * sizes) @ means) / len(numbers))


def _own_number(part: MixedPoints, column: int, shares: FloatArray) -> tuple[float, float]:
    """Return the gain of a number beyond the other kept ones, and how much of it is explained."""
    ridge = RIDGE * np.eye(part.numbers.shape[1])
    within, total = _scatter(part.numbers, shares) + ridge, part.total + ridge
    inside = 1.0 / np.linalg.inv(within)[column, column]
    overall = 1.0 / np.linalg.inv(total)[column, column]
    gain = -part.rows * float(np.log(inside / overall)) - _cost(shares)
    return gain, 1.0 - float(within[column, column] / total[column, column])


def _other_numbers(
    points: MixedPoints, places: Sequence[int], shares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the same for every number, as if it was not among the kept ones, shape (p,)."""
    ridge = RIDGE * np.eye(points.numbers.shape[1])
    within, total = _scatter(points.numbers, shares) + ridge, points.total + ridge
    inside, overall = _beyond(within, places), _beyond(total, places)
    gains = -points.rows * np.log(inside / overall) - _cost(shares)
    return gains, 1.0 - np.diag(within) / np.diag(total)


def _beyond(covariance: FloatArray, places: Sequence[int]) -> FloatArray:
    """Return the variance of each number that those at the places leave."""
    across = covariance[:, places]
    explained = (
        np.linalg.solve(covariance[np.ix_(places, places)], across.T).T if places else across
    )
    left = np.diag(covariance) - (across * explained).sum(axis=1)
    return np.asarray(np.maximum(left, RIDGE))


def _words(points: MixedPoints, column: int, shares: FloatArray) -> tuple[float, float]:
    """Return the gain of a column of words, and the share of its entropy that is explained."""
    words = points.words[:, points.column == column]
    counted = shares.T @ words
    overall = words.mean(axis=0)
    chance = np.outer(shares.sum(axis=0), overall)
    mutual = float((counted * np.log(np.maximum(counted, 1e-9) / np.maximum(chance, 1e-9))).sum())
    kept = overall > 0
    entropy = -float((overall[kept] * np.log(overall[kept])).sum()) * points.rows
    free = int(kept.sum()) - 1
    return 2.0 * mutual - _cost(shares, free), mutual / entropy if entropy > 0 else 0.0
