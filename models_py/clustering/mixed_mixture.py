"""A mixture of numbers and words: kinds of customers that vary alike inside, merged down to few.

Numbers are Gaussian around the mean of their component. With the pooled covariance, which all
components share, columns in which everybody varies alike count little; with covariances of their
own, drawn a little towards the pooled one, components may be wide or narrow. Words and columns of
yes and no have shares of their own in each component and are independent of the rest inside it. A
split of one column of words by itself explains nothing: one component fits its shares as well.
The path begins with many components and merges the nearest pair, as in
`models_py.clustering.pooled_mixture`.

Numbers of few values would be found as spikes. They are spread over their steps while the mixture
is fitted: up to `FEW_VALUES` values (grades, ratings) over the quantiles of a normal distribution
that they stand for, up to `STEPPED_VALUES` (counts) evenly to the middle of the next value.

Growth: linear in the rows, quadratic in the columns; at most `SAMPLE_ROWS` rows are fitted.

References
----------
Hunt, L., Jorgensen, M. (1999). Mixture model clustering using the MULTIMIX program. Australian and
New Zealand Journal of Statistics 41(2).
Marbac, M., Sedki, M. (2017). Variable selection for model-based clustering using the integrated
complete-data likelihood. Statistics and Computing 27.
Biernacki, C., Celeux, G., Govaert, G. (2000). Assessing a mixture model for clustering with the
integrated completed likelihood. IEEE PAMI 22(7).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from models_py.base.arrays import FloatArray, IntArray, finite_table
from models_py.base.errors import DataError
from models_py.clustering.candidate import Assignment, Candidate
from models_py.clustering.kmeans import kmeans_sweep
from models_py.clustering.rows import check_columns, check_ks, compact_labels

if TYPE_CHECKING:
    from models_py.clustering.algorithms import TableShape

SAMPLE_ROWS = 20_000
FINER = 4
"""Components beyond the largest number asked for, with which the path begins."""

FEW_VALUES = 10
STEPPED_VALUES = 30
FLOOR = 0.01
"""Share of a number's variance added to its variance inside components."""

OWN_PRIOR_ROWS = 10.0
"""Rows with the shared covariance that are added to each component's own."""

PRIOR_ROWS = 1.0
"""Rows with the shares of all that are added to each component's words."""

WORDS_WEIGHT = 0.7
"""Variance that a column of words has in the k-means of the start, where a number has 1."""

SMALLEST_ROWS = 10
SMALLEST_SHARE = 0.02
"""A component of fewer rows is no kind of customers: such candidates are left out."""

CHANCE_ROWS = 100
CHANCE_TABLES = 19
"""With fewer rows, groups must show more clearly than in any of so many tables of one group: in
one of twenty of these they do by chance."""

PASSES = 60
TOLERANCE = 1e-4

Covariance = Literal["pooled", "own"]


@dataclass(frozen=True, eq=False)
class Layout:
    """How the columns of mixed rows enter the mixture.

    Attributes
    ----------
    numbers
        Places of the numbers of three values and more.
    levels, scores
        Shape (numbers, `FEW_VALUES`): values of those that have few, and the mean normal quantile
        that each stands for; nan beyond them, and everywhere for a number of many values.
    centers, spreads
        Shape (numbers,): what the fitted rows are scaled by.
    truths, halves
        Places of the numbers of two values, and the middle between these.
    sizes
        Values of each column of words, those of two values first; code 0 up to the size less 1.
    """

    numbers: IntArray
    levels: FloatArray
    scores: FloatArray
    centers: FloatArray
    spreads: FloatArray
    truths: IntArray
    halves: FloatArray
    sizes: IntArray

    def scaled(self, numeric: FloatArray) -> FloatArray:
        """Return the numbers of rows as the mixture sees them, shape (n, numbers)."""
        points = numeric[:, self.numbers].copy()
        for place, levels in enumerate(self.levels):
            known = np.isfinite(levels)
            if known.any():
                scores = self.scores[place, known]
                points[:, place] = np.interp(points[:, place], levels[known], scores)
        return np.asarray((points - self.centers) / self.spreads)

    def codes(self, numeric: FloatArray, categorical: IntArray) -> IntArray:
        """Return a code for each column of words, shape (n, len(sizes))."""
        of_two = (numeric[:, self.truths] > self.halves).astype(np.int64)
        return np.hstack([of_two, categorical.astype(np.int64)])


