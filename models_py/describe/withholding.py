"""What is withheld of segments and categories of too few, and of others so that it stays so.

A figure of one cell of a table follows from the total and the other cells. So where a cell is
withheld, as many of the smallest others are withheld with it as it takes that what is left of the
total is a figure of several cells with members enough (complementary suppression).

References
----------
Cox, L. H. (1980). Suppression methodology and statistical disclosure control. JASA 75, 377-385.
Hundepool, A. et al. (2012). Statistical disclosure control, chapter 4. Wiley.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.features.recipes import as_words

if TYPE_CHECKING:
    import pandas as pd

NO_CATEGORY = "not given"
RARE = "(rare categories)"
"""What the categories of too few are called together."""

TOGETHER = 0
"""What the withheld segments of a run are called together; no segment has this id."""


@dataclass(frozen=True)
class Withheld:
    """What is withheld of a partition.

    Attributes
    ----------
    least
        Members from which on a segment of the partition is described.
    is_whole
        The figures of the partition as a whole are withheld too: it is too small itself, or one
        of those that stand in for a smaller one.
    """

    least: int
    is_whole: bool = False


def suppressed(sizes: IntArray, least: int, held: BoolArray | None = None) -> BoolArray:
    """Return which cells of a total are withheld.

    Parameters
    ----------
    sizes
        Shape (cells,): members of each; a cell without members counts as none.
    least
        A cell with fewer members is withheld; then at least two are, which have ``least``
        members together. Of cells of one size all are withheld or none.
    held
        Shape (cells,): cells that are withheld for another reason.

    Examples
    --------
    >>> suppressed(np.array([400, 3, 60, 90]), 5)
    array([False,  True,  True, False])
    >>> suppressed(np.array([400, 3, 4, 90]), 5)
    array([False,  True,  True, False])
    >>> suppressed(np.array([400, 60, 90]), 5)
    array([False, False, False])
    """
    is_cell = sizes > 0
    withheld = is_cell & (sizes < least)
    if held is not None:
        withheld |= is_cell & held
    if not withheld.any():
        return withheld
    while (is_cell & ~withheld).any() and (
        withheld.sum() < 2 or int(sizes[withheld].sum()) < least
    ):
        withheld |= is_cell & (sizes <= sizes[is_cell & ~withheld].min())
    return withheld


def withheld_of(partitions: Sequence[IntArray], least: int) -> list[Withheld]:
    """Return what is withheld of each partition of a run.

    Parameters
    ----------
    partitions
        One a partition, shape (segments,): members of each segment.
    least
        Members under which a segment is not described.
    """
    totals = np.array([int(sizes.sum()) for sizes in partitions], dtype=np.int64)
    is_whole = suppressed(totals, least)
    result = []
    for sizes, whole in zip(partitions, is_whole, strict=True):
        hidden = sizes[suppressed(sizes, least)] if not whole else sizes
        edge = int(hidden.max()) + 1 if hidden.size else least
        result.append(Withheld(max(edge, least), bool(whole)))
    return result


def withheld_segments(
    partitions: Sequence[object], segment_ids: Sequence[int], sizes: Sequence[int], least: int
) -> set[int]:
    """Return the segments of a run that are not described.

    Parameters
    ----------
    partitions, segment_ids, sizes
        One a segment.
    least
        Members under which a segment is not described.
    """
    names = list(dict.fromkeys(partitions))
    by_partition = [
        np.array([s for p, s in zip(partitions, sizes, strict=True) if p == name], dtype=np.int64)
        for name in names
    ]
    edges = {
        name: held.least for name, held in zip(names, withheld_of(by_partition, least), strict=True)
    }
    return {
        int(segment_id)
        for partition, segment_id, size in zip(partitions, segment_ids, sizes, strict=True)
        if size < edges[partition]
    }


def rare_words(column: pd.Series[Any], least: int) -> frozenset[str]:
    """Return the words of a column that are not named, since too few rows have them.

    Parameters
    ----------
    column
        One value a row; a null is the word ``'not given'``.
    least
        A word of fewer rows is not named, nor are as many of the next rarest as it takes that
        the number of its rows does not follow from the others.
    """
    counts = as_words(column).astype("string").fillna(NO_CATEGORY).value_counts()
    hidden = suppressed(np.asarray(counts, dtype=np.int64), least)
    return frozenset(str(word) for word in counts.index[hidden])


def rare_answers(values: FloatArray, names: Sequence[str], least: int) -> set[str]:
    """Return the columns of 0 and 1 of which fewer than ``least`` rows are one of both.

    Parameters
    ----------
    values
        Shape (rows, columns), nan where unknown.
    names
        The columns'.
    least
        As for :func:`suppressed`.
    """
    if not len(values):
        return set()
    ones, zeros = (values == 1.0).sum(axis=0), (values == 0.0).sum(axis=0)
    is_binary = ones + zeros + np.isnan(values).sum(axis=0) == len(values)
    is_rare = is_binary & (np.minimum(ones, zeros) > 0) & (np.minimum(ones, zeros) < least)
    return {name for name, rare in zip(names, is_rare, strict=True) if rare}


def word_features(frame: pd.DataFrame, columns: Collection[str], least: int) -> set[str]:
    """Return the features ``column=word`` of the words that are not named.

    Parameters
    ----------
    frame
        Gold rows of a partition.
    columns
        Those of words.
    least
        As for :func:`suppressed`.
    """
    hidden = set()
    for column in columns:
        words = rare_words(frame[column], least)
        hidden |= {f"{column}={word}" for word in words}
        # A study may give nulls a feature of their own.
        if NO_CATEGORY in words:
            hidden |= {f"{column}=missing", f"{column}_is_missing"}
    return hidden
