"""Autoencoders: a network squeezes each row through a narrow layer and restores it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from models_py.base.arrays import Float32Array, IntArray
from models_py.features.encoders.keras_backend import import_keras
from models_py.features.encoders.layers import (
    Array,
    Dense,
    Weights,
    dropout_width,
    forward,
    row_losses,
    weight_shapes,
)
from models_py.features.encoders.network import (
    NetworkEncoder,
    dropout_bits,
    keras_layers,
    mirrored_layers,
)
from models_py.features.encoders.settings import AutoencoderSettings, DenoisingSettings, Settings
from models_py.features.encoders.training import Batch, Draw


@dataclass(frozen=True)
class ReconstructionLoss:
    """Distance of each row from its reconstruction.

    Reads ``inputs``, ``targets`` where they differ from the inputs, and ``bits`` for
    dropout where there is any.
    """

    layers: tuple[Dense, ...]
    measure: str

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of every weight."""
        return weight_shapes(self.layers)

    def __call__(self, xp: Any, weights: Weights, batch: Batch) -> Array:
        """Return the losses of the rows, shape (n,)."""
        outputs = forward(xp, self.layers, weights, batch["inputs"], batch.get("bits"))
        return row_losses(xp, self.measure, batch.get("targets", batch["inputs"]), outputs)


class Autoencoder(NetworkEncoder):
    """Mirrored dense layers trained to give back their input.

    References
    ----------
    Hinton and Salakhutdinov (2006), "Reducing the dimensionality of data with neural
    networks".
    """

    kind = AutoencoderSettings.kind
    settings_class: ClassVar[type[Settings]] = AutoencoderSettings

    def _halves(self, columns: int) -> tuple[tuple[Dense, ...], tuple[Dense, ...]]:
        chosen = self.settings
        return mirrored_layers(
            columns,
            chosen.layers,
            chosen.activation,
            chosen.embedding_activation,
            chosen.output_activation,
            chosen.dropout,
        )

    def _encoding_layers(self, columns: int) -> tuple[Dense, ...]:
        return self._halves(columns)[0]

    def _decoding_layers(self, columns: int) -> tuple[Dense, ...]:
        return self._halves(columns)[1]

    def _network(self, columns: int) -> Any:
        keras = import_keras()
        inputs = keras.Input((columns,), name="points")
        outputs = keras_layers(self._saved_layers(columns), self.weights_, inputs)
        return keras.Model(inputs, outputs, name=self.kind)

    def _absolute_error(self, columns: int) -> ReconstructionLoss:
        return replace(self.loss(columns), measure="mae")

    def loss(self, columns: int) -> ReconstructionLoss:
        """Return the loss that is trained on rows of so many columns."""
        down, up = self._halves(columns)
        return ReconstructionLoss((*down, *up), self.settings.loss)


class DenoisingAutoencoder(Autoencoder):
    """An autoencoder trained to restore rows that noise was put on.

    References
    ----------
    Vincent, Larochelle, Bengio and Manzagol (2008), "Extracting and composing robust
    features with denoising autoencoders".
    """

    kind = DenoisingSettings.kind
    settings_class = DenoisingSettings

    def _draw(self, values: Float32Array) -> Draw:
        width = dropout_width(self.loss(values.shape[1]).layers)

        def draw(rows: IntArray, generator: np.random.Generator) -> dict[str, Any]:
            clean = values[rows]
            return {
                "inputs": self._disturbed(clean, generator),
                "targets": clean,
            } | dropout_bits(generator, rows.size, width)

        return draw

    def _disturbed(self, clean: Float32Array, generator: np.random.Generator) -> Float32Array:
        noise = np.float32(self.settings.noise)
        if self.settings.noise_kind == "masking":
            kept: Float32Array = clean * (generator.random(clean.shape, np.float32) >= noise)
            return kept
        return clean + noise * generator.standard_normal(clean.shape, np.float32)
