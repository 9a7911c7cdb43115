"""A Gaussian mixture of one shared covariance, from many components merged down to few.

The shared covariance is what separates customers of one kind: directions in which everybody
varies alike count little, however many columns say them, and directions in which kinds differ
count much. It is estimated together with the kinds; the start is a k-means, so that columns which
tell nothing must not be many times as wide as those that tell the kinds apart. From one k-means
with many clusters, the pair of components that lies nearest is merged again and again, and
expectation-maximisation comes to rest at each number: a path that starts too fine loses no small
kind, where starts at each number by itself are caught by local maxima.

Growth: linear in the rows, quadratic in the columns; at most `SAMPLE_ROWS` rows are fitted and
the others join the component that they most probably are of.

References
----------
Friedman, H., Rubin, J. (1967). On some invariant criteria for grouping data. JASA 62(320).
Banfield, J., Raftery, A. (1993). Model-based Gaussian and non-Gaussian clustering. Biometrics 49.
Biernacki, C., Celeux, G., Govaert, G. (2000). Assessing a mixture model for clustering with the
integrated completed likelihood. IEEE PAMI 22(7).
Fraley, C., Raftery, A. (1998). How many clusters? Which clustering method? Computer Journal 41(8).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.clustering.candidate import Candidate
from models_py.clustering.kmeans import kmeans_sweep
from models_py.clustering.mixture import MixtureModel, free_parameters
from models_py.clustering.rows import check_distinct, check_ks, check_points, compact_labels

if TYPE_CHECKING:
    from models_py.clustering.algorithms import TableShape

SAMPLE_ROWS = 20_000
FINER = 4
"""Components beyond the largest number asked for, with which the path begins."""

FLOOR = 0.01
"""Share of each column's variance added to its variance inside components."""

PASSES = 60
TOLERANCE = 1e-4


@dataclass(frozen=True)
class _Fit:
    weights: FloatArray
    means: FloatArray
    within: FloatArray
    likelihood: float
    shares: FloatArray


def pooled_mixture_sweep(
    points: FloatArray, ks: Iterable[int], *, seed: int, n_init: int = 1
) -> list[Candidate]:
    """Fit mixtures of one covariance, merged down from more components than are asked for.

    Parameters
    ----------
    points
        Shape (n, p), finite.
    ks
        Numbers of components.
    seed
        For the rows drawn and the k-means.
    n_init
        Paths from as many k-means; of each number the likeliest mixture is kept.

    Returns
    -------
    list of Candidate
        One for each k, with ``bic``, ``icl`` and a `MixtureModel`.

    Raises
    ------
    DataError
        A k exceeds the rows or distinct rows, or values are not finite.
    """
    points = check_points(points)
    wanted = check_ks(ks, len(points))
    check_distinct(points, max(wanted))
    began = time.perf_counter()
    sample = _sample(points, seed)
    fits: dict[int, _Fit] = {}
    for start in range(n_init):
        for fit in _path(sample, min(wanted), max(wanted), seed + start):
            k = len(fit.weights)
            if k not in fits or fit.likelihood > fits[k].likelihood:
                fits[k] = fit
    seconds = (time.perf_counter() - began) / len(wanted)
    alone = _rest(sample, np.ones((len(sample), 1)))
    return [_candidate(points, len(sample), fits[k], alone, n_init, seconds) for k in wanted]


def _sample(points: FloatArray, seed: int) -> FloatArray:
    if len(points) <= SAMPLE_ROWS:
        return points
    drawn = np.random.default_rng(seed).choice(len(points), SAMPLE_ROWS, replace=False)
    return np.ascontiguousarray(points[np.sort(drawn)])


def _candidate(
    points: FloatArray, sampled: int, fit: _Fit, alone: _Fit, n_init: int, seconds: float
) -> Candidate:
    k = len(fit.weights)
    covariances = np.repeat(fit.within[None], k, axis=0)
    model = MixtureModel(fit.weights, fit.means, covariances)
    labels, kept = compact_labels(model.predict(points))
    bic = _bic(fit, sampled)
    return Candidate(
        "pooled_mixture",
        {"k": k, "n_init": n_init},
        labels,
        seconds,
        bic=bic,
        model=MixtureModel(fit.weights[kept], fit.means[kept], covariances[kept]),
        icl=bic + 2.0 * _entropy(fit.shares),
        one_group_bic=_bic(alone, sampled),
    )


