"""Whether the same segments come back from other rows, or from another seed.

References
----------
Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics and Data
Analysis 52, 258-271.
Fred, Jain (2005), Combining multiple clusterings using evidence accumulation, IEEE Transactions
on Pattern Analysis and Machine Intelligence 27, 835-850.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import NOISE
from models_py.segmentation.measures.agreement import segment_jaccard

UNSTABLE_BELOW = 0.6
CONSENSUS_CELLS = 3_000


@runtime_checkable
class Predictor(Protocol):
    """Anything fitted that can label rows."""

    def predict(self, points: FloatArray) -> IntArray:
        """Return one label for each row."""
        ...


Fit = Callable[[FloatArray, int], IntArray | Predictor]


@dataclass(frozen=True)
class Stability:
    """How far a clustering comes back when it is fitted to other draws of the rows.

    Attributes
    ----------
    segments
        Labels that the figures of `segment_jaccard` belong to, ascending, noise left out.
    segment_jaccard
        Shape (k,): mean Jaccard index with the best match in each refit, 0..1; below
        `UNSTABLE_BELOW` a segment is called unstable.
    adjusted_rand
        Mean adjusted Rand index between the clustering and its refits.
    refits
        Refits that the means stand on.
    """

    segments: IntArray
    segment_jaccard: FloatArray
    adjusted_rand: float
    refits: int


def stability(
    fit: Fit,
    points: FloatArray,
    labels: IntArray,
    *,
    refits: int = 20,
    share: float | Literal["bootstrap"] = 0.8,
    seed: int,
) -> Stability:
    """Refit on redrawn rows and return how far each segment came back.

    Parameters
    ----------
    fit
        ``fit(rows, seed)`` returns the labels of those rows, or a model with ``predict``.
    points
        Shape (n, p).
    labels
        Shape (n,): the clustering under test, -1 for noise.
    refits
        Draws of rows to refit on.
    share
        Share of the rows in a draw without replacement, or ``"bootstrap"`` for n rows with
        replacement; a row drawn twice is compared once.
    seed
        The same seed gives the same figures.

    Raises
    ------
    DataError
        When labels and rows differ in number, `refits` is below 1 or `share` is out of 0..1.

    Notes
    -----
    Rows that either labeling calls noise count in a segment's Jaccard index as rows outside it;
    noise itself is no segment and gets no figure. A segment none of whose rows is drawn is not
    judged in that refit.
    """
    _check(points, labels, refits, share)
    rng = np.random.default_rng(seed)
    segments = np.unique(labels[labels != NOISE])
    totals, times = np.zeros(segments.size), np.zeros(segments.size)
    rands = np.zeros(refits)
    for r in range(refits):
        rows, refitted = _refit(fit, points, share, rng, seed + 1 + r)
        present, jaccard, rands[r] = _compare(labels[rows], refitted)
        at = np.searchsorted(segments, present)
        totals[at] += jaccard
        times[at] += 1
    means = np.divide(totals, times, out=np.zeros_like(totals), where=times > 0)
    return Stability(segments, means, float(rands.mean()), refits)


def _check(
    points: FloatArray, labels: IntArray, refits: int, share: float | Literal["bootstrap"]
) -> None:
    if labels.shape != (len(points),):
        raise DataError(f"stability: {labels.size} labels for {len(points)} rows; give one each")
    if refits < 1:
        raise DataError(f"stability: refits is {refits}; ask for 1 or more")
    if share != "bootstrap" and not 0.0 < float(share) <= 1.0:
        raise DataError(f"stability: share is {share}; it must lie in 0..1 or be 'bootstrap'")


def _refit(
    fit: Fit,
    points: FloatArray,
    share: float | Literal["bootstrap"],
    rng: np.random.Generator,
    seed: int,
) -> tuple[IntArray, IntArray]:
    """Return distinct rows of one draw and their labels from the refit."""
    n = len(points)
    if share == "bootstrap":
        drawn = np.sort(rng.integers(0, n, n))
    else:
        drawn = np.sort(rng.choice(n, size=max(2, round(float(share) * n)), replace=False))
    answer = fit(np.ascontiguousarray(points[drawn]), seed)
    fitted = answer.predict(points[drawn]) if isinstance(answer, Predictor) else answer
    rows, first = np.unique(drawn, return_index=True)
    return rows, np.asarray(fitted, dtype=np.int64)[first]


def _compare(labels: IntArray, refitted: IntArray) -> tuple[IntArray, FloatArray, float]:
    """Return segments met, their Jaccard index with the best match, and the adjusted Rand."""
    from sklearn.metrics import adjusted_rand_score

    kept = labels != NOISE
    present = np.unique(labels[kept])
    loose = np.where(refitted == NOISE, refitted.max() + 1 + np.arange(refitted.size), refitted)
    jaccard = segment_jaccard(labels, loose)[np.searchsorted(np.unique(labels), present)]
    return present, jaccard, float(adjusted_rand_score(labels, refitted))


def consensus(labelings: Sequence[IntArray], k: int | None = None) -> IntArray:
    """Return the clustering that several clusterings of the same rows agree on.

    Rows that all clusterings label alike form a cell; two cells are as near as the share of
    clusterings that put them together, and average linkage joins them (evidence accumulation).

    Parameters
    ----------
    labelings
        Clusterings of n rows each, from several seeds, say; -1 for noise agrees with nothing.
    k
        Segments wanted; the median number of the clusterings by default.

    Returns
    -------
    ndarray
        Shape (n,): 0..k-1, the largest segment first.

    Raises
    ------
    DataError
        For no clusterings or ones of different length.

    Notes
    -----
    Memory grows with the square of the cells, not of the rows. Past `CONSENSUS_CELLS` cells the
    clusterings vote instead: each one is matched to the one that agrees best with the others
    and a row goes where most put it; `k` is then that clustering's own.
    """
    stacked = _stacked(labelings)
    if stacked.shape[0] == 1 and k is None:
        return _by_size(stacked[0])
    cells, cell_of_row, sizes = np.unique(stacked, axis=1, return_inverse=True, return_counts=True)
    if cells.shape[1] > CONSENSUS_CELLS:
        return _by_size(_vote(stacked))
    wanted = k or int(np.median([np.unique(row[row != NOISE]).size for row in stacked]))
    joined = _join_cells(_apart(cells), sizes, max(1, wanted))
    return _by_size(joined[cell_of_row.ravel()])


def _stacked(labelings: Sequence[IntArray]) -> IntArray:
    if not len(labelings):
        raise DataError("consensus: no clusterings were given; give two or more")
    lengths = {len(labels) for labels in labelings}
    if len(lengths) > 1:
        raise DataError(f"consensus: clusterings differ in length: {sorted(lengths)}")
    return np.vstack([np.asarray(labels, dtype=np.int64) for labels in labelings])


def _apart(cells: IntArray) -> FloatArray:
    """Share of clusterings that keep two cells apart, shape (cells, cells)."""
    together = np.zeros((cells.shape[1], cells.shape[1]))
    for row in cells:
        together += (row[:, None] == row[None, :]) & (row != NOISE)[:, None]
    return np.asarray(1.0 - together / len(cells))


def _join_cells(apart: FloatArray, sizes: IntArray, k: int) -> IntArray:
    """Average linkage of cells weighted by their rows, by nearest-neighbour chains."""
    from scipy.cluster.hierarchy import fcluster

    from models_py.segmentation.measures.stability_kernels import weighted_average_tree

    if len(apart) <= k:
        return np.arange(len(apart))
    tree = weighted_average_tree(apart.copy(), sizes.astype(np.float64))
    return np.asarray(fcluster(tree, k, criterion="maxclust"), dtype=np.int64)


def _vote(stacked: IntArray) -> IntArray:
    from sklearn.metrics import adjusted_rand_score

    agreement = [
        sum(adjusted_rand_score(row, other) for other in stacked if other is not row)
        for row in stacked
    ]
    anchor = stacked[int(np.argmax(agreement))]
    names = np.unique(anchor)
    votes = np.zeros((anchor.size, names.size), dtype=np.int32)
    for row in stacked:
        matched = _matched(row, anchor, names)
        placed: BoolArray = matched >= 0
        votes[np.flatnonzero(placed), matched[placed]] += 1
    return np.asarray(names[votes.argmax(axis=1)])


def _matched(row: IntArray, anchor: IntArray, names: IntArray) -> IntArray:
    """Position in `names` of the group of `anchor` that each row's own group is matched to."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics.cluster import contingency_matrix

    table = contingency_matrix(row, anchor)
    own, codes = np.unique(row, return_inverse=True)
    position = np.full(own.size, -1)
    first, second = linear_sum_assignment(-table)
    position[first] = second
    assert names.size == table.shape[1]
    return np.asarray(position[codes])


def _by_size(labels: IntArray) -> IntArray:
    names, first, codes, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(names.size, dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(names.size)
    return np.asarray(rank[codes])
