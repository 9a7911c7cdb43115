from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.features.encoders.autoencoder import Autoencoder, ReconstructionLoss
from models_py.features.encoders.keras_backend import import_keras
from models_py.features.encoders.layers import Dense
from models_py.features.encoders.network import first_weights
from models_py.features.encoders.settings import AutoencoderSettings, TrainingSettings
from models_py.features.encoders.training import AdamLoop, PlateauSchedule, mean_loss, split_rows


def test_the_schedule_against_a_sequence_worked_out_by_hand() -> None:
    schedule = PlateauSchedule(
        TrainingSettings(learning_rate=0.8, stop_patience=4, halve_patience=2)
    )
    # 1.00 best; 0.99995 is lower but by less than 1e-4, so that it counts for stopping only;
    # 1.0 is the second epoch without a gain for halving: 0.4; 0.5 best; then four worse ones:
    # halved after the second (0.2) and the fourth (0.1), stopped at the fourth.
    losses = [1.0, 0.99995, 1.0, 0.5, 0.6, 0.6, 0.5, 0.7]
    seen = []
    for loss in losses:
        best = schedule.observe(loss)
        seen.append((best, schedule.learning_rate, schedule.stopped))
    assert seen == [
        (True, 0.8, False),
        (True, 0.8, False),
        (False, 0.4, False),
        (True, 0.4, False),
        (False, 0.4, False),
        (False, 0.2, False),
        (False, 0.2, False),
        (False, 0.1, True),
    ]


def keras_schedule(
    losses: list[float], settings_given: TrainingSettings
) -> tuple[list[float], int, int]:
    """Feed Keras' own callbacks; return learning rates, epochs run and the best epoch."""
    keras = import_keras()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(settings_given.learning_rate), "mse")
    stop = keras.callbacks.EarlyStopping(
        patience=settings_given.stop_patience,
        restore_best_weights=True,
        monitor="val_loss",
        mode="min",
    )
    halve = keras.callbacks.ReduceLROnPlateau(
        patience=settings_given.halve_patience,
        factor=settings_given.halve_factor,
        min_lr=settings_given.minimum_learning_rate,
    )
    rates: list[float] = []
    for callback in (stop, halve):
        callback.set_model(model)
        callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        stop.on_epoch_end(epoch, {"val_loss": loss})
        halve.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(float(np.asarray(model.optimizer.learning_rate)))
        if stop.stopped_epoch:
            break
    return rates, len(rates), stop.best_epoch


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([0.5, 0.50005, 0.6, 0.7, 0.70002, 0.9]), min_size=1, max_size=25),
    st.integers(1, 6),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.002]),
)
def test_the_schedule_against_the_callbacks_of_keras(
    losses: list[float], stop_patience: int, halve_patience: int, minimum: float
) -> None:
    settings = TrainingSettings(
        learning_rate=0.01,
        stop_patience=stop_patience,
        halve_patience=halve_patience,
        minimum_learning_rate=minimum,
    )
    schedule = PlateauSchedule(settings)
    rates, best = [], -1
    for epoch, loss in enumerate(losses):
        best = epoch if schedule.observe(loss) else best
        rates.append(schedule.learning_rate)
        if schedule.stopped:
            break
    expected_rates, expected_epochs, expected_best = keras_schedule(losses, settings)
    assert rates == pytest.approx(expected_rates)
    assert (len(rates), best) == (expected_epochs, expected_best)


@pytest.mark.parametrize(("rows", "batch_size"), [(64, 16), (70, 32), (20, 50)])
def test_epochs_are_those_of_keras_step_by_step(rows: int, batch_size: int) -> None:
    """Without dropout and shuffling both must reach the same weights, last batch included."""
    keras = import_keras()
    points = np.random.default_rng(rows).normal(size=(rows, 5)).astype(np.float32)
    encoder = Autoencoder(AutoencoderSettings(layers=(4, 2), dropout=0.0, activation="tanh"))
    loss = encoder.loss(5)
    start = first_weights(loss.layers, np.random.default_rng(1))
    loop = AdamLoop(loss, start, batch_size)
    generator = np.random.default_rng(0)
    ours = [
        loop.run_epoch(lambda order, _: {"inputs": points[order]}, np.arange(rows), 0.01, generator)
        for _ in range(3)
    ]
    encoder.weights_ = start
    model: Any = encoder._network(5)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    table = model.fit(points, points, batch_size=batch_size, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(ours, table.history["loss"], rtol=1e-4)
    for expected, result in zip(model.get_weights(), loop.weights.values(), strict=True):
        np.testing.assert_allclose(result, expected, atol=2e-5)
    expected_loss = model.evaluate(points, points, verbose=0)
    assert loop.evaluate({"inputs": points}) == pytest.approx(expected_loss, rel=1e-4)


def test_training_comes_as_far_as_keras_with_dropout(groups: tuple[FloatArray, IntArray]) -> None:
    keras = import_keras()
    points = groups[0]
    settings = AutoencoderSettings(
        layers=(16, 4), epochs=25, embedding_activation="linear", dropout=0.1
    )
    ours, theirs = [], []
    for seed in range(2):
        encoder = Autoencoder(settings).fit(points, seed)
        ours.append(min(epoch["validation_loss"] for epoch in encoder.history_))
        generator = np.random.default_rng(seed)
        training, validation = split_rows(600, 0.2, generator)
        encoder.weights_ = first_weights(encoder.loss(6).layers, generator)
        model = encoder._network(6)
        model.compile(keras.optimizers.Adam(0.001), "mse")
        history = model.fit(
            points[training],
            points[training],
            batch_size=32,
            epochs=25,
            validation_data=(points[validation], points[validation]),
            verbose=0,
        ).history
        theirs.append(min(history["val_loss"]))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.15)


