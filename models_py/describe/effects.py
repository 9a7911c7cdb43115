"""How far a segment's mean lies from the rest's: effect sizes, intervals and tests.

A segment was made of its features, so that the p-values of model features only rank how clear a
difference is; for columns that the model did not see they are tests in the usual sense.

References
----------
Hedges (1981), Distribution theory for Glass's estimator of effect size; Hedges and Olkin (1985),
Statistical methods for meta-analysis, equation 5.15; Welch (1947), The generalization of
"Student's" problem; Benjamini and Hochberg (1995), Controlling the false discovery rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray

NORMAL_95 = 1.959963984540054
ROUNDING = 1e-11
"""Share of the squares from the origin below which a scatter is what rounding left of none."""


@dataclass(frozen=True)
class Moments:
    """Count, sum and sum of squares of each column over some rows, nulls left out.

    The values are taken from the population's mean, so that their squares lose no digits.
    Each has shape (columns,).
    """

    count: FloatArray
    total: FloatArray
    squares: FloatArray

    def without(self, part: Moments) -> Moments:
        """Return the moments of the other rows."""
        return Moments(
            self.count - part.count, self.total - part.total, self.squares - part.squares
        )

    @property
    def mean(self) -> FloatArray:
        """The means, nan without a value."""
        return _ratio(self.total, self.count)

    @property
    def scatter(self) -> FloatArray:
        """Sums of squared differences from the mean."""
        left = self.squares - _ratio(self.total**2, self.count)
        return np.where(np.isnan(left) | (left > ROUNDING * self.squares), left, 0.0)

    @property
    def variance(self) -> FloatArray:
        """Unbiased variances, nan for fewer than two values."""
        return _ratio(self.scatter, np.where(self.count > 1, self.count - 1, 0.0))


@dataclass(frozen=True)
class Effects:
    """What :func:`effects` found; each has shape (columns,) and is nan where undefined.

    Attributes
    ----------
    size, low, high
        Hedges g and its 95% interval.
    p
        Of Welch's t test, two-sided.
    """

    size: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray


def moments(centered: FloatArray) -> Moments:
    """Return the moments of columns, shape (rows, columns), from which the mean was taken."""
    known = ~np.isnan(centered)
    values = np.where(known, centered, 0.0)
    count = known.sum(axis=0).astype(np.float64)
    return Moments(count, values.sum(axis=0), (values * values).sum(axis=0))


def effects(inside: Moments, rest: Moments) -> Effects:
    """Compare a segment with the rest of the rows, column by column.

    Parameters
    ----------
    inside, rest
        Of the segment and of all other rows, taken from the same origin.
    """
    both = inside.count + rest.count
    freedom = both - 2
    difference = inside.mean - rest.mean
    is_enough = (inside.count >= 1) & (rest.count >= 1) & (freedom > 1)
    pooled = np.sqrt(_ratio(inside.scatter + rest.scatter, np.where(is_enough, freedom, 0.0)))
    size = _ratio(difference, pooled) * _small_sample_factor(np.where(is_enough, freedom, np.nan))
    spread = np.sqrt(_ratio(both, inside.count * rest.count) + _ratio(size**2, 2 * both))
    return Effects(
        size,
        size - NORMAL_95 * spread,
        size + NORMAL_95 * spread,
        _welch_p(inside, rest, difference),
    )


def correlation_ratio(groups: IntArray, values: FloatArray) -> float:
    """Return the part of the variance of known values that lies between groups, 0..1.

    Squared, so that it compares with an R squared (Pearson 1905, On the general theory of skew
    correlation).
    """
    known = np.isfinite(values)
    if known.sum() < 3:
        return 0.0
    values, codes = values[known], np.unique(groups[known], return_inverse=True)[1]
    total = float(((values - values.mean()) ** 2).sum())
    if total <= 0.0 or codes.max() == 0:
        return 0.0
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=values) / counts
    return float((counts * (means - values.mean()) ** 2).sum() / total)


def adjusted(p: FloatArray) -> FloatArray:
    """Return p-values adjusted for the false discovery rate; nan stays nan.

    Parameters
    ----------
    p
        Shape (tests,): of all tests that are reported together.
    """
    from scipy.stats import false_discovery_control

    result = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        result[known] = false_discovery_control(p[known])
    return result


def enrichment_p(inside: IntArray, overall: IntArray, size: int, rows: int) -> FloatArray:
    """Return how likely such a count is among rows drawn at random: twice the smaller tail.

    Parameters
    ----------
    inside, overall
        Shape (categories,): rows of each category in the segment, and in all.
    size, rows
        Rows of the segment, and in all.
    """
    from scipy.stats import hypergeom

    upper = hypergeom.sf(inside - 1, rows, overall, size)
    lower = hypergeom.cdf(inside, rows, overall, size)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(upper, lower)))


def _welch_p(inside: Moments, rest: Moments, difference: FloatArray) -> FloatArray:
    from scipy.special import stdtr

    first = _ratio(inside.variance, inside.count)
    second = _ratio(rest.variance, rest.count)
    freedom = _ratio(
        (first + second) ** 2,
        _ratio(first**2, inside.count - 1) + _ratio(second**2, rest.count - 1),
    )
    statistic = np.abs(_ratio(difference, np.sqrt(first + second)))
    return np.asarray(2 * stdtr(freedom, -statistic))


def _small_sample_factor(freedom: FloatArray) -> FloatArray:
    from scipy.special import gammaln

    logged = gammaln(freedom / 2) - gammaln((freedom - 1) / 2) - 0.5 * np.log(freedom / 2)
    return np.asarray(np.exp(logged))


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)