@dataclass(frozen=True, eq=False)
class MixedPoints:
    """Rows as the mixture is fitted to them.

    Attributes
    ----------
    numbers
        Shape (n, p), each of mean 0 and variance 1.
    words
        Shape (n, levels): 1 where a row has the level, all columns of words side by side.
    column
        Shape (levels,): the column of words that each level is of, ascending.
    """

    numbers: FloatArray
    words: FloatArray
    column: IntArray

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.numbers)

    @property
    def columns(self) -> int:
        """How many columns there are: numbers, then columns of words."""
        words = int(self.column[-1]) + 1 if self.column.size else 0
        return int(self.numbers.shape[1]) + words

    def of(self, places: Sequence[int]) -> MixedPoints:
        """Return some of the columns, in their order."""
        p = self.numbers.shape[1]
        numbers = [place for place in places if place < p]
        words = [place - p for place in places if place >= p]
        kept = np.isin(self.column, words)
        column = np.searchsorted(words, self.column[kept])
        points = np.ascontiguousarray(self.numbers[:, numbers])
        return MixedPoints(points, np.ascontiguousarray(self.words[:, kept]), column)

    @cached_property
    def total(self) -> FloatArray:
        """Shape (p, p): covariance of the numbers."""
        centered = self.numbers - self.numbers.mean(axis=0)
        return np.asarray(centered.T @ centered / self.rows)


@dataclass(frozen=True, eq=False)
class MixedMixture:
    """A mixture that has come to rest.

    Attributes
    ----------
    weights
        Shape (k,): share of each component.
    means
        Shape (k, p).
    within
        Shape (p, p): the covariance inside components; (k, p, p) where each has its own.
    levels
        Shape (k, levels): share of each level in each component.
    likelihood
        Logarithm, of all rows.
    shares
        Shape (n, k): of each row in the components.
    """

    weights: FloatArray
    means: FloatArray
    within: FloatArray
    levels: FloatArray
    likelihood: float
    shares: FloatArray

    def bic(self, points: MixedPoints) -> float:
        """Return the Bayesian information criterion; lower is better."""
        k, p = self.means.shape
        words = len(points.column) - (points.columns - p)
        covariances = 1 if self.within.ndim == 2 else k
        free = k - 1 + k * (p + words) + covariances * p * (p + 1) // 2
        return float(free * np.log(points.rows)) - 2.0 * self.likelihood

    def entropy(self) -> float:
        """Return how unclear it is which component the rows are of; 0 where all are clear."""
        tiny = np.finfo(np.float64).tiny
        return -float(np.sum(self.shares * np.log(np.maximum(self.shares, tiny))))

    def icl(self, points: MixedPoints) -> float:
        """Return the integrated completed likelihood on the scale of `bic`."""
        return self.bic(points) + 2.0 * self.entropy()

    @property
    def is_of_kinds(self) -> bool:
        """Whether no component is too small to be a kind of customers."""
        rows = len(self.shares)
        return bool(self.weights.min() * rows >= max(SMALLEST_ROWS, SMALLEST_SHARE * rows))


