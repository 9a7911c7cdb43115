from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from models_py.features.encoders import settings
from models_py.features.encoders.keras_backend import import_keras
from models_py.features.encoders.layers import (
    ACTIVATIONS,
    LOSSES,
    Dense,
    dropout_width,
    forward,
    row_losses,
)

VALUES = np.linspace(-9.0, 9.0, 181, dtype=np.float32).reshape(1, -1)


@pytest.fixture(scope="module")
def keras() -> Any:
    return import_keras()


def test_the_names_that_a_study_may_use_are_all_there() -> None:
    assert set(get_args(settings.Activation)) == set(ACTIVATIONS)
    assert set(get_args(settings.ReconstructionMeasure)) == set(LOSSES)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_keras(name: str, keras: Any) -> None:
    expected = np.asarray(keras.activations.get(name)(VALUES))
    np.testing.assert_allclose(ACTIVATIONS[name](np, VALUES), expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_those_of_keras(name: str, keras: Any) -> None:
    generator = np.random.default_rng(0)
    targets, outputs = 3.0 * generator.normal(size=(2, 40, 5)).astype(np.float32)
    expected = np.asarray(keras.losses.get(name)(targets, outputs))
    if name == "huber":
        expected = np.array(
            [float(keras.losses.Huber()(targets[[row]], outputs[[row]])) for row in range(40)]
        )
    np.testing.assert_allclose(row_losses(np, name, targets, outputs), expected, rtol=2e-5)


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    layers = (Dense("one", 1, 40, dropout=0.2), Dense("two", 40, 40, dropout=0.5))
    weights = {
        "one/kernel": np.ones((1, 40)),
        "one/bias": np.zeros(40),
        "two/kernel": np.eye(40),
        "two/bias": np.zeros(40),
    }
    assert dropout_width(layers) == 80
    bits = np.random.default_rng(0).integers(0, 65_536, (5000, 80), dtype=np.uint16)
    outputs = forward(np, layers, weights, np.ones((5000, 1)), bits)
    assert np.mean(outputs == 0.0) == pytest.approx(1.0 - 0.8 * 0.5, abs=0.005)
    assert outputs.mean() == pytest.approx(1.0, abs=0.01)
    assert outputs.max() == pytest.approx(1.0 / (0.8 * 0.5), rel=1e-4)
    np.testing.assert_array_equal(forward(np, layers, weights, np.ones((3, 1))), np.ones((3, 40)))
