"""A variational autoencoder: each row becomes a distribution over the embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models_py.base.arrays import Float32Array, FloatArray, IntArray
from models_py.features.encoders.keras_backend import import_keras
from models_py.features.encoders.layers import (
    Array,
    Dense,
    Weights,
    dropout_width,
    forward,
    weight_shapes,
)
from models_py.features.encoders.network import (
    NetworkEncoder,
    apply_layers,
    dense_chain,
    dropout_bits,
    keras_layers,
)
from models_py.features.encoders.settings import VariationalSettings
from models_py.features.encoders.training import Batch, Draw

LOG_VARIANCE_LIMIT = 10.0


@dataclass(frozen=True)
class EvidenceLoss:
    """Negative evidence lower bound of each row, up to a constant.

    Half the squared distance from the reconstruction plus ``beta`` times the divergence of
    the row's posterior from the standard normal. Reads ``inputs``, standard ``normal``
    draws of the embedding's width (without them the posterior mean is decoded) and
    ``bits`` for dropout where there is any.
    """

    down: tuple[Dense, ...]
    mean: Dense
    log_variance: Dense
    up: tuple[Dense, ...]
    beta: float

    @property
    def layers(self) -> tuple[Dense, ...]:
        """Every layer, in the order in which dropout takes its bits."""
        return (*self.down, self.mean, self.log_variance, *self.up)

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of every weight."""
        return weight_shapes(self.layers)

    def __call__(self, xp: Any, weights: Weights, batch: Batch) -> Array:
        """Return the losses of the rows, shape (n,)."""
        inputs, bits = batch["inputs"], batch.get("bits")
        width = dropout_width(self.down)
        hidden = forward(xp, self.down, weights, inputs, None if bits is None else bits[:, :width])
        mean = forward(xp, (self.mean,), weights, hidden)
        log_variance = xp.clip(
            forward(xp, (self.log_variance,), weights, hidden),
            -LOG_VARIANCE_LIMIT,
            LOG_VARIANCE_LIMIT,
        )
        embedding = mean
        if "normal" in batch:
            embedding = mean + xp.exp(0.5 * log_variance) * batch["normal"]
        outputs = forward(
            xp, self.up, weights, embedding, None if bits is None else bits[:, width:]
        )
        distance = 0.5 * xp.sum((outputs - inputs) ** 2, axis=1)
        divergence = 0.5 * xp.sum(mean * mean + xp.exp(log_variance) - log_variance - 1.0, axis=1)
        return distance + self.beta * divergence


class VariationalAutoencoder(NetworkEncoder):
    """An autoencoder whose embedding follows a standard normal; transforms to the mean.

    ``reconstruct`` decodes the mean. The saved network gives the reconstruction, the mean
    and the log variance.

    References
    ----------
    Kingma and Welling (2014), "Auto-encoding variational Bayes"; the weight ``beta`` as in
    Higgins et al. (2017).
    """

    kind = VariationalSettings.kind
    settings_class = VariationalSettings

    def _encoding_layers(self, columns: int) -> tuple[Dense, ...]:
        loss = self.loss(columns)
        return (*loss.down, loss.mean)

    def _decoding_layers(self, columns: int) -> tuple[Dense, ...]:
        return self.loss(columns).up

    def loss(self, columns: int) -> EvidenceLoss:
        """Return the loss that is trained on rows of so many columns."""
        chosen = self.settings
        *hidden, embedding = chosen.layers
        down = dense_chain("encode", columns, tuple(hidden), chosen.activation, chosen.dropout)
        up = dense_chain(
            "decode",
            embedding,
            tuple(reversed(hidden)),
            chosen.activation,
            chosen.dropout,
        )
        width = hidden[-1] if hidden else columns
        return EvidenceLoss(
            down,
            Dense("mean", width, embedding),
            Dense("log_variance", width, embedding),
            (*up, Dense("reconstruction", hidden[0] if hidden else embedding, columns)),
            chosen.beta,
        )

    def spread(self, points: FloatArray) -> FloatArray:
        """Return each row's posterior standard deviation, averaged over the embedding."""
        points = self._seen(points)
        loss = self.loss(points.shape[1])
        layers = (*loss.down, loss.log_variance)
        logs = apply_layers(layers, self.weights_, points)
        limited = np.clip(logs, -LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT)
        return np.asarray(np.exp(0.5 * limited).mean(axis=1))

    def _network(self, columns: int) -> Any:
        keras = import_keras()
        loss = self.loss(columns)
        inputs = keras.Input((columns,), name="points")
        hidden = keras_layers(loss.down, self.weights_, inputs)
        mean = keras_layers((loss.mean,), self.weights_, hidden)
        log_variance = keras_layers((loss.log_variance,), self.weights_, hidden)
        outputs = keras_layers(loss.up, self.weights_, mean)
        return keras.Model(inputs, [outputs, mean, log_variance], name=self.kind)

    def _draw(self, values: Float32Array) -> Draw:
        width = dropout_width(self.loss(values.shape[1]).layers)
        embedding = self.settings.layers[-1]

        def draw(rows: IntArray, generator: np.random.Generator) -> dict[str, Any]:
            return {
                "inputs": values[rows],
                "normal": generator.standard_normal((rows.size, embedding), np.float32),
            } | dropout_bits(generator, rows.size, width)

        return draw
