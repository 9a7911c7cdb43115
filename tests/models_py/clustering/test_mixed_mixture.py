"""Mixtures of numbers and words: groups and their number, BIC by another way, words alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import Candidate
from models_py.clustering.mixed_mixture import (
    lay_out,
    mixed_mixture_sweep,
    mixture_path,
    one_component,
)


def customers(rows: int, seed: int = 3) -> tuple[FloatArray, IntArray, IntArray]:
    """Three groups apart in two numbers and two columns of words; a grade and a yes say nothing."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    centers = np.array([[0.0, 0.0], [3.5, 0.0], [0.0, 3.5]])
    numbers = centers[truth] + rng.standard_normal((rows, 2))
    grade, yes = rng.integers(1, 6, rows), rng.integers(0, 2, rows)
    plan = np.where(rng.random(rows) < 0.8, truth, rng.integers(0, 3, rows))
    city = rng.integers(0, 4, rows)
    numeric = np.column_stack([numbers, grade, yes]).astype(np.float64)
    return numeric, np.column_stack([plan, city]).astype(np.int64), truth.astype(np.int64)


def best(candidates: list[Candidate]) -> Candidate:
    return min(candidates, key=lambda candidate: candidate.icl or np.inf)


@pytest.mark.parametrize("covariance", ["pooled", "own"])
def test_finds_the_groups_and_their_number(covariance: str) -> None:
    numeric, categorical, truth = customers(600)
    candidates = mixed_mixture_sweep(
        numeric, categorical, range(2, 7), seed=0, covariance=covariance
    )

    found = best(candidates)
    assert found.k == 3
    assert adjusted_rand_score(truth, found.labels) > 0.85
    assert found.icl < found.one_group_bic
    assert np.array_equal(found.labels, found.model.predict(numeric, categorical))


def test_wide_and_narrow_groups_have_covariances_of_their_own() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], [300, 300])
    points = rng.standard_normal((600, 3)) * np.where(truth, 0.3, 3.0)[:, None]
    points[truth == 1] += 1.5
    nothing = np.zeros((600, 0), dtype=np.int64)
    pooled, own = (
        best(mixed_mixture_sweep(points, nothing, [2, 3, 4], seed=0, covariance=covariance))
        for covariance in ("pooled", "own")
    )

    assert own.icl < pooled.icl
    assert own.k == 2
    assert adjusted_rand_score(truth, own.labels) > 0.9


def test_one_column_of_words_splits_nothing_by_itself() -> None:
    rng = np.random.default_rng(2)
    numeric = np.column_stack([rng.standard_normal((500, 3)), rng.integers(0, 2, 500)])
    categorical = rng.integers(0, 3, (500, 2))
    candidates = mixed_mixture_sweep(numeric, categorical, range(2, 6), seed=0)

    assert all(candidate.icl > candidate.one_group_bic for candidate in candidates)


@pytest.mark.parametrize("covariance", ["pooled", "own"])
def test_the_likelihood_is_that_of_the_model_by_scipy(covariance: str) -> None:
    numeric, categorical, _ = customers(300)
    _, points = lay_out(numeric, categorical, 0)
    fit = next(iter(mixture_path(points, 3, 3, 0, covariance)))
    densities = np.empty((300, 3))
    for k in range(3):
        within = fit.within if fit.within.ndim == 2 else fit.within[k]
        words = (fit.levels[k] ** points.words).prod(axis=1)
        normal = multivariate_normal(fit.means[k], within).pdf(points.numbers)
        densities[:, k] = fit.weights[k] * normal * words

    likelihood = np.log(densities.sum(axis=1)).sum()
    assert fit.likelihood == pytest.approx(likelihood)
    # Means and words of each component: 3 numbers, then 1 + 2 + 3 shares that are free.
    covariances = 6 if covariance == "pooled" else 18
    free = 2 + 3 * (3 + 6) + covariances
    assert fit.bic(points) == pytest.approx(free * np.log(300) - 2 * likelihood)
    entropy = -np.sum(fit.shares * np.log(np.maximum(fit.shares, 1e-300)))
    assert fit.icl(points) == pytest.approx(fit.bic(points) + 2 * entropy)


def test_one_component_is_the_covariance_and_the_shares_of_all() -> None:
    numeric, categorical, _ = customers(300)
    _, points = lay_out(numeric, categorical, 0)
    alone = one_component(points)

    assert alone.within - 0.01 * np.eye(3) == pytest.approx(np.cov(points.numbers.T, bias=True))
    assert alone.levels[0] == pytest.approx(points.words.mean(axis=0))


def test_numbers_of_few_values_have_no_spikes() -> None:
    rng = np.random.default_rng(4)
    latent = rng.multivariate_normal([0, 0, 0], 0.4 + 0.6 * np.eye(3), 800)
    grades = np.digitize(latent, [-0.9, -0.2, 0.5, 1.2]).astype(np.float64)
    candidates = mixed_mixture_sweep(grades, np.zeros((800, 0), np.int64), range(2, 7), seed=0)

    assert all(candidate.icl > candidate.one_group_bic for candidate in candidates)


def test_words_alone_and_a_word_that_was_never_seen() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 400)
    words = np.where(rng.random((400, 6)) < 0.85, truth[:, None], 1 - truth[:, None])
    found = best(mixed_mixture_sweep(np.zeros((400, 0)), words, [2, 3], seed=0))

    assert found.k == 2
    assert adjusted_rand_score(truth, found.labels) > 0.85
    unseen = np.array([[1, 1, 1, 1, 1, 7], [1, 1, 1, 1, 1, 1]])
    first, second = found.model.predict(np.zeros((2, 0)), unseen)
    assert first == second
    assert found.model.predict(np.zeros((0, 0)), unseen[:0]).shape == (0,)


def test_what_cannot_be_mixed_is_refused() -> None:
    numeric, categorical, _ = customers(30)
    with pytest.raises(DataError, match="40 clusters of 30 rows"):
        mixed_mixture_sweep(numeric, categorical, [40], seed=0)
    with pytest.raises(DataError, match="all rows are alike"):
        mixed_mixture_sweep(np.ones((30, 2)), np.zeros((30, 0), np.int64), [2], seed=0)


def _gain(candidates: list[Candidate]) -> float:
    chance = candidates[0].chance_gain
    assert chance is not None
    return max((c.one_group_bic or 0.0) - (c.icl or 0.0) for c in candidates) - chance()


def test_few_rows_of_one_group_show_no_more_than_chance() -> None:
    rng = np.random.default_rng(2)
    gains, raw = [], []
    for table in range(10):
        numeric = rng.standard_normal((15, 6))
        words = rng.integers(0, 3, (15, 1))
        candidates = mixed_mixture_sweep(numeric, words, [2], seed=table)
        raw.append(max(c.one_group_bic - c.icl for c in candidates))
        gains.append(_gain(candidates))
    assert sum(gain > 0.0 for gain in raw) >= 3
    assert sum(gain > 0.0 for gain in gains) <= 1


def test_groups_of_few_rows_show_more_than_chance() -> None:
    numeric, categorical, truth = customers(60)
    numeric[:, :2] += 3.0 * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[truth]
    candidates = mixed_mixture_sweep(numeric, categorical, [2, 3, 4], seed=0)
    assert _gain(candidates) > 0.0
    assert mixed_mixture_sweep(*customers(120)[:2], [2], seed=0)[0].chance_gain is None
