"""The training loop that every network shares: whole epochs compiled by JAX.

Keras' own ``fit`` hands the device one batch at a time. Here an epoch is one compiled
program: a scan over its batches with Adam on one flat vector of weights. Shuffles, noise
and dropout are drawn by numpy, so that they depend on the seed alone. Early stopping and
learning-rate halving follow Keras' callbacks to the letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Protocol

import numpy as np

from models_py.base.arrays import Float32Array, FloatArray, IntArray, blocks
from models_py.base.errors import DataError
from models_py.features.encoders.keras_backend import import_jax
from models_py.features.encoders.layers import Array, Weights
from models_py.features.encoders.settings import TrainingSettings

Batch = Mapping[str, Array]
"""Arrays whose first axis is the rows; every loss says which it reads."""
Draw = Callable[[IntArray, np.random.Generator], dict[str, Array]]
"""Gives the rows asked for, with fresh noise, as a batch."""

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-7
PROGRAM_ROWS = 131_072
EVALUATION_ROWS = 16_384
MINIMUM_GAIN = 1e-4


class RowLoss(Protocol):
    """A loss of each row; hashable, since equal losses share one compiled program."""

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Name and shape of every weight."""
        ...

    def __call__(self, xp: Any, weights: Weights, batch: Batch) -> Array:
        """Return the losses of the rows, shape (n,)."""
        ...


class PlateauSchedule:
    """When to halve the learning rate, when to stop, and which epoch was the best.

    Parameters
    ----------
    settings
        Learning rate, patiences and factor.

    Notes
    -----
    As Keras' ``EarlyStopping(restore_best_weights=True)`` and ``ReduceLROnPlateau`` with
    their defaults: any lower loss counts for stopping, one lower by 1e-4 for halving.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.learning_rate = settings.learning_rate
        self.stopped = False
        self._settings = settings
        self._best = self._best_for_halving = np.inf
        self._waited = self._waited_to_halve = 0

    def observe(self, loss: float) -> bool:
        """Take in an epoch's validation loss; return whether it is the lowest so far."""
        self._halve_on_plateau(loss)
        if loss < self._best:
            self._best, self._waited = loss, 0
            return True
        self._waited += 1
        self.stopped = self._waited >= self._settings.stop_patience
        return False

    def _halve_on_plateau(self, loss: float) -> None:
        if loss + MINIMUM_GAIN < self._best_for_halving:
            self._best_for_halving, self._waited_to_halve = loss, 0
            return
        self._waited_to_halve += 1
        if self._waited_to_halve >= self._settings.halve_patience:
            lower = self.learning_rate * self._settings.halve_factor
            if self.learning_rate > self._settings.minimum_learning_rate:
                self.learning_rate = max(lower, self._settings.minimum_learning_rate)
                self._waited_to_halve = 0


class AdamLoop:
    """Weights in training, an epoch at a time.

    Parameters
    ----------
    loss
        Loss of each row.
    weights
        Where to start.
    batch_size
        Rows of one step; the last step of an epoch takes what is left.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization", with the epsilon
    and the order of operations of Keras.
    """

    def __init__(self, loss: RowLoss, weights: Weights, batch_size: int) -> None:
        self._loss = loss
        self._batch_size = batch_size
        flat = np.concatenate(
            [np.asarray(weights[name], dtype=np.float32).ravel() for name, _ in loss.shapes]
        )
        self._state: tuple[Array, Array, Array] = (flat, np.zeros_like(flat), np.zeros_like(flat))
        self._steps = 0

    @property
    def weights(self) -> dict[str, Float32Array]:
        """The weights as they stand."""
        flat = np.asarray(self._state[0])
        weights: dict[str, Float32Array] = _unflattened(np, flat, self._loss.shapes)
        return weights

    def run_epoch(
        self, draw: Draw, order: IntArray, learning_rate: float, generator: np.random.Generator
    ) -> float:
        """Train on the rows in the order given; return their mean loss on the way."""
        run_steps = _compiled_steps()
        total = 0.0
        for rows in _programs(order, self._batch_size):
            size = min(self._batch_size, order.size)
            batches, shares = _in_batches(draw(rows, generator), rows.size, size)
            rates = self._step_rates(shares.shape[0], learning_rate)
            self._state, losses = run_steps(self._loss, self._state, batches, shares, rates)
            counts = np.count_nonzero(shares, axis=1)
            total += float(np.asarray(losses, dtype=np.float64) @ counts)
        return total / order.size

    def evaluate(self, batch: Batch) -> float:
        """Return the mean loss of the rows as they are."""
        return mean_loss(self._loss, self.weights, batch)

    def _step_rates(self, steps: int, learning_rate: float) -> Float32Array:
        number = np.arange(self._steps + 1, self._steps + steps + 1, dtype=np.float64)
        self._steps += steps
        correction = np.sqrt(1.0 - SECOND_DECAY**number) / (1.0 - FIRST_DECAY**number)
        return (learning_rate * correction).astype(np.float32)


