"""The autoencoder preset against a plain Keras ``fit`` of the same network.

Both train on the same rows with the same split, first weights, layers, optimiser, batch
size, early stopping and learning-rate halving, on the JAX backend. Every fit has a process
of its own, so that its seconds hold building and compiling; only the import of Keras, which
both need, is left out. ``preset_again`` is a second fit in the process of the first, as in
a search over seeds or partitions.

Example::

    python benchmarks/autoencoder.py --rows 8068 --features 9 --seeds 5 --json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from extras import need

from models_py.base.arrays import FloatArray
from models_py.features.encoders.autoencoder import Autoencoder
from models_py.features.encoders.keras_backend import import_jax, import_keras
from models_py.features.encoders.network import first_weights
from models_py.features.encoders.settings import AutoencoderSettings
from models_py.features.encoders.training import split_rows


@dataclass(frozen=True)
class Fit:
    """One fit: what it took, by the clock and in processor time, and how far it came."""

    seed: int
    seconds: float
    processor_seconds: float
    epochs: int
    validation_loss: float


def clocks() -> FloatArray:
    """Return wall time and processor time; a busy machine stretches the first alone."""
    return np.array([time.perf_counter(), time.process_time()])


def customers(rows: int, features: int, seed: int = 0) -> FloatArray:
    """Return scaled columns that hang together through a few hidden ones, shape (n, p)."""
    generator = np.random.default_rng(seed)
    hidden = generator.normal(size=(rows, max(features // 2, 1)))
    columns = np.tanh(hidden @ generator.normal(size=(hidden.shape[1], features)))
    columns += 0.1 * generator.normal(size=columns.shape)
    scaled: FloatArray = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return scaled


def fit_preset_twice(
    points: FloatArray, settings: AutoencoderSettings, seed: int
) -> tuple[Fit, Fit]:
    """Time the preset in a fresh process and once more."""
    import_jax()
    import_keras()
    return fit_preset(points, settings, seed), fit_preset(points, settings, seed)


def fit_preset(points: FloatArray, settings: AutoencoderSettings, seed: int) -> Fit:
    """Time the preset."""
    began = clocks()
    encoder = Autoencoder(settings).fit(points, seed)
    taken = clocks() - began
    losses = [epoch["validation_loss"] for epoch in encoder.history_]
    return Fit(seed, *taken.tolist(), len(losses), min(losses))


def fit_plain_keras(points: FloatArray, settings: AutoencoderSettings, seed: int) -> Fit:
    """Time ``Model.fit`` on the split and from the weights that the preset takes with this seed."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    generator = np.random.default_rng(seed)
    training, validation = split_rows(points.shape[0], settings.validation_share, generator)
    layers = Autoencoder(settings).loss(points.shape[1]).layers
    start = first_weights(layers, generator)
    values = points.astype(np.float32)
    began = clocks()
    keras.utils.set_random_seed(seed)
    model = plain_network(keras, points.shape[1], settings)
    model.set_weights(list(start.values()))
    result = model.fit(
        values[training],
        values[training],
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(values[validation], values[validation]),
        callbacks=[
            keras.callbacks.EarlyStopping(
                patience=settings.stop_patience, restore_best_weights=True
            ),
            keras.callbacks.ReduceLROnPlateau(
                patience=settings.halve_patience, factor=settings.halve_factor
            ),
        ],
        verbose=0,
    )
    taken = clocks() - began
    losses = result.history["val_loss"]
    return Fit(seed, *taken.tolist(), len(losses), min(losses))


def plain_network(keras: Any, features: int, settings: AutoencoderSettings) -> Any:
    """Return the reference layout, compiled, as a user writes it."""
    *hidden, embedding = settings.layers
    model = keras.Sequential([keras.Input((features,))])
    for units in hidden:
        model.add(keras.layers.Dense(units, activation=settings.activation))
        model.add(keras.layers.Dropout(settings.dropout))
    model.add(keras.layers.Dense(embedding, activation=settings.embedding_activation))
    for units in reversed(hidden):
        model.add(keras.layers.Dense(units, activation=settings.activation))
        model.add(keras.layers.Dropout(settings.dropout))
    model.add(keras.layers.Dense(features, activation=settings.output_activation))
    model.compile(keras.optimizers.Adam(settings.learning_rate), loss=settings.loss)
    return model


