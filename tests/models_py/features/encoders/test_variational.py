from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from models_py.base.arrays import FloatArray, IntArray
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.catalog import EncoderSpec, build_encoder, load_encoder
from models_py.features.encoders.layers import Dense
from models_py.features.encoders.network import first_weights
from models_py.features.encoders.variational import EvidenceLoss


@pytest.fixture(scope="module")
def fitted(groups: tuple[FloatArray, IntArray]) -> Encoder:
    spec = EncoderSpec(
        "variational_autoencoder", {"layers": [16, 3], "epochs": 60, "learning_rate": 0.005}
    )
    return build_encoder(spec).fit(groups[0], seed=0)


def test_planted_groups_are_found_in_the_embedding(
    fitted: Encoder, groups: tuple[FloatArray, IntArray]
) -> None:
    points, truth = groups
    labels = KMeans(4, n_init=10, random_state=0).fit_predict(fitted.transform(points))
    assert adjusted_rand_score(truth, labels) > 0.95


def test_the_embedding_lies_near_the_prior(
    fitted: Encoder, groups: tuple[FloatArray, IntArray]
) -> None:
    embedding = fitted.transform(groups[0])
    assert np.abs(embedding.mean(axis=0)).max() < 0.5
    assert embedding.std(axis=0).max() < 1.5


def test_the_saved_network_gives_reconstruction_mean_and_log_variance(
    fitted: Encoder, groups: tuple[FloatArray, IntArray], tmp_path: Path
) -> None:
    points, _ = groups
    fitted.save(tmp_path)
    loaded = load_encoder(tmp_path)
    np.testing.assert_array_equal(loaded.transform(points), fitted.transform(points))
    np.testing.assert_array_equal(loaded.reconstruct(points), fitted.reconstruct(points))
    outputs, mean, log_variance = loaded.network_.predict(points, verbose=0)  # type: ignore[attr-defined]
    np.testing.assert_allclose(outputs, fitted.reconstruct(points), atol=1e-5)
    np.testing.assert_allclose(mean, fitted.transform(points), atol=1e-5)
    expected = np.exp(0.5 * np.clip(log_variance, -10.0, 10.0)).mean(axis=1)
    spread = loaded.spread(points)
    assert spread is not None
    np.testing.assert_allclose(spread, expected, rtol=1e-4)
    assert spread.min() > 0.0


def test_the_loss_against_the_divergence_by_sampling() -> None:
    """The closed form must be E[log q(z|x) - log p(z)] as drawn from the posterior."""
    loss = EvidenceLoss(
        (), Dense("mean", 2, 2), Dense("log_variance", 2, 2), (Dense("up", 2, 2),), 1.0
    )
    weights = first_weights(loss.layers, np.random.default_rng(3))
    row = np.array([[0.7, -1.1]], dtype=np.float32)
    mean = row @ weights["mean/kernel"]
    log_variance = row @ weights["log_variance/kernel"]
    drawn = mean + np.exp(0.5 * log_variance) * np.random.default_rng(0).normal(size=(400_000, 2))
    log_posterior = -0.5 * ((drawn - mean) ** 2 / np.exp(log_variance) + log_variance).sum(axis=1)
    log_prior = -0.5 * (drawn**2).sum(axis=1)
    distance = 0.5 * ((mean @ weights["up/kernel"] - row) ** 2).sum()
    expected = distance + np.mean(log_posterior - log_prior)
    assert float(loss(np, weights, {"inputs": row})[0]) == pytest.approx(expected, abs=0.01)