def _bic(fit: _Fit, rows: int) -> float:
    parameters = free_parameters(len(fit.weights), fit.means.shape[1], "tied")
    return -2.0 * fit.likelihood + parameters * float(np.log(rows))


def _entropy(shares: FloatArray) -> float:
    return -float(np.sum(shares * np.log(np.maximum(shares, np.finfo(np.float64).tiny))))


def _path(points: FloatArray, least: int, most: int, seed: int) -> Iterator[_Fit]:
    distinct = len(np.unique(points[: 10 * most], axis=0))
    begin = max(most, min(most + FINER, distinct - 1, len(points) // 2))
    [start] = kmeans_sweep(points, [begin], seed=seed)
    shares = np.eye(begin)[start.labels]
    while True:
        fit = _rest(points, shares)
        if len(fit.weights) <= most:
            yield fit
        if len(fit.weights) <= least:
            return
        shares = _merged(fit)


def _rest(points: FloatArray, shares: FloatArray) -> _Fit:
    """Let expectation-maximisation come to rest from these shares (n, k) of the components."""
    center = points.mean(axis=0)
    centered = points - center
    total = centered.T @ centered
    before = -np.inf
    for _ in range(PASSES):
        sizes = shares.sum(axis=0) + 1e-9
        means = (shares.T @ centered) / sizes[:, None]
        within = _within(total, sizes, means, len(points))
        shares, likelihood = _expected(centered, sizes / sizes.sum(), means, within)
        if likelihood - before < TOLERANCE * len(points):
            break
        before = likelihood
    return _Fit(sizes / sizes.sum(), means + center, within, likelihood, shares)


def _within(total: FloatArray, sizes: FloatArray, means: FloatArray, rows: int) -> FloatArray:
    # The scatter inside is what the scatter of the means leaves of the whole.
    within = (total - (means.T * sizes) @ means) / rows
    variances = np.diag(total) / rows
    floor = FLOOR * variances + 1e-9 * max(float(variances.mean()), np.finfo(np.float64).tiny)
    return np.asarray((within + within.T) / 2.0 + np.diag(floor))


def _expected(
    points: FloatArray, weights: FloatArray, means: FloatArray, within: FloatArray
) -> tuple[FloatArray, float]:
    """Return each row's shares of the components and the log-likelihood of all rows."""
    root = np.linalg.cholesky(within)
    rows, at = np.linalg.solve(root, points.T).T, np.linalg.solve(root, means.T).T
    squares = (rows**2).sum(axis=1)[:, None] - 2.0 * rows @ at.T + (at**2).sum(axis=1)
    constant = np.log(np.diag(root)).sum() + 0.5 * points.shape[1] * np.log(2.0 * np.pi)
    densities = np.log(weights) - 0.5 * squares - constant
    highest = densities.max(axis=1, keepdims=True)
    shares = np.exp(densities - highest)
    sums = shares.sum(axis=1, keepdims=True)
    return shares / sums, float((highest + np.log(sums)).sum())


def _merged(fit: _Fit) -> FloatArray:
    """Return the shares with the pair merged that Ward's cost in the shared metric names."""
    at = np.linalg.solve(np.linalg.cholesky(fit.within), fit.means.T).T
    distances = ((at[:, None] - at[None]) ** 2).sum(axis=2)
    products = fit.weights[:, None] * fit.weights / (fit.weights[:, None] + fit.weights)
    costs = products * distances
    np.fill_diagonal(costs, np.inf)
    first, second = sorted(int(i) for i in np.unravel_index(int(costs.argmin()), costs.shape))
    shares = fit.shares.copy()
    shares[:, first] += shares[:, second]
    return np.delete(shares, second, axis=1)


def pooled_mixture_peak_bytes(shape: TableShape, parameters: Mapping[str, object]) -> int:
    """Estimate the peak memory beyond the points: a sample and its shares a few times over."""
    del parameters
    fitted = min(shape.rows, SAMPLE_ROWS)
    components = shape.clusters + FINER
    return fitted * (3 * shape.columns + 6 * components) * 8 + shape.rows * (components + 2) * 8
