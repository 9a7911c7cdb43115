"""Compiled passes of the EM algorithm; imported only where a mixture is fitted.

Rows are handled in small blocks held by column, so that the inner loops run along rows.
Moments are taken around the means of the pass before, which keeps them accurate.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 128
"""Rows of one block: a block of some dozen columns stays in the first cache."""

NO_MASS = 1e-14
"""Sum of shares of a block below which a component has none of it."""

NO_SHARE = 1e-16
"""Share of a row below which a component has none of it: less than a float64 resolves near 1."""


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def centered_block(points, first, size, mean, centered):  # type: ignore[no-untyped-def]
    """Write rows ``first`` to ``first + size`` less a mean into ``centered`` (p, BLOCK)."""
    for column in range(points.shape[1]):
        for index in range(size):
            centered[column, index] = points[first + index, column] - mean[column]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def log_densities_full(points, means, roots, offsets, out):  # type: ignore[no-untyped-def]
    """Write offset - |root (x - mean)|² / 2 of every row and component into ``out`` (n, k).

    ``roots`` (k, p, p) are lower triangular with root' root = precision.
    """
    rows, columns = points.shape
    centered = np.empty((columns, BLOCK))
    squares = np.empty(BLOCK)
    along = np.empty(BLOCK)
    for first in range(0, rows, BLOCK):
        size = min(BLOCK, rows - first)
        for component in range(means.shape[0]):
            centered_block(points, first, size, means[component], centered)
            squares[:size] = 0.0
            for row in range(columns):
                along[:size] = 0.0
                for column in range(row + 1):
                    factor = roots[component, row, column]
                    for index in range(size):
                        along[index] += factor * centered[column, index]
                for index in range(size):
                    squares[index] += along[index] * along[index]
            for index in range(size):
                out[first + index, component] = offsets[component] - 0.5 * squares[index]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def log_densities_diagonal(points, means, roots, offsets, out):  # type: ignore[no-untyped-def]
    """As `log_densities_full`, with the diagonals (k, p) of diagonal roots."""
    for row in range(points.shape[0]):
        for component in range(means.shape[0]):
            total = 0.0
            for column in range(points.shape[1]):
                gap = (points[row, column] - means[component, column]) * roots[component, column]
                total += gap * gap
            out[row, component] = offsets[component] - 0.5 * total


@njit(nogil=True, cache=True)
def to_probabilities(log_densities):  # type: ignore[no-untyped-def]
    """Turn log densities (n, k) into probabilities in place; returns the log-likelihood."""
    rows, components = log_densities.shape
    total = 0.0
    for row in range(rows):
        highest = log_densities[row, 0]
        for component in range(1, components):
            highest = max(highest, log_densities[row, component])
        mass = 0.0
        for component in range(components):
            share = np.exp(log_densities[row, component] - highest)
            log_densities[row, component] = share
            mass += share
        for component in range(components):
            log_densities[row, component] /= mass
        total += highest + np.log(mass)
    return total


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def add_moments_full(points, means, shares, sizes, sums, squares):  # type: ignore[no-untyped-def]
    """Add weighted moments around ``means``: sizes (k,), sums (k, p), squares (k, p, p).

    Only the lower triangles of ``squares`` are filled.
    """
    rows, columns = points.shape
    centered = np.empty((columns, BLOCK))
    weighted = np.empty(BLOCK)
    for first in range(0, rows, BLOCK):
        size = min(BLOCK, rows - first)
        for component in range(means.shape[0]):
            mass = 0.0
            for index in range(size):
                mass += shares[first + index, component]
            if mass < NO_MASS:
                continue
            sizes[component] += mass
            centered_block(points, first, size, means[component], centered)
            for row in range(columns):
                total = 0.0
                for index in range(size):
                    weighted[index] = shares[first + index, component] * centered[row, index]
                    total += weighted[index]
                sums[component, row] += total
                for column in range(row + 1):
                    product = 0.0
                    for index in range(size):
                        product += weighted[index] * centered[column, index]
                    squares[component, row, column] += product


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def add_moments_diagonal(points, means, shares, sizes, sums, squares):  # type: ignore[no-untyped-def]
    """As `add_moments_full`, with the diagonals of the squares (k, p)."""
    for row in range(points.shape[0]):
        for component in range(means.shape[0]):
            share = shares[row, component]
            if share < NO_SHARE:
                continue
            sizes[component] += share
            for column in range(points.shape[1]):
                gap = points[row, column] - means[component, column]
                sums[component, column] += share * gap
                squares[component, column] += share * gap * gap