@dataclass(frozen=True, eq=False)
class MixedMixtureModel:
    """A fitted mixture that gives every row its most probable component.

    Attributes
    ----------
    layout
        How the columns enter it.
    weights, means, within
        As :class:`MixedMixture` has them.
    levels
        Shape (k, columns of words, most values): share of each code.
    """

    layout: Layout
    weights: FloatArray
    means: FloatArray
    within: FloatArray
    levels: FloatArray

    def predict(self, numeric: FloatArray, categorical: IntArray) -> IntArray:
        """Return the most probable component of every row, shape (n,).

        A word that the mixture was not fitted on speaks for no component.
        """
        if len(numeric) == 0:
            return np.zeros(0, dtype=np.int64)
        return np.asarray(self._logs(numeric, categorical).argmax(axis=1), dtype=np.int64)

    def probabilities(self, numeric: FloatArray, categorical: IntArray) -> FloatArray:
        """Return the probability of each component for every row, shape (n, k)."""
        if len(numeric) == 0:
            return np.zeros((0, len(self.weights)))
        return to_shares(self._logs(numeric, categorical))[0]

    def _logs(self, numeric: FloatArray, categorical: IntArray) -> FloatArray:
        logs = np.log(self.weights) + _gaussian_logs(
            self.layout.scaled(numeric), self.means, self.within
        )
        codes = self.layout.codes(numeric, categorical)
        for place, size in enumerate(self.layout.sizes):
            code = codes[:, place]
            known = np.flatnonzero((code >= 0) & (code < size))
            logs[known] += np.log(self.levels[:, place, code[known]]).T
        return np.asarray(logs)

    def roots(self) -> tuple[FloatArray, FloatArray]:
        """Return roots of the precisions and the constant part of each log density.

        Returns
        -------
        roots, offsets
            Shapes (k, p, p), or (1, p, p) where the components have one covariance, and (k,), as
            in :meth:`models_py.clustering.mixture.MixtureModel.roots`; words come on top.
        """
        within = self.within.reshape(-1, *self.within.shape[-2:])
        p = within.shape[-1]
        lower = np.linalg.cholesky(within)
        roots = np.tril(np.linalg.inv(lower))
        logs = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        return roots, np.log(self.weights) + logs - 0.5 * p * np.log(2.0 * np.pi)

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""
        layout = {name: getattr(self.layout, name) for name in Layout.__dataclass_fields__}
        layout["level_values"], layout["level_scores"] = layout.pop("levels"), layout.pop("scores")
        state = {
            "weights": self.weights,
            "means": self.means,
            "within": self.within,
            "levels": self.levels,
            **layout,
        }
        return Assignment("most_probable_kind", state)


def mixed_mixture_sweep(
    numeric: FloatArray,
    categorical: IntArray,
    ks: Iterable[int],
    *,
    seed: int,
    covariance: Covariance = "pooled",
    n_init: int = 1,
) -> list[Candidate]:
    """Fit mixtures of numbers and words, merged down from more components than are asked for.

    Parameters
    ----------
    numeric
        Shape (n, p), finite; those of two values count as words.
    categorical
        Shape (n, q): codes 0, 1, ...
    ks
        Numbers of components.
    seed
        For the rows drawn, the values spread and the k-means.
    covariance
        ``"pooled"`` of all components, or each its ``"own"``.
    n_init
        Paths from as many k-means; of each number the likeliest mixture is kept.

    Returns
    -------
    list of Candidate
        One for each k whose components are all large enough to be a kind of customers, or else
        the one of fewest; each with ``bic``, ``icl`` and a `MixedMixtureModel`.

    Raises
    ------
    DataError
        A k exceeds the rows, values are not finite, or all rows are alike.
    """
    wanted = check_ks(ks, len(numeric))
    began = time.perf_counter()
    drawn = _sample(len(numeric), seed)
    layout, points = lay_out(numeric[drawn], categorical[drawn], seed)
    fits = _likeliest(points, wanted, seed, covariance, n_init)
    alone = one_component(points).bic(points)
    chance = None
    if points.rows < CHANCE_ROWS:
        chance = partial(_chance_gain, points, wanted, seed, covariance)
    seconds = (time.perf_counter() - began) / len(fits)
    every = (numeric, categorical)
    asked = {"covariance": covariance, "n_init": n_init}
    candidates = [
        _candidate(every, layout, points, fit, alone, asked, seconds) for fit in fits.values()
    ]
    return [replace(candidate, chance_gain=chance) for candidate in candidates]


def _likeliest(
    points: MixedPoints, wanted: Sequence[int], seed: int, covariance: Covariance, n_init: int = 1
) -> dict[int, MixedMixture]:
    """Return the likeliest mixture of each number of components that are all large enough."""
    fits: dict[int, MixedMixture] = {}
    for start in range(n_init):
        for fit in mixture_path(points, min(wanted), max(wanted), seed + start, covariance):
            k = len(fit.weights)
            if k not in fits or fit.likelihood > fits[k].likelihood:
                fits[k] = fit
    kept = [k for k in wanted if k in fits and fits[k].is_of_kinds] or [min(fits)]
    return {k: fits[k] for k in kept}