def train(
    loop: AdamLoop,
    draw: Draw,
    rows: int,
    validation: Batch,
    settings: TrainingSettings,
    generator: np.random.Generator,
    tell: Callable[[dict[str, float]], None],
    beside: RowLoss | None = None,
) -> dict[str, Float32Array]:
    """Train until the validation loss stops falling; return the best weights.

    Parameters
    ----------
    draw, rows
        Gives the training rows 0..rows-1.
    validation
        Rows kept aside, without noise.
    tell
        Called with each epoch's entry: ``epoch``, ``loss``, ``validation_loss`` and the
        ``learning_rate`` that the epoch ran with.
    beside
        Another loss of the same weights, given as ``validation_mae`` and used for nothing.

    Raises
    ------
    DataError
        When the loss is no longer a number.
    """
    schedule = PlateauSchedule(settings)
    best = loop.weights
    for epoch in range(1, settings.epochs + 1):
        rate = schedule.learning_rate
        loss = loop.run_epoch(draw, generator.permutation(rows), rate, generator)
        validation_loss = loop.evaluate(validation)
        if not np.isfinite(loss + validation_loss):
            raise DataError(
                f"training: the loss is no longer a number in epoch {epoch}; scale the "
                f"features or lower learning_rate (now {rate:g})"
            )
        entry = {
            "epoch": float(epoch),
            "loss": loss,
            "validation_loss": validation_loss,
            "learning_rate": rate,
        }
        if beside is not None:
            entry["validation_mae"] = mean_loss(beside, loop.weights, validation)
        tell(entry)
        if schedule.observe(validation_loss):
            best = loop.weights
        if schedule.stopped:
            break
    return best


def mean_loss(loss: RowLoss, weights: Weights, batch: Batch) -> float:
    """Return the mean loss of the rows of a batch, computed by numpy in blocks."""
    rows = next(iter(batch.values())).shape[0]
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for part in blocks(rows, EVALUATION_ROWS):
            block = {name: each[part] for name, each in batch.items()}
            losses: FloatArray = np.asarray(loss(np, weights, block), dtype=np.float64)
            total += float(losses.sum())
    return float(total / rows)


def split_rows(
    rows: int,
    validation_share: float,
    generator: np.random.Generator,
    strata: IntArray | None = None,
) -> tuple[IntArray, IntArray]:
    """Return the rows to train on and the rows kept aside, drawn at random.

    Parameters
    ----------
    strata
        Shape (rows,), 0..s-1: each has its share of the rows kept aside, to the nearest row.

    Raises
    ------
    DataError
        When there are fewer than two rows.
    """
    if rows < 2:
        raise DataError(f"training: two rows are needed, got {rows}; use encoder 'none'")
    aside = min(max(round(rows * validation_share), 1), rows - 1)
    order = generator.permutation(rows)
    if strata is None:
        return np.sort(order[aside:]), np.sort(order[:aside])
    counts = np.bincount(strata)
    wanted = counts * (aside / rows)
    each = np.floor(wanted).astype(np.int64)
    each[np.argsort(each - wanted, kind="stable")[: aside - each.sum()]] += 1
    order = order[np.argsort(strata[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    is_aside = np.arange(rows) - starts[strata[order]] < each[strata[order]]
    return np.sort(order[~is_aside]), np.sort(order[is_aside])


def _programs(order: IntArray, batch_size: int) -> Iterator[IntArray]:
    """Cut an epoch into runs of whole batches, so that its noise stays small in memory."""
    rows = max(PROGRAM_ROWS // batch_size, 1) * batch_size
    for part in blocks(order.size, rows):
        yield order[part]


def _in_batches(batch: Batch, rows: int, size: int) -> tuple[dict[str, Array], Float32Array]:
    """Return the arrays as (steps, size, ...) and each row's share in its step's loss."""
    steps = -(-rows // size)
    missing = steps * size - rows
    present = np.arange(steps * size).reshape(steps, size) < rows
    shares = (present / present.sum(axis=1, keepdims=True)).astype(np.float32)
    shaped = {}
    for name, each in batch.items():
        padding = np.zeros((missing, *each.shape[1:]), each.dtype)
        whole = np.concatenate((each, padding)) if missing else each
        shaped[name] = whole.reshape(steps, size, *each.shape[1:])
    return shaped, shares


def _unflattened(xp: Any, flat: Array, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> Any:
    ends = np.cumsum([int(np.prod(shape)) for _, shape in shapes])
    parts = xp.split(flat, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes, parts, strict=True)}


@cache
def _compiled_steps() -> Any:
    """Return the compiled scan over the batches of an epoch; one program per loss and shape."""
    jax = import_jax()
    xp = jax.numpy

    def run_steps(
        loss: RowLoss, state: Any, batches: Any, shares: Array, rates: Array
    ) -> tuple[Any, Array]:
        def step_loss(flat: Array, batch: Any, share: Array) -> Array:
            return xp.sum(share * loss(xp, _unflattened(xp, flat, loss.shapes), batch))

        def step(state: Any, inputs: Any) -> tuple[Any, Array]:
            flat, first, second = state
            batch, share, rate = inputs
            value, slope = jax.value_and_grad(step_loss)(flat, batch, share)
            first = first + (slope - first) * (1.0 - FIRST_DECAY)
            second = second + (slope * slope - second) * (1.0 - SECOND_DECAY)
            flat = flat - rate * first / (xp.sqrt(second) + EPSILON)
            return (flat, first, second), value

        return jax.lax.scan(step, state, (batches, shares, rates))  # type: ignore[no-any-return]

    return jax.jit(run_steps, static_argnums=0)
