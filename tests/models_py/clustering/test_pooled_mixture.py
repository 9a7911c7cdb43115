"""Mixtures of one covariance: groups among columns that tell nothing, BIC by another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering import pooled_mixture
from models_py.clustering.mixture import free_parameters
from models_py.clustering.pooled_mixture import pooled_mixture_sweep


def groups_among_wide_columns(rows: int) -> tuple[FloatArray, IntArray]:
    """Four groups apart in two narrow columns; four wide columns are the same for all."""
    generator = np.random.default_rng(5)
    truth = generator.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    centers = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]])
    narrow = centers[truth] + generator.standard_normal((rows, 2))
    wide = 3.0 * generator.standard_normal((rows, 4))
    return np.column_stack([narrow, wide]), truth


def test_finds_groups_that_k_means_cannot_see_and_their_number() -> None:
    points, truth = groups_among_wide_columns(600)
    candidates = pooled_mixture_sweep(points, range(2, 8), seed=0)

    assert [candidate.k for candidate in candidates] == [2, 3, 4, 5, 6, 7]
    best = min(candidates, key=lambda candidate: candidate.icl)
    assert best.k == 4
    assert adjusted_rand_score(truth, best.labels) > 0.95
    assert adjusted_rand_score(truth, KMeans(4, random_state=0).fit_predict(points)) < 0.7


def test_bic_and_icl_are_those_of_the_model_by_scipy() -> None:
    points, _ = groups_among_wide_columns(300)
    (candidate,) = pooled_mixture_sweep(points, [4], seed=0)

    model = candidate.model
    densities = np.column_stack(
        [
            weight * multivariate_normal(mean, covariance).pdf(points)
            for weight, mean, covariance in zip(
                model.weights, model.means, model.covariances, strict=True
            )
        ]
    )
    penalty = free_parameters(4, 6, "tied") * np.log(300)
    likelihood = np.log(densities.sum(axis=1)).sum()
    assert candidate.bic == pytest.approx(penalty - 2 * likelihood)
    shares = model.probabilities(points)
    entropy = -np.sum(shares * np.log(np.maximum(shares, 1e-300)))
    assert candidate.icl == pytest.approx(candidate.bic + 2 * entropy, rel=1e-4)
    assert np.array_equal(candidate.labels, model.predict(points))


def test_one_group_has_the_lower_bic_where_there_is_none() -> None:
    points = np.random.default_rng(1).standard_normal((500, 5))
    for candidate in pooled_mixture_sweep(points, range(2, 6), seed=0):
        assert candidate.bic > candidate.one_group_bic


def test_the_same_seed_gives_the_same_labels_and_rows_past_the_sample_join(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pooled_mixture, "SAMPLE_ROWS", 400)
    points, truth = groups_among_wide_columns(700)
    (first,) = pooled_mixture_sweep(points, [4], seed=3)
    (second,) = pooled_mixture_sweep(points, [4], seed=3)

    assert np.array_equal(first.labels, second.labels)
    assert adjusted_rand_score(truth, first.labels) > 0.95


def test_more_clusters_than_rows_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be made"):
        pooled_mixture_sweep(np.eye(3), [4], seed=0)
