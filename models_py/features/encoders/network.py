"""What every network encoder shares: a Keras model, its training and its saving."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from threadpoolctl import threadpool_limits

from models_py.features.encoders import storage
from models_py.base.arrays import Float32Array, FloatArray, IntArray, blocks
from models_py.base.errors import DataError
from models_py.features.encoders.base import Encoder
from models_py.features.encoders.keras_backend import import_keras
from models_py.features.encoders.layers import Dense, Weights, dropout_width, forward, weight_shapes
from models_py.features.encoders.pca import PcaEncoder
from models_py.features.encoders.settings import PcaSettings
from models_py.features.encoders.training import AdamLoop, Draw, RowLoss, split_rows, train

if TYPE_CHECKING:
    import pandas as pd

NETWORK_FILE = "network.keras"
BEFORE_FOLDER = "principal_components"
TRANSFORM_ROWS = 16_384


class NetworkLoss(RowLoss, Protocol):
    """The loss of a network of dense layers."""

    @property
    def layers(self) -> tuple[Dense, ...]:
        """Every layer that is trained."""
        ...


class NetworkEncoder(Encoder):
    """An encoder that is a network of dense layers.

    The loop of ``training`` trains the weights, Keras holds and stores the network, numpy
    applies it.

    Attributes
    ----------
    network_
        The Keras model with the trained weights.
    weights_
        The same weights by ``<layer>/kernel`` and ``<layer>/bias``.
    before_
        The principal components that the network sees; None where it sees the points.
    """

    file_names: ClassVar[tuple[str, ...]] = (NETWORK_FILE,)
    network_: Any
    weights_: dict[str, Float32Array]
    before_: PcaEncoder | None = None
    _strata: IntArray | None = None

    def fit_rows(self, frame: pd.DataFrame, points: FloatArray, seed: int) -> Self:
        """Learn the coordinates; see :meth:`Encoder.fit_rows`.

        Raises
        ------
        DataError
            The study does not read the column of ``stratify_by``.
        """
        column = self.settings.stratify_by
        if column is not None:
            if column not in frame:
                raise DataError(
                    f"encoder '{self.kind}': stratify_by = '{column}' is no column that the study"
                    " reads; name its label, a feature or a measure"
                )
            words = frame[column].astype("string").fillna("")
            self._strata = np.unique(words.to_numpy(dtype=str), return_inverse=True)[1]
        return self.fit(points, seed)

    def fit(self, points: FloatArray, seed: int) -> Self:
        """Learn the coordinates; see :meth:`Encoder.fit`."""
        kept, columns = self.settings.principal_components, np.shape(points)[1]
        self.before_ = None
        if kept is not None:
            self.before_ = PcaEncoder(PcaSettings(components=kept)).fit(points, seed)
            points = self.before_.transform(points)
        super().fit(points, seed)
        self.columns_ = columns
        return self

    def transform(self, points: FloatArray) -> FloatArray:
        """Return the embedding; see :meth:`Encoder.transform`."""
        seen = self._seen(points)
        with threadpool_limits(1):
            return self._transform(seen)

    def inverse_transform(self, embedding: FloatArray) -> FloatArray:
        """Return the points of an embedding; see :meth:`Encoder.inverse_transform`."""
        restored = super().inverse_transform(embedding)
        return restored if self.before_ is None else self.before_.inverse_transform(restored)

    @classmethod
    def files_of(cls, settings: Any) -> tuple[str, ...]:
        """Return the files that it is saved in, the principal components' where there are."""
        if settings.principal_components is None:
            return cls.file_names
        names = ("manifest.json", *PcaEncoder.file_names)
        return (*cls.file_names, *(f"{BEFORE_FOLDER}/{name}" for name in names))

    @property
    def _width(self) -> int:
        """The columns that the network sees."""
        return self.columns_ if self.before_ is None else self.before_.components_.shape[0]

    def _seen(self, points: FloatArray) -> FloatArray:
        points = self._known_columns(points)
        return points if self.before_ is None else self.before_.transform(points)

    def _fit(self, points: FloatArray, seed: int) -> None:
        self._train(points, seed)
        self.network_ = self._network(points.shape[1])

    def _train(self, points: FloatArray, seed: int) -> None:
        """Set ``weights_`` to the best of the training."""
        if self.settings.stratify_by is not None and self._strata is None:
            raise DataError(
                f"encoder '{self.kind}': stratify_by needs the rows of a study's [[encoding]];"
                " leave it out here"
            )
        generator = np.random.default_rng(seed)
        training_rows, validation_rows = split_rows(
            points.shape[0], self.settings.validation_share, generator, self._strata
        )
        values = points.astype(np.float32)
        loss = self.loss(points.shape[1])
        start = first_weights(loss.layers, generator)
        self.weights_ = train(
            AdamLoop(loss, start, self.settings.batch_size),
            self._draw(values[training_rows]),
            training_rows.size,
            {"inputs": values[validation_rows]},
            self.settings,
            generator,
            self._note,
            self._absolute_error(points.shape[1]),
        )

    def _note(self, epoch: dict[str, float]) -> None:
        self.history_.append(epoch)
        if self.on_epoch is not None:
            self.on_epoch(epoch)

    def _absolute_error(self, columns: int) -> RowLoss | None:  # noqa: ARG002
        """Return the mean absolute error as a loss, where the network restores its input."""
        return None

    @abstractmethod
    def _network(self, columns: int) -> Any:
        """Return the Keras model that holds ``weights_``."""

    @abstractmethod
    def loss(self, columns: int) -> NetworkLoss:
        """Return the loss that is trained on rows of so many columns."""

    @abstractmethod
    def _encoding_layers(self, columns: int) -> tuple[Dense, ...]:
        """Return the layers from the points to the embedding."""

    @abstractmethod
    def _decoding_layers(self, columns: int) -> tuple[Dense, ...]:
        """Return the layers from the embedding back to the points."""

    def _saved_layers(self, columns: int) -> tuple[Dense, ...]:
        """Return the layers of the Keras model."""
        return self.loss(columns).layers

    def _draw(self, values: Float32Array) -> Draw:
        width = dropout_width(self.loss(values.shape[1]).layers)

        def draw(rows: IntArray, generator: np.random.Generator) -> dict[str, Any]:
            return {"inputs": values[rows]} | dropout_bits(generator, rows.size, width)

        return draw

    def _transform(self, points: FloatArray) -> FloatArray:
        return apply_layers(self._encoding_layers(points.shape[1]), self.weights_, points)

    def _inverse_transform(self, embedding: FloatArray) -> FloatArray:
        layers = self._decoding_layers(self._width)
        embedding = self._of_width(embedding, layers[0].inputs, "embedding columns")
        return apply_layers(layers, self.weights_, embedding)

    def _write(self, folder: Path) -> None:
        self.network_.save(folder / NETWORK_FILE)
        if self.before_ is not None:
            self.before_.save(folder / BEFORE_FOLDER)

    def _read(self, folder: Path) -> None:
        if self.settings.principal_components is not None:
            self.before_ = PcaEncoder.load(folder / BEFORE_FOLDER)
        self.network_ = read_network(folder / NETWORK_FILE)
        self.weights_ = read_weights(self.network_)
        expected = dict(weight_shapes(self._saved_layers(self._width)))
        if {name: each.shape for name, each in self.weights_.items()} != expected:
            raise storage.SavedEncoderError(
                f"{folder / NETWORK_FILE} is not the network of its manifest; "
                "save the encoder again"
            )


