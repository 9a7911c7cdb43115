"""Tables of 4 to 40 scaled columns with groups planted in them, as customer tables have them.

Groups overlap, differ in a few of the columns, vary each in its own way, lean to one side, have
heavy tails, are written in few values, as yes and no or as shares of a whole; or there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from planted_data import Generator, Planted, ShapeSet

from models_py.base.arrays import FloatArray, IntArray

LEAST_ROWS = 20
"""Of the smallest group."""


def _sizes(rng: Generator, k: int) -> IntArray:
    shares = rng.dirichlet(np.full(k, rng.uniform(2.0, 20.0)))
    rows = int(rng.integers(300, 1_200))
    return np.maximum(LEAST_ROWS, np.round(shares * rows)).astype(np.int64)


def _centers(rng: Generator, k: int, p: int, gap: float) -> FloatArray:
    """Return centers whose nearest neighbours lie `gap` apart at the median."""
    centers = rng.standard_normal((k, p))
    apart = np.linalg.norm(centers[:, None] - centers[None], axis=2) + 1e9 * np.eye(k)
    return np.asarray(centers * gap / np.median(apart.min(axis=1)))


def _spread(rng: Generator, p: int, longest: float) -> FloatArray:
    """Return a random linear map of unit volume whose axes differ by up to `longest` squared."""
    axes = np.exp(rng.uniform(-np.log(longest), np.log(longest), p))
    turned, _ = np.linalg.qr(rng.standard_normal((p, p)))
    return np.asarray(np.diag(axes / np.exp(np.log(axes).mean())) @ turned)


def _drawn(
    rng: Generator, p: int, most: int, gap: tuple[float, float], longest: float, is_shared: bool
) -> Planted:
    k = int(rng.integers(2, most + 1))
    sizes, centers = _sizes(rng, k), _centers(rng, k, p, rng.uniform(*gap))
    shared = _spread(rng, p, longest)
    parts = [
        center
        + rng.standard_normal((size, p)) @ (shared if is_shared else _spread(rng, p, longest))
        for center, size in zip(centers, sizes, strict=True)
    ]
    return np.vstack(parts), np.repeat(np.arange(k), sizes)


def own_covariance(rng: Generator) -> Planted:
    """Plant groups that overlap, each with a covariance of its own."""
    return _drawn(rng, int(rng.integers(4, 13)), 7, (3.0, 5.0), 2.2, is_shared=False)


def one_covariance(rng: Generator) -> Planted:
    """Plant groups that overlap, of one covariance whose axes differ."""
    return _drawn(rng, int(rng.integers(4, 16)), 7, (3.0, 5.0), 3.0, is_shared=True)


def few_columns(rng: Generator) -> Planted:
    """Plant groups in three to seven columns, among up to twenty others."""
    points, truth = _drawn(rng, int(rng.integers(3, 8)), 6, (4.0, 6.5), 1.8, is_shared=True)
    others = rng.standard_normal((len(points), int(rng.integers(2, 21))))
    return np.hstack([points, others]), truth


def many_groups(rng: Generator) -> Planted:
    """Plant up to eighteen groups."""
    return _drawn(rng, int(rng.integers(5, 16)), 18, (4.0, 6.0), 1.6, is_shared=False)


def leaning(rng: Generator) -> Planted:
    """Plant groups in amounts that lean to one side."""
    points, truth = _drawn(rng, int(rng.integers(4, 11)), 6, (3.5, 5.5), 1.6, is_shared=True)
    return np.exp(rng.uniform(0.2, 0.5) * points), truth


def heavy_tails(rng: Generator) -> Planted:
    """Plant rows of Student's t with three to six degrees of freedom around the groups."""
    p, k = int(rng.integers(4, 11)), int(rng.integers(2, 7))
    sizes, centers = _sizes(rng, k), _centers(rng, k, p, rng.uniform(4.0, 6.5))
    parts = []
    for center, size in zip(centers, sizes, strict=True):
        freedom = rng.uniform(3.0, 6.0)
        scale = np.sqrt(freedom / rng.chisquare(freedom, size))
        parts.append(center + scale[:, None] * rng.standard_normal((size, p)))
    return np.vstack(parts), np.repeat(np.arange(k), sizes)


