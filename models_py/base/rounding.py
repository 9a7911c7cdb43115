"""Whether a spread is more than what rounding left of none."""

from __future__ import annotations

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray

ROUNDING = 1e-12
"""Share of a column's size up to which its values differ by rounding alone.

A double holds 16 digits; sums of thousands of values, in whatever order, keep 12 of them.
"""
DIGITS = 12

LARGEST = 1e100
"""Numbers past it have squares that cannot be computed."""


def is_constant(values: FloatArray) -> bool:
    """Whether values are all alike up to rounding; nan is left out.

    Parameters
    ----------
    values
        Shape (rows,): finite or nan.
    """
    known = values[~np.isnan(values)]
    return known.size == 0 or bool(np.ptp(known) <= ROUNDING * np.abs(known).max())


def constant_columns(values: FloatArray) -> BoolArray:
    """Return which columns are all alike up to rounding, shape (columns,).

    Parameters
    ----------
    values
        Shape (rows, columns): finite or nan.
    """
    if len(values) == 0:
        return np.ones(values.shape[1], dtype=bool)
    low = np.fmin.reduce(values, axis=0)
    high = np.fmax.reduce(values, axis=0)
    size = np.fmax(np.abs(low), np.abs(high))
    return np.asarray(np.isnan(low) | (high - low <= ROUNDING * size))


def spreads_of(points: FloatArray) -> FloatArray:
    """Return the standard deviation of each column; 1 where it is rounding alone.

    Parameters
    ----------
    points
        Shape (rows, columns), finite.
    """
    spreads = points.std(axis=0)
    return np.asarray(np.where(constant_columns(points) | (spreads <= 0), 1.0, spreads))


def without_last_bits(values: FloatArray) -> FloatArray:
    """Return values at 12 digits, so that equal ones are equal however they were added up."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        places = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        scale = 10.0 ** np.clip(np.where(np.isfinite(places), places, 0.0), -300, 300)
        rounded = np.round(values * scale) / scale
    return np.where(np.isfinite(rounded), rounded, values)