def test_mean_loss_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    loss = ReconstructionLoss((Dense("only", 3, 3),), "mse")
    weights = first_weights(loss.layers, np.random.default_rng(0))
    whole = mean_loss(loss, weights, {"inputs": points})
    monkeypatch.setattr("models_py.features.encoders.training.EVALUATION_ROWS", 7)
    assert mean_loss(loss, weights, {"inputs": points}) == pytest.approx(whole, rel=1e-6)


def test_an_epoch_cut_into_programs_is_the_same_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    loss = ReconstructionLoss((Dense("only", 3, 3),), "mse")
    start = first_weights(loss.layers, np.random.default_rng(0))

    def epoch() -> tuple[float, FloatArray]:
        loop = AdamLoop(loss, start, 8)
        lost = loop.run_epoch(
            lambda order, _: {"inputs": points[order]},
            np.arange(50),
            0.1,
            np.random.default_rng(0),
        )
        return lost, loop.weights["only/kernel"]

    lost, kernel = epoch()
    monkeypatch.setattr("models_py.features.encoders.training.PROGRAM_ROWS", 20)
    lost_in_programs, kernel_in_programs = epoch()
    assert lost_in_programs == pytest.approx(lost, rel=1e-6)
    np.testing.assert_allclose(kernel_in_programs, kernel, rtol=1e-6)


@given(st.integers(2, 200), st.floats(0.01, 0.99))
def test_a_split_keeps_every_row_once_and_both_parts_filled(rows: int, share: float) -> None:
    training, validation = split_rows(rows, share, np.random.default_rng(0))
    assert sorted([*training, *validation]) == list(range(rows))
    assert training.size >= 1
    assert validation.size >= 1


def test_a_split_is_four_to_one_by_default() -> None:
    training, validation = split_rows(8068, 0.2, np.random.default_rng(0))
    assert (training.size, validation.size) == (6454, 1614)


def test_one_row_and_a_loss_that_blows_up_are_refused() -> None:
    with pytest.raises(DataError, match="two rows are needed"):
        Autoencoder().fit(np.ones((1, 3)), seed=0)
    huge = 1e30 * np.random.default_rng(0).normal(size=(40, 3))
    with pytest.raises(DataError, match="no longer a number in epoch 1"):
        Autoencoder(AutoencoderSettings(layers=(2,), epochs=2)).fit(huge, seed=0)


THREADS_PROGRAM = """
import hashlib, os, sys
if sys.argv[1] == "one":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from models_py.features.encoders.autoencoder import ReconstructionLoss
from models_py.features.encoders.layers import Dense
from models_py.features.encoders.network import first_weights
from models_py.features.encoders.training import AdamLoop
points = np.random.default_rng(0).normal(size=(2048, 12)).astype(np.float32)
loss = ReconstructionLoss((Dense("down", 12, 500, "relu"), Dense("up", 500, 12)), "mse")
loop = AdamLoop(loss, first_weights(loss.layers, np.random.default_rng(0)), 1024)
loop.run_epoch(lambda rows, _: {"inputs": points[rows]}, np.arange(2048), 0.001, None)
print(hashlib.sha256(loop.weights["down/kernel"].tobytes()).hexdigest())
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "sched_setaffinity"), reason="needs Linux")
def test_threads_do_not_change_a_training() -> None:
    first, all_of_them = (
        subprocess.run(
            [sys.executable, "-c", THREADS_PROGRAM, cores],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for cores in ("one", "all")
    )
    assert first == all_of_them
    assert len(first.strip()) == 64


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 99),
)
def test_strata_have_their_share_aside(sizes: list[int], share: float, seed: int) -> None:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    rows = strata.size
    if rows < 2:
        return
    kept, aside = split_rows(rows, share, np.random.default_rng(seed), strata)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, aside])), np.arange(rows))
    assert aside.size == min(max(round(rows * share), 1), rows - 1)
    counts = np.bincount(strata[aside], minlength=len(sizes))
    assert (np.abs(counts - np.array(sizes) * aside.size / rows) < 1.0).all()