def _chance_gain(
    points: MixedPoints, wanted: Sequence[int], seed: int, covariance: Covariance
) -> float:
    """Return how far mixtures get below one component by chance: the most of some drawn tables.

    Each has as many rows of one group: numbers of the same covariance, words of the same shares
    (McLachlan, G. J. 1987. On bootstrapping the likelihood ratio test statistic for the number of
    components in a normal mixture. Applied Statistics 36(3)).
    """
    rng = np.random.default_rng(seed)
    gains = []
    for _ in range(CHANCE_TABLES):
        drawn = _of_one_group(points, rng)
        fits = _likeliest(drawn, wanted, seed, covariance)
        alone = one_component(drawn).bic(drawn)
        gains.append(max(alone - fit.icl(drawn) for fit in fits.values()))
    return max(0.0, *gains)


def _of_one_group(points: MixedPoints, rng: np.random.Generator) -> MixedPoints:
    numbers = rng.multivariate_normal(
        np.zeros(len(points.total)), points.total, points.rows, method="eigh"
    )
    numbers = (numbers - numbers.mean(axis=0)) / np.maximum(numbers.std(axis=0), FLOOR)
    words = np.zeros_like(points.words)
    for column in np.unique(points.column):
        levels = np.flatnonzero(points.column == column)
        shares = points.words[:, levels].mean(axis=0)
        words[np.arange(points.rows), rng.choice(levels, points.rows, p=shares)] = 1.0
    return MixedPoints(np.ascontiguousarray(numbers), words, points.column)


def lay_out(numeric: FloatArray, categorical: IntArray, seed: int) -> tuple[Layout, MixedPoints]:
    """Return how mixed rows enter the mixture, and the rows so laid out.

    Parameters
    ----------
    numeric
        Shape (n, p), finite.
    categorical
        Shape (n, q): codes 0, 1, ...
    seed
        Spreads numbers of few values over their steps.

    Raises
    ------
    DataError
        Values are not finite, or no column has two values.
    """
    if numeric.shape[1]:
        numeric = finite_table(numeric, purpose="clustering")
    rng = np.random.default_rng(seed)
    values = [np.unique(column) for column in numeric.T]
    numbers = [i for i, value in enumerate(values) if len(value) > 2]
    truths = [i for i, value in enumerate(values) if len(value) == 2]
    few = np.full((2, len(numbers), FEW_VALUES), np.nan)
    spread_out = np.empty((len(numeric), len(numbers)))
    for place, column in enumerate(numbers):
        if len(values[column]) <= FEW_VALUES:
            scores, spread_out[:, place] = _normal_quantiles(numeric[:, column], rng)
            few[0, place, : len(scores)] = values[column]
            few[1, place, : len(scores)] = scores
        else:
            spread_out[:, place] = _over_steps(numeric[:, column], values[column], rng)
    centers, spreads = spread_out.mean(axis=0), spread_out.std(axis=0)
    halves = np.array([values[column].mean() for column in truths])
    sizes = [2] * len(truths) + [int(codes.max()) + 1 for codes in categorical.T]
    layout = Layout(
        np.array(numbers, dtype=np.int64),
        few[0],
        few[1],
        centers,
        spreads,
        np.array(truths, dtype=np.int64),
        halves,
        np.array(sizes, dtype=np.int64),
    )
    codes = layout.codes(numeric, categorical)
    words = [np.eye(size)[code] for code, size in zip(codes.T, sizes, strict=True)]
    if not numbers and not sizes:
        raise DataError("mixed_mixture: all rows are alike; no column has two values")
    return layout, MixedPoints(
        np.ascontiguousarray((spread_out - centers) / spreads),
        np.hstack(words) if words else np.zeros((len(numeric), 0)),
        np.repeat(np.arange(len(sizes)), sizes).astype(np.int64),
    )