def mirrored_layers(
    columns: int,
    units: tuple[int, ...],
    activation: str,
    embedding_activation: str,
    output_activation: str,
    dropout: float,
) -> tuple[tuple[Dense, ...], tuple[Dense, ...]]:
    """Return the encoding and the decoding half of an autoencoder.

    Parameters
    ----------
    columns
        Features of a row.
    units
        Units of the encoding half, the last being the embedding.
    dropout
        Share dropped after every hidden layer but the embedding.
    """
    *hidden, embedding = units
    down = dense_chain("encode", columns, tuple(hidden), activation, dropout)
    up = dense_chain("decode", embedding, tuple(reversed(hidden)), activation, dropout)
    last_down = down[-1].units if down else columns
    last_up = up[-1].units if up else embedding
    return (
        (*down, Dense("embedding", last_down, embedding, embedding_activation)),
        (*up, Dense("reconstruction", last_up, columns, output_activation)),
    )


def dense_chain(
    name: str, inputs: int, units: tuple[int, ...], activation: str, dropout: float
) -> tuple[Dense, ...]:
    """Return layers ``<name>_1``, ``<name>_2`` ... one after the other."""
    widths = (inputs, *units)
    return tuple(
        Dense(f"{name}_{number}", widths[number - 1], widths[number], activation, dropout)
        for number in range(1, len(widths))
    )