def compare(
    points: FloatArray, settings: AutoencoderSettings, seeds: int
) -> dict[str, dict[str, Any]]:
    """Fit both with every seed, in turn, each in a fresh process."""
    fits: dict[str, list[Fit]] = {"keras_fit": [], "preset": [], "preset_again": []}
    with ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        for seed in range(seeds):
            fits["keras_fit"].append(
                processes.submit(fit_plain_keras, points, settings, seed).result()
            )
            first, second = processes.submit(fit_preset_twice, points, settings, seed).result()
            fits["preset"].append(first)
            fits["preset_again"].append(second)
    return {name: summary(each) for name, each in fits.items()}


def summary(fits: list[Fit]) -> dict[str, Any]:
    """Return medians of the times, mean and spread of the losses, and every fit."""
    losses = np.array([fit.validation_loss for fit in fits])
    seconds = np.array([fit.seconds for fit in fits])
    processor_seconds = np.array([fit.processor_seconds for fit in fits])
    epochs = np.array([fit.epochs for fit in fits])
    return {
        "seconds_median": float(np.median(seconds)),
        "processor_seconds_median": float(np.median(processor_seconds)),
        "seconds_per_epoch_median": float(np.median(seconds / epochs)),
        "epochs_mean": float(epochs.mean()),
        "validation_loss_mean": float(losses.mean()),
        "validation_loss_deviation": float(losses.std(ddof=1)) if losses.size > 1 else 0.0,
        "fits": [asdict(fit) for fit in fits],
    }


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the whole comparison, with the ratios that BENCHMARKS.md quotes."""
    settings = AutoencoderSettings(
        epochs=options.epochs, stop_patience=options.patience or options.epochs
    )
    result = compare(customers(options.rows, options.features), settings, options.seeds)
    plain, preset = result["keras_fit"], result["preset"]
    return {
        "rows": options.rows,
        "features": options.features,
        "seeds": options.seeds,
        "epochs": options.epochs,
        "patience": options.patience,
        "speedup": plain["seconds_median"] / preset["seconds_median"],
        "speedup_processor": plain["processor_seconds_median"] / preset["processor_seconds_median"],
        "speedup_per_epoch": plain["seconds_per_epoch_median"] / preset["seconds_per_epoch_median"],
        "speedup_again": plain["seconds_median"] / result["preset_again"]["seconds_median"],
        "validation_loss_difference": preset["validation_loss_mean"]
        - plain["validation_loss_mean"],
        **result,
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=8068)
    parser.add_argument("--features", type=int, default=9)
    parser.add_argument("--seeds", type=int, default=5, help="fits of each, seeds 0, 1, ...")
    parser.add_argument("--epochs", type=int, default=100, help="the most epochs of a fit")
    parser.add_argument(
        "--patience", type=int, default=15, help="early stopping; 0 runs every epoch"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    need("keras", "jax")
    figures = measure(options)
    if options.json:
        print(json.dumps(figures, indent=2))
        return 0
    print(f"{options.rows} x {options.features}, {options.seeds} seeds, {options.epochs} epochs")
    for name in ("keras_fit", "preset", "preset_again"):
        each = figures[name]
        print(
            f"{name:16s} {each['seconds_median']:7.2f} s  "
            f"{each['processor_seconds_median']:7.2f} s processor  "
            f"{each['epochs_mean']:6.1f} epochs  validation loss "
            f"{each['validation_loss_mean']:.4f} +- {each['validation_loss_deviation']:.4f}"
        )
    print(
        f"faster: {figures['speedup']:.1f}x with compiling ({figures['speedup_processor']:.1f}x in "
        f"processor time), {figures['speedup_per_epoch']:.1f}x per "
        f"epoch, {figures['speedup_again']:.1f}x for a second fit"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