def _normal_quantiles(
    values: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the mean normal quantile of each value, and one drawn within it for each row."""
    from scipy.special import ndtri

    n = len(values)
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.concatenate([[0.0], np.cumsum(counts) / n])
    drawn = ends[codes] + rng.random(n) * (counts / n)[codes]
    quantiles = ndtri(np.clip(drawn, 0.5 / n, 1.0 - 0.5 / n))
    return np.bincount(codes, quantiles) / counts, quantiles


def _over_steps(values: FloatArray, distinct: FloatArray, rng: np.random.Generator) -> FloatArray:
    if len(distinct) > STEPPED_VALUES:
        return values
    gaps = np.diff(distinct)
    codes = np.searchsorted(distinct, values)
    above, below = np.append(gaps, gaps[-1])[codes], np.append(gaps[0], gaps)[codes]
    drawn = rng.uniform(-0.5, 0.5, len(values))
    return np.asarray(values + drawn * np.where(drawn > 0.0, above, below))


def _sample(rows: int, seed: int) -> IntArray:
    if rows <= SAMPLE_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, SAMPLE_ROWS, replace=False))


def _candidate(
    every: tuple[FloatArray, IntArray],
    layout: Layout,
    points: MixedPoints,
    fit: MixedMixture,
    alone: float,
    asked: Mapping[str, object],
    seconds: float,
) -> Candidate:
    k = len(fit.weights)
    model = _model(layout, fit, np.arange(k))
    labels, kept = compact_labels(model.predict(*every))
    return Candidate(
        "mixed_mixture",
        {"k": k, **asked},
        labels,
        seconds,
        bic=fit.bic(points),
        model=_model(layout, fit, kept),
        icl=fit.icl(points),
        one_group_bic=alone,
    )


def _model(layout: Layout, fit: MixedMixture, kept: IntArray) -> MixedMixtureModel:
    most = int(layout.sizes.max(initial=1))
    levels = np.ones((len(kept), len(layout.sizes), most))
    first = 0
    for place, size in enumerate(layout.sizes):
        levels[:, place, :size] = fit.levels[kept, first : first + size]
        first += int(size)
    within = fit.within if fit.within.ndim == 2 else fit.within[kept]
    return MixedMixtureModel(layout, fit.weights[kept], fit.means[kept], within, levels)


def one_component(points: MixedPoints) -> MixedMixture:
    """Return the mixture of one component."""
    return rest(points, np.ones((points.rows, 1)))


def mixture_path(
    points: MixedPoints, least: int, most: int, seed: int, covariance: Covariance = "pooled"
) -> Iterator[MixedMixture]:
    """Yield mixtures from ``most`` components, or as many as rows allow, down to ``least``.

    Parameters
    ----------
    points
        The rows.
    least, most
        Numbers of components.
    seed
        For the k-means of the start.
    covariance
        As for `mixed_mixture_sweep`.
    """
    start = _embedded(points)
    distinct = len(np.unique(start, axis=0))
    begin = max(min(most + FINER, distinct - 1, points.rows // 2), min(most, distinct))
    [found] = kmeans_sweep(start, [max(begin, 1)], seed=seed, n_init=1)
    shares = np.eye(max(begin, 1))[found.labels]
    while True:
        fit = rest(points, shares, covariance)
        if len(fit.weights) <= most:
            yield fit
        if len(fit.weights) <= least:
            return
        shares = _merged(fit)


def _embedded(points: MixedPoints) -> FloatArray:
    """Return coordinates in which a column of words lies as far apart as its weight says."""
    blocks = [points.numbers]
    for column in range(int(points.column[-1]) + 1 if points.column.size else 0):
        block = points.words[:, points.column == column]
        variance = float(block.var(axis=0).sum()) or 1.0
        blocks.append((block - block.mean(axis=0)) * np.sqrt(WORDS_WEIGHT / variance))
    return np.ascontiguousarray(np.hstack(blocks))


def rest(
    points: MixedPoints, shares: FloatArray, covariance: Covariance = "pooled"
) -> MixedMixture:
    """Let expectation-maximisation come to rest from these shares (n, k) of the components."""
    total = points.numbers.T @ points.numbers
    overall = points.words.mean(axis=0)
    before = -np.inf
    for _ in range(PASSES):
        sizes = shares.sum(axis=0) + 1e-9
        weights = sizes / sizes.sum()
        means = (shares.T @ points.numbers) / sizes[:, None]
        within = _within(total, sizes, means, points.rows)
        if covariance == "own" and len(sizes) > 1:
            within = _own(points.numbers, shares, sizes, means, within)
        counted = shares.T @ points.words + PRIOR_ROWS * overall
        levels = np.maximum(counted / (sizes[:, None] + PRIOR_ROWS), 1e-12)
        logs = log_densities(points, weights, means, within, levels)
        shares, likelihood = to_shares(logs)
        if likelihood - before < TOLERANCE * points.rows:
            break
        before = likelihood
    return MixedMixture(weights, means, within, levels, likelihood, shares)


def _within(total: FloatArray, sizes: FloatArray, means: FloatArray, rows: int) -> FloatArray:
    within = (total - (means.T * sizes) @ means) / rows
    return np.asarray((within + within.T) / 2.0 + FLOOR * np.eye(len(within)))


def _own(
    points: FloatArray, shares: FloatArray, sizes: FloatArray, means: FloatArray, pooled: FloatArray
) -> FloatArray:
    """Return a covariance for each component, shape (k, p, p)."""
    prior = OWN_PRIOR_ROWS + points.shape[1]
    own = np.empty((len(sizes), *pooled.shape))
    for place, (mean, size) in enumerate(zip(means, sizes, strict=True)):
        apart = points - mean
        scatter = (apart * shares[:, place, None]).T @ apart
        own[place] = (scatter + prior * pooled) / (size + prior)
    return own + FLOOR * np.eye(len(pooled))


def log_densities(
    points: MixedPoints,
    weights: FloatArray,
    means: FloatArray,
    within: FloatArray,
    levels: FloatArray,
) -> FloatArray:
    """Return log(weight times density) of every row and component, shape (n, k)."""
    numbers = _gaussian_logs(points.numbers, means, within)
    return np.asarray(np.log(weights) + numbers + points.words @ np.log(levels).T)


def _gaussian_logs(points: FloatArray, means: FloatArray, within: FloatArray) -> FloatArray:
    if points.shape[1] == 0:
        return np.zeros((len(points), len(means)))
    check_columns(points, means.shape[1])
    if within.ndim == 3:
        parts = zip(means, within, strict=True)
        return np.hstack([_gaussian_logs(points, mean[None], own) for mean, own in parts])
    root = np.linalg.cholesky(within)
    rows, at = np.linalg.solve(root, points.T).T, np.linalg.solve(root, means.T).T
    squares = (rows**2).sum(axis=1)[:, None] - 2.0 * rows @ at.T + (at**2).sum(axis=1)
    constant = np.log(np.diag(root)).sum() + 0.5 * points.shape[1] * np.log(2.0 * np.pi)
    return np.asarray(-0.5 * squares - constant)


def to_shares(logs: FloatArray) -> tuple[FloatArray, float]:
    """Return each row's shares of the components and the log-likelihood of all rows."""
    highest = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - highest)
    sums = shares.sum(axis=1, keepdims=True)
    return shares / sums, float((highest + np.log(sums)).sum())