def apply_layers(layers: tuple[Dense, ...], weights: Weights, points: FloatArray) -> FloatArray:
    """Send rows through trained layers in blocks, in float64, shape (n, units of the last)."""
    outputs = np.empty((points.shape[0], layers[-1].units))
    wide = {
        name: np.asarray(weights[name], dtype=np.float64)
        for layer in layers
        for name, _ in layer.shapes
    }
    for block in blocks(points.shape[0], TRANSFORM_ROWS):
        outputs[block] = forward(np, layers, wide, points[block])
    return outputs


def dropout_bits(generator: np.random.Generator, rows: int, width: int) -> dict[str, Any]:
    """Return the random bits of dropout as an entry of a batch; nothing where none is dropped."""
    if not width:
        return {}
    return {"bits": generator.integers(0, 65_536, (rows, width), dtype=np.uint16)}


def first_weights(
    layers: tuple[Dense, ...], generator: np.random.Generator
) -> dict[str, Float32Array]:
    """Draw kernels uniformly within Glorot's limit; biases are zero.

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward
    neural networks".
    """
    weights: dict[str, Float32Array] = {}
    for layer in layers:
        limit = np.sqrt(6.0 / (layer.inputs + layer.units))
        kernel = generator.uniform(-limit, limit, (layer.inputs, layer.units))
        weights[f"{layer.name}/kernel"] = kernel.astype(np.float32)
        weights[f"{layer.name}/bias"] = np.zeros(layer.units, dtype=np.float32)
    return weights


def keras_layers(layers: tuple[Dense, ...], weights: Weights, tensor: Any) -> Any:
    """Put layers with these weights, and their dropout, on a Keras tensor."""
    keras = import_keras()
    for layer in layers:
        kernel, bias = (weights[name] for name, _ in layer.shapes)
        dense = keras.layers.Dense(
            layer.units,
            activation=layer.activation,
            kernel_initializer=_given(kernel),
            bias_initializer=_given(bias),
            name=layer.name,
        )
        tensor = dense(tensor)
        # A saved network says how to draw weights anew, as if Keras had drawn them.
        dense.kernel_initializer = keras.initializers.GlorotUniform()
        dense.bias_initializer = keras.initializers.Zeros()
        if layer.dropout > 0.0:
            dropout = keras.layers.Dropout(layer.dropout, name=f"{layer.name}_dropout")
            tensor = dropout(tensor)
    return tensor


def _given(weight: Float32Array) -> Callable[..., Float32Array]:
    """Return an initialiser that hands out the weight: nothing to compile, nothing to draw."""

    def hand_out(shape: object, dtype: object = None) -> Float32Array:  # noqa: ARG001
        return weight

    return hand_out


def read_weights(network: Any) -> dict[str, Float32Array]:
    """Return the weights of the dense layers of a Keras model."""
    weights: dict[str, Float32Array] = {}
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            weights[f"{layer.name}/kernel"] = np.asarray(kernel, dtype=np.float32)
            weights[f"{layer.name}/bias"] = np.asarray(bias, dtype=np.float32)
    return weights


def read_network(path: Path) -> Any:
    """Load a ``.keras`` file without running code from it.

    Raises
    ------
    SavedEncoderError
        When Keras cannot read it.
    """
    keras = import_keras()
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise storage.SavedEncoderError(
            f"{path} is not a network that this Keras can read; save the encoder again"
        ) from error