def few_values(rng: Generator) -> Planted:
    """Plant groups in ratings: columns of three to seven values."""
    points, truth = _drawn(rng, int(rng.integers(5, 17)), 5, (4.0, 6.0), 1.6, is_shared=True)
    steps = rng.integers(3, 8, points.shape[1])
    places = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    return np.round(places * (steps - 1)), truth


def yes_or_no(rng: Generator) -> Planted:
    """Plant answers of yes and no, which each group gives in its own shares."""
    p, k = int(rng.integers(8, 31)), int(rng.integers(2, 6))
    sizes = _sizes(rng, k)
    shares = 1.0 / (1.0 + np.exp(-rng.uniform(1.2, 2.2) * rng.standard_normal((k, p))))
    truth = np.repeat(np.arange(k), sizes)
    return (rng.random((len(truth), p)) < shares[truth]).astype(np.float64), truth


def shares_of_a_whole(rng: Generator) -> Planted:
    """Plant shares of spend by category, as their square roots."""
    p, k = int(rng.integers(5, 16)), int(rng.integers(2, 7))
    sizes = _sizes(rng, k)
    truth = np.repeat(np.arange(k), sizes)
    means = rng.dirichlet(np.full(p, 0.8), k)
    drawn = rng.gamma(np.maximum(rng.uniform(12.0, 40.0) * means[truth], 0.05))
    return np.sqrt(drawn / drawn.sum(axis=1, keepdims=True)), truth


def numbers_and_answers(rng: Generator) -> Planted:
    """Plant groups in numbers and in answers of yes and no."""
    points, truth = _drawn(rng, int(rng.integers(3, 8)), 5, (3.0, 5.0), 1.6, is_shared=True)
    q = int(rng.integers(2, 9))
    logit = rng.uniform(0.8, 1.8) * rng.standard_normal((int(truth.max()) + 1, q))
    shares = 1.0 / (1.0 + np.exp(-logit))
    answers = rng.random((len(truth), q)) < shares[truth]
    return np.hstack([points, answers.astype(np.float64)]), truth


def no_groups(rng: Generator) -> Planted:
    """Plant one cloud: Gaussian, leaning, heavy-tailed, evenly filled or of few values."""
    n, p = int(rng.integers(300, 1_200)), int(rng.integers(4, 16))
    points = rng.standard_normal((n, p)) @ _spread(rng, p, rng.uniform(1.0, 3.0))
    match int(rng.integers(0, 5)):
        case 1:
            points = np.exp(0.5 * points / points.std(axis=0))
        case 2:
            points *= np.sqrt(4.0 / rng.chisquare(4.0, n))[:, None]
        case 3:
            points = rng.random((n, p))
        case 4:
            points = np.round(1.5 * points / points.std(axis=0))
    return points, np.zeros(n, dtype=np.int64)


KINDS: dict[str, Callable[[Generator], Planted]] = {
    kind.__name__: kind
    for kind in (
        own_covariance,
        one_covariance,
        few_columns,
        many_groups,
        leaning,
        heavy_tails,
        few_values,
        yes_or_no,
        shares_of_a_whole,
        numbers_and_answers,
        no_groups,
    )
}


NO_GROUPS = no_groups.__name__


def wide_sets(seed: int) -> Iterator[ShapeSet]:
    """Yield one draw of every kind: name, points scaled to unit variance, truth."""
    for position, (name, draw) in enumerate(KINDS.items()):
        rng = np.random.default_rng((seed, 1_000 + position))
        points, truth = draw(rng)
        points = points[:, points.std(axis=0) > 0]
        order = rng.permutation(len(truth))
        scaled = (points - points.mean(axis=0)) / points.std(axis=0)
        yield name, np.ascontiguousarray(scaled[order], dtype=np.float64), truth[order]