def _merged(fit: MixedMixture) -> FloatArray:
    """Return the shares with the pair merged that loses least likelihood."""
    sizes = fit.shares.sum(axis=0) + 1e-9
    together = sizes[:, None] + sizes
    costs = np.zeros((len(sizes), len(sizes)))
    if fit.means.shape[1]:
        within = fit.within if fit.within.ndim == 2 else fit.weights @ fit.within.swapaxes(0, 1)
        at = np.linalg.solve(np.linalg.cholesky(within), fit.means.T).T
        squares = ((at[:, None] - at[None]) ** 2).sum(axis=2)
        costs += 0.5 * sizes[:, None] * sizes / together * squares
    own = _unclear(fit.levels) * sizes
    part = (sizes[:, None] / together)[:, :, None]
    mixed = part * fit.levels[:, None] + (1.0 - part) * fit.levels[None]
    costs += together * _unclear(mixed) - own[:, None] - own
    np.fill_diagonal(costs, np.inf)
    first, second = sorted(int(i) for i in np.unravel_index(int(costs.argmin()), costs.shape))
    shares = fit.shares.copy()
    shares[:, first] += shares[:, second]
    return np.delete(shares, second, axis=1)


def _unclear(levels: FloatArray) -> FloatArray:
    return np.asarray(-(levels * np.log(np.maximum(levels, 1e-12))).sum(axis=-1))


def mixed_mixture_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory beyond the points: a sample laid out, or all rows labelled."""
    del parameters
    fitted = min(shape.rows, SAMPLE_ROWS)
    width = shape.columns + shape.categories * max(shape.levels, 2)
    sampled = fitted * (4 * width + 3 * (shape.clusters + FINER)) * 8
    labelled = shape.rows * (4 * shape.columns + shape.categories + 2 * shape.clusters + 2) * 8
    return max(sampled, labelled + fitted * width * 8)
