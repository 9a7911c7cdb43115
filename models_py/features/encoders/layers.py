"""Dense layers, activations and reconstruction losses, written once for numpy and JAX.

Every function takes the array module ``xp`` (``numpy`` or ``jax.numpy``): training runs
them compiled, transforming runs them in numpy. Names and formulas are those of Keras, so
that a saved network gives the same numbers there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any
"""A numpy or a JAX array."""
Weights = Mapping[str, Array]
"""Kernels and biases by ``<layer>/kernel`` and ``<layer>/bias``."""

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
BITS = 65_536


@dataclass(frozen=True)
class Dense:
    """One dense layer; ``dropout`` is the share of its outputs set to zero in training."""

    name: str
    inputs: int
    units: int
    activation: str = "linear"
    dropout: float = 0.0

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of the kernel and the bias."""
        return (
            (f"{self.name}/kernel", (self.inputs, self.units)),
            (f"{self.name}/bias", (self.units,)),
        )


def weight_shapes(layers: Iterable[Dense]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return name and shape of every weight of the layers, in order."""
    return tuple(shape for layer in layers for shape in layer.shapes)


def dropout_width(layers: Iterable[Dense]) -> int:
    """Return how many outputs of a row dropout may set to zero."""
    return sum(layer.units for layer in layers if layer.dropout > 0.0)


def forward(
    xp: Any, layers: Iterable[Dense], weights: Weights, values: Array, bits: Array | None = None
) -> Array:
    """Send rows through the layers.

    Parameters
    ----------
    values
        Shape (n, inputs of the first layer).
    bits
        Random 16-bit integers for dropout, shape (n, ``dropout_width(layers)``); without
        them nothing is dropped.

    Returns
    -------
    outputs
        Shape (n, units of the last layer).
    """
    used = 0
    for layer in layers:
        values = values @ weights[f"{layer.name}/kernel"] + weights[f"{layer.name}/bias"]
        values = ACTIVATIONS[layer.activation](xp, values)
        if bits is not None and layer.dropout > 0.0:
            values = values * _kept(xp, bits[:, used : used + layer.units], layer.dropout)
            used += layer.units
    return values


def row_losses(xp: Any, measure: str, targets: Array, outputs: Array) -> Array:
    """Return the reconstruction loss of each row, the mean over its columns, shape (n,)."""
    return xp.mean(LOSSES[measure](xp, outputs - targets), axis=1)


def _kept(xp: Any, bits: Array, rate: float) -> Array:
    threshold = round(rate * BITS)
    return xp.where(bits >= threshold, np.float32(BITS / (BITS - threshold)), np.float32(0.0))


def _softplus(xp: Any, values: Array) -> Array:
    return xp.logaddexp(values, np.float32(0.0))


def _sigmoid(xp: Any, values: Array) -> Array:
    return 0.5 * (xp.tanh(0.5 * values) + 1.0)


def _elu(xp: Any, values: Array) -> Array:
    return xp.where(values > 0.0, values, xp.expm1(xp.minimum(values, 0.0)))


def _selu(xp: Any, values: Array) -> Array:
    below = SELU_ALPHA * xp.expm1(xp.minimum(values, 0.0))
    return SELU_SCALE * xp.where(values > 0.0, values, below)


def _huber(xp: Any, difference: Array) -> Array:
    size = xp.abs(difference)
    return xp.where(size <= 1.0, 0.5 * difference * difference, size - 0.5)


def _log_cosh(xp: Any, difference: Array) -> Array:
    return difference + _softplus(xp, -2.0 * difference) - np.log(2.0)


ACTIVATIONS: dict[str, Callable[[Any, Array], Array]] = {
    "relu": lambda xp, values: xp.maximum(values, 0.0),
    "leaky_relu": lambda xp, values: xp.where(values > 0.0, values, 0.2 * values),
    "elu": _elu,
    "selu": _selu,
    "silu": lambda xp, values: values * _sigmoid(xp, values),
    "softplus": _softplus,
    "sigmoid": _sigmoid,
    "tanh": lambda xp, values: xp.tanh(values),
    "linear": lambda _, values: values,
}

LOSSES: dict[str, Callable[[Any, Array], Array]] = {
    "mse": lambda _, difference: difference * difference,
    "mae": lambda xp, difference: xp.abs(difference),
    "huber": _huber,
    "log_cosh": _log_cosh,
}
