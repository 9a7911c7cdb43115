"""Latent classes, in which all columns are independent: a rival of the roads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models_py.base.arrays import FloatArray, IntArray


def latent_classes(
    numbers: FloatArray, blocks: list[FloatArray], ks: Iterable[int], starts: int
) -> IntArray:
    """Return the classes of the lowest BIC, fitted by expectation-maximisation.

    Parameters
    ----------
    numbers
        Shape (n, p), normal in each class; p may be 0.
    blocks
        Shape (n, levels) each, multinomial in each class: ones and zeros, or counts.
    ks, starts
        Numbers of classes, and random starts of each.
    """
    n = len(numbers)
    best: tuple[float, IntArray] | None = None
    for k in ks:
        for start in range(starts if k > 1 else 1):
            shares = np.random.default_rng(start).dirichlet(np.full(k, 0.3), n)
            likelihood, labels = _fit(numbers, blocks, shares)
            free = k * (2 * numbers.shape[1] + sum(b.shape[1] - 1 for b in blocks)) + k - 1
            bic = free * float(np.log(n)) - 2.0 * likelihood
            if best is None or bic < best[0]:
                best = bic, labels
    assert best is not None
    return best[1]


def _fit(
    numbers: FloatArray, blocks: list[FloatArray], shares: FloatArray
) -> tuple[float, IntArray]:
    before = -np.inf
    for _ in range(200):
        sizes = shares.sum(axis=0) + 1e-9
        logs = np.log(sizes / sizes.sum())[None].repeat(len(shares), axis=0)
        means = shares.T @ numbers / sizes[:, None]
        variances = shares.T @ numbers**2 / sizes[:, None] - means**2 + 1e-2
        for k in range(len(sizes)):
            squares = (numbers - means[k]) ** 2 / variances[k]
            logs[:, k] -= 0.5 * (squares + np.log(2.0 * np.pi * variances[k])).sum(axis=1)
        for block in blocks:
            tastes = shares.T @ block + 0.5
            logs += block @ np.log(tastes / tastes.sum(axis=1, keepdims=True)).T
        highest = logs.max(axis=1, keepdims=True)
        shares = np.exp(logs - highest)
        sums = shares.sum(axis=1, keepdims=True)
        shares /= sums
        likelihood = float((highest + np.log(sums)).sum())
        if likelihood - before < 1e-5 * len(shares):
            break
        before = likelihood
    return likelihood, np.asarray(shares.argmax(axis=1), dtype=np.int64)
