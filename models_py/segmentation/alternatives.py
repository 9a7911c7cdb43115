"""What else the rows could be grouped into: the next best candidates that say something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import IntArray
from models_py.clustering.candidate import NOISE
from models_py.segmentation.choosing import ChosenCandidate
from models_py.segmentation.search import EvaluatedCandidate

MOST = 3
"""Alternatives that are offered: a reader chooses among few."""
DISTINCT_BELOW = 0.8
"""Adjusted Rand index under which two groupings of the same rows are two, not one."""
MOST_COMPARED = 60
"""Candidates that are looked at, the best first."""
MOST_ROWS = 20_000
"""Rows that two groupings are compared on, evenly spread."""


@dataclass(frozen=True, eq=False)
class Alternative:
    """Another grouping of the rows of a partition.

    Attributes
    ----------
    position
        Its place among the candidates.
    agreement
        Adjusted Rand index with the answer, over the rows that were searched; nan where the
        answer is one segment, with which nothing can agree.
    labels
        Shape (fitted rows,): its clusters, noise -1.
    """

    position: int
    agreement: float
    labels: IntArray


def distinct_alternatives(
    evaluated: Sequence[EvaluatedCandidate], choice: ChosenCandidate, groups: IntArray
) -> list[Alternative]:
    """Return the best ranked candidates that differ from the answer and from each other.

    Parameters
    ----------
    evaluated
        Every candidate.
    choice
        The one chosen, with the ranking of all that could be.
    groups
        Shape (fitted rows,): the answer's groups of the rows that the candidates label.

    Returns
    -------
    list of Alternative
        At most `MOST`, the best ranked first.
    """
    taken: list[Alternative] = []
    for position in choice.ranking[:MOST_COMPARED]:
        if position == choice.position or len(taken) == MOST:
            continue
        labels = evaluated[position].candidate.labels
        is_new = all(_agreement(labels, other.labels) < DISTINCT_BELOW for other in taken)
        agreement = float("nan") if groups.max() == 0 else _agreement(groups, labels)
        if is_new and not agreement >= DISTINCT_BELOW:
            taken.append(Alternative(position, agreement, labels))
    return taken


def _agreement(labels: IntArray, other: IntArray) -> float:
    from sklearn.metrics import adjusted_rand_score

    step = 1 + (len(labels) - 1) // MOST_ROWS
    return float(adjusted_rand_score(labels[::step], other[::step]))


def cross_counts(groups: IntArray, labels: IntArray) -> IntArray:
    """Return how many rows of each group each cluster has, shape (groups, clusters); no noise."""
    known = labels != NOISE
    counts = np.zeros((int(groups.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(counts, (groups[known], labels[known]), 1)
    return counts
