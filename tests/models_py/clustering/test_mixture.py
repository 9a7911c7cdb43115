"""Gaussian mixtures against scikit-learn's densities, its BIC and hand-computed cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from models_py.base import threads
from models_py.base.errors import DataError
from models_py.clustering import kmeans, mixture
from models_py.clustering.mixture import (
    COVARIANCES,
    MixtureModel,
    free_parameters,
    gaussian_mixture_sweep,
)


def stretched_groups(n, seed=0):
    """Three long ellipses side by side, which k-means cuts across."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, n)
    points = generator.standard_normal((n, 2)) * [8.0, 0.6]
    points[:, 1] += 4.0 * truth
    return points, truth


def drawn_groups(n, p, seed=0):
    generator = np.random.default_rng(seed)
    centers = generator.normal(scale=1.5, size=(5, p))
    return centers[generator.integers(0, 5, n)] + generator.standard_normal((n, p))


def densities_by_scipy(model, points):
    covariances = [np.diag(c) if c.ndim == 1 else c for c in model.covariances]
    return np.column_stack(
        [
            np.log(w) + multivariate_normal(m, c).logpdf(points)
            for w, m, c in zip(model.weights, model.means, covariances, strict=True)
        ]
    )


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_densities_and_bic_equal_scipys(covariance):
    points = drawn_groups(700, 4)
    (candidates,) = gaussian_mixture_sweep(points, [3], seed=0, covariance=covariance)
    logs = densities_by_scipy(candidates.model, points)
    likelihood = np.logaddexp.reduce(logs, axis=1).sum()
    shares = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    assert candidates.model.log_likelihood(points) == pytest.approx(likelihood, rel=1e-9)
    assert candidates.model.probabilities(points) == pytest.approx(shares, abs=1e-9)
    assert (candidates.labels == logs.argmax(axis=1)).all()
    parameters = free_parameters(3, 4, covariance)
    assert candidates.bic == pytest.approx(-2 * likelihood + parameters * np.log(700), rel=1e-9)
    assert parameters == GaussianMixture(3, covariance_type=covariance).fit(points)._n_parameters()


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_evidence_is_no_worse_than_scikit_learns(covariance):
    points = drawn_groups(1500, 5, seed=3)
    for candidates in gaussian_mixture_sweep(points, [2, 5], seed=0, covariance=covariance):
        rival = GaussianMixture(
            candidates.k, covariance_type=covariance, n_init=3, random_state=0, max_iter=500
        ).fit(points)
        assert candidates.bic <= rival.bic(points) + 1.0


def test_one_component_is_the_mean_and_covariance():
    points = drawn_groups(300, 3)
    (candidates,) = gaussian_mixture_sweep(points, [1], seed=0)
    assert candidates.model.means[0] == pytest.approx(points.mean(axis=0))
    assert candidates.model.covariances[0] == pytest.approx(np.cov(points.T, bias=True), rel=1e-4)


def test_two_normals_by_hand():
    """Densities of a mixture given by numbers: 0.25 N(0, 1) + 0.75 N(4, 4)."""
    model = MixtureModel(np.array([0.25, 0.75]), np.array([[0.0], [4.0]]), np.array([[1.0], [4.0]]))
    at = np.array([[0.0], [1.0], [4.0]])
    first, second = 0.25 * norm(0, 1).pdf(at[:, 0]), 0.75 * norm(4, 2).pdf(at[:, 0])
    assert model.probabilities(at)[:, 0] == pytest.approx(first / (first + second))
    assert model.log_likelihood(at) == pytest.approx(np.log(first + second).sum())


def test_shape_and_number_are_found_by_evidence():
    points, truth = stretched_groups(900)
    candidates = gaussian_mixture_sweep(points, range(1, 6), seed=0, covariance=COVARIANCES)
    best = min(candidates, key=lambda candidate: candidate.bic)
    assert best.k == 3
    assert best.parameters["covariance"] == "tied"
    assert adjusted_rand_score(best.labels, truth) > 0.95


def test_samples_lead_to_the_same_mixture(monkeypatch):
    points = drawn_groups(6000, 8)
    (whole,) = gaussian_mixture_sweep(points, [5], seed=0)
    monkeypatch.setattr(mixture, "SAMPLE_ROWS", 1500)
    (candidates,) = gaussian_mixture_sweep(points, [5], seed=0)
    assert candidates.bic <= whole.bic + 20.0
    assert adjusted_rand_score(candidates.labels, whole.labels) > 0.9


def test_same_seed_same_result_whatever_the_threads(monkeypatch):
    points = drawn_groups(1000, 3)
    first = gaussian_mixture_sweep(points, [2, 4], seed=5, covariance=["full", "diag"], n_init=3)
    for module in (threads, kmeans, mixture):
        monkeypatch.setattr(module, "thread_count", lambda: 1)
    again = gaussian_mixture_sweep(points, [2, 4], seed=5, covariance=["full", "diag"], n_init=3)
    for item, other in zip(first, again, strict=True):
        assert (item.labels == other.labels).all()
        assert item.bic == other.bic


def test_singular_and_ill_scaled_columns_are_survived():
    """A constant column, a doubled one and one a million times larger."""
    points = drawn_groups(400, 2)
    points = np.column_stack([points, np.zeros(400), points[:, 0], points[:, 1] * 1e6])
    for candidates in gaussian_mixture_sweep(points, [2, 6], seed=0, covariance=COVARIANCES):
        assert np.isfinite(candidates.bic)
        assert (candidates.model.predict(points) == candidates.labels).all()


@given(
    table=st.lists(st.tuples(*[st.integers(-2, 2)] * 2), min_size=2, max_size=25),
    k=st.integers(1, 4),
    covariance=st.sampled_from(COVARIANCES),
)
@settings(max_examples=50, deadline=None)
def test_any_small_table_with_duplicates(table, k, covariance):
    points = np.array(table, dtype=np.float64)
    if k > len(set(table)):
        with pytest.raises(DataError, match=r"distinct row|clusters of"):
            gaussian_mixture_sweep(points, [k], seed=0, covariance=covariance)
        return
    (candidates,) = gaussian_mixture_sweep(points, [k], seed=0, covariance=covariance)
    assert np.isfinite(candidates.bic)
    assert (candidates.model.predict(points) == candidates.labels).all()
    assert set(candidates.labels) == set(range(candidates.k))


def test_an_unknown_covariance_names_the_near_one():
    with pytest.raises(DataError, match="did you mean 'spherical'"):
        gaussian_mixture_sweep(drawn_groups(20, 2), [2], seed=0, covariance="sperical")
