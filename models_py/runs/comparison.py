"""Two runs of a study side by side: which segments stayed, came, went, split and merged.

Ids tell which segment is which, since a refit keeps them. Splits and merges are read from the
customers of both runs, by the share of a segment's customers that went to another (the
transitions of MONIC): a segment split where at least two segments took a quarter of its
customers each and are mostly made of them; it merged into another where that took at least half
of its customers, and of another segment's too.

References
----------
Spiliopoulou, M., Ntoutsi, I., Theodoridis, Y., Schult, R. (2006). MONIC: modeling and
monitoring cluster transitions. KDD.
Meila, M. (2007). Comparing clusterings: an information based distance. Journal of Multivariate
Analysis 98(5), 873-895.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.describe.withholding import TOGETHER

if TYPE_CHECKING:
    import pandas as pd

MATCH_SHARE = 0.5
"""A segment went to another that took this share of its customers (MONIC's tau)."""

PART_SHARE = 0.25
"""Each part of a split took this share of the customers (MONIC's tau for splits)."""

WITHHELD_NAME = "segments not described"


Kind = Literal["kept", "new", "gone", "split", "merged"]


@dataclass(frozen=True)
class SegmentFacts:
    """A segment in one run."""

    segment_id: int
    name: str
    size: int
    share: float


@dataclass(frozen=True)
class Change:
    """What became of a segment, or of several.

    Attributes
    ----------
    kind
        ``kept``, ``new``, ``gone``, ``split`` or ``merged``.
    before, after
        Segment ids of the first and of the second run.
    words
        The same as a sentence.
    """

    kind: Kind
    before: tuple[int, ...]
    after: tuple[int, ...]
    words: str


@dataclass(frozen=True)
class Comparison:
    """Two runs of a study.

    Attributes
    ----------
    previous, current
        Segments of either run by id.
    changes
        Kept segments first, then what split, merged, came and went.
    flows
        One row a pair of segments: ``from_segment_id`` (null: was not there),
        ``to_segment_id`` (null: is gone) and ``customers``.
    in_both, came, went, moved
        Customers in both runs, only in the second, only in the first; of those in both, in a
        segment of another id.
    adjusted_rand, variation_of_information
        Over the customers in both runs; nan where there are none. The latter in nats.
    rows
        What a row is called, in the plural.
    """

    previous: dict[int, SegmentFacts]
    current: dict[int, SegmentFacts]
    changes: list[Change]
    flows: pd.DataFrame
    in_both: int
    came: int
    went: int
    moved: int
    adjusted_rand: float
    variation_of_information: float
    rows: str = "customers"

    @property
    def moved_share(self) -> float:
        """Of the customers in both runs, the share that moved; nan where there are none."""
        return self.moved / self.in_both if self.in_both else float("nan")


def without_withheld(
    assignments: pd.DataFrame, segments: Mapping[int, SegmentFacts], withheld: Collection[int]
) -> tuple[pd.DataFrame, dict[int, SegmentFacts]]:
    """Return a run whose segments that are not described are one, so that no flow tells of them.

    Parameters
    ----------
    assignments, segments
        Of the run, as for :func:`compare_runs`.
    withheld
        Segments that are not described.
    """
    hidden = [segments[segment_id] for segment_id in sorted(withheld) if segment_id in segments]
    if not hidden:
        return assignments, dict(segments)
    ids = assignments["segment_id"]
    joined = SegmentFacts(
        TOGETHER,
        WITHHELD_NAME,
        sum(segment.size for segment in hidden),
        sum(segment.share for segment in hidden),
    )
    described = {key: facts for key, facts in segments.items() if key not in withheld}
    together = assignments.assign(segment_id=ids.mask(ids.isin(list(withheld)), TOGETHER))
    return together, {TOGETHER: joined, **described}


def compare_runs(
    previous: pd.DataFrame,
    current: pd.DataFrame,
    previous_segments: Mapping[int, SegmentFacts],
    current_segments: Mapping[int, SegmentFacts],
    rows: str = "customers",
) -> Comparison:
    """Compare two runs of a study.

    Parameters
    ----------
    previous, current
        ``entity_id`` and ``segment_id`` of either run.
    previous_segments, current_segments
        The segments of either run by id.
    rows
        What a row is called, in the plural.

    Raises
    ------
    DataError
        A run assigned no customer.
    """
    if previous.empty or current.empty:
        raise DataError("a run without assignments cannot be compared")
    both = previous[["entity_id", "segment_id"]].merge(
        current[["entity_id", "segment_id"]],
        on="entity_id",
        how="outer",
        suffixes=("_before", "_after"),
    )
    before, after = both["segment_id_before"], both["segment_id_after"]
    is_both = (before.notna() & after.notna()).to_numpy()
    table = _overlap(both[is_both], sorted(previous_segments), sorted(current_segments))
    return Comparison(
        previous=dict(previous_segments),
        current=dict(current_segments),
        changes=_changes(table, previous_segments, current_segments, rows),
        flows=_flows(both),
        in_both=int(is_both.sum()),
        came=int(before.isna().sum()),
        went=int(after.isna().sum()),
        moved=int((before[is_both] != after[is_both]).sum()),
        adjusted_rand=_adjusted_rand(before[is_both], after[is_both]),
        variation_of_information=variation_of_information(table),
        rows=rows,
    )


def _adjusted_rand(before: pd.Series[int], after: pd.Series[int]) -> float:
    from sklearn.metrics import adjusted_rand_score

    if before.empty:
        return float("nan")
    return float(adjusted_rand_score(before.astype(np.int64), after.astype(np.int64)))


def variation_of_information(table: IntArray) -> float:
    """Return Meila's distance of two labelings of the same rows, in nats.

    0 for the same groups, at most the logarithm of the rows; a metric.

    Parameters
    ----------
    table
        Shape (groups, groups): rows that each pair of groups shares.
    """
    rows = table.sum()
    if rows == 0:
        return float("nan")
    joint = table / rows
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    return max(0.0, 2.0 * _entropy(joint.ravel()) - _entropy(first) - _entropy(second))


def _entropy(shares: FloatArray) -> float:
    positive = shares[shares > 0]
    return float(-np.sum(positive * np.log(positive)))


def _overlap(both: pd.DataFrame, before: Sequence[int], after: Sequence[int]) -> IntArray:
    rows = np.searchsorted(before, both["segment_id_before"].to_numpy(dtype=np.int64))
    columns = np.searchsorted(after, both["segment_id_after"].to_numpy(dtype=np.int64))
    cells = np.bincount(rows * len(after) + columns, minlength=len(before) * len(after))
    return cells.reshape(len(before), len(after)).astype(np.int64)


def _flows(both: pd.DataFrame) -> pd.DataFrame:
    names = {"segment_id_before": "from_segment_id", "segment_id_after": "to_segment_id"}
    flows = both.rename(columns=names).astype(dict.fromkeys(names.values(), "Int64"))
    counted = flows.groupby(list(names.values()), dropna=False).size()
    return counted.reset_index(name="customers")


def _changes(
    table: IntArray,
    previous: Mapping[int, SegmentFacts],
    current: Mapping[int, SegmentFacts],
    rows: str,
) -> list[Change]:
    before, after = sorted(previous), sorted(current)
    stayed = [i for i in before if i in current]
    return [
        *(_kept(previous[i], current[i], rows) for i in stayed),
        *_splits(table, previous, current),
        *_merges(table, previous, current),
        *(_new(current[i], rows) for i in after if i not in previous),
        *(
            _gone(table[before.index(i)], previous[i], current, rows)
            for i in before
            if i not in current
        ),
    ]


def _splits(
    table: IntArray, previous: Mapping[int, SegmentFacts], current: Mapping[int, SegmentFacts]
) -> list[Change]:
    before, after = sorted(previous), sorted(current)
    went, made_of = _shares(table)
    is_part = (went >= PART_SHARE) & (made_of >= MATCH_SHARE)
    changes = []
    for row in np.flatnonzero(is_part.sum(axis=1) >= 2):
        parts = np.flatnonzero(is_part[row])
        if went[row, parts].sum() < MATCH_SHARE:
            continue
        text = ", ".join(
            f"{_title(current[after[part]])} took {went[row, part]:.0%}" for part in parts
        )
        words = f"{_title(previous[before[row]])} split: {text}"
        ids = tuple(after[part] for part in parts)
        changes.append(Change("split", (before[row],), ids, words))
    return changes


def _merges(
    table: IntArray, previous: Mapping[int, SegmentFacts], current: Mapping[int, SegmentFacts]
) -> list[Change]:
    before, after = sorted(previous), sorted(current)
    went, _ = _shares(table)
    is_taken: BoolArray = went >= MATCH_SHARE
    changes = []
    for column in np.flatnonzero(is_taken.sum(axis=0) >= 2):
        sources = np.flatnonzero(is_taken[:, column])
        text = " and ".join(
            f"{_title(previous[before[row]])} ({went[row, column]:.0%} of it)" for row in sources
        )
        words = f"{text} merged into {_title(current[after[column]])}"
        ids = tuple(before[row] for row in sources)
        changes.append(Change("merged", ids, (after[column],), words))
    return changes


def _kept(was: SegmentFacts, now: SegmentFacts, rows: str) -> Change:
    renamed = "" if was.name == now.name else f", was called '{was.name}'"
    words = (
        f"{_title(now)} stayed: {was.size:,} to {now.size:,} {rows},"
        f" {was.share:.1%} to {now.share:.1%}{renamed}"
    )
    return Change("kept", (was.segment_id,), (now.segment_id,), words)


def _new(now: SegmentFacts, rows: str) -> Change:
    words = f"{_title(now)} is new: {now.size:,} {rows}, {now.share:.1%}"
    return Change("new", (), (now.segment_id,), words)


def _gone(
    row: IntArray, was: SegmentFacts, current: Mapping[int, SegmentFacts], rows: str
) -> Change:
    words = f"{_title(was)} is gone ({was.size:,} {rows}, {was.share:.1%})"
    if row.sum() == 0:
        return Change("gone", (was.segment_id,), (), f"{words}: none of them is there any more")
    most = int(row.argmax())
    taker = _title(current[sorted(current)[most]])
    words += f": {row[most] / row.sum():.0%} of those still there went to {taker}"
    return Change("gone", (was.segment_id,), (), words)


def _shares(table: IntArray) -> tuple[FloatArray, FloatArray]:
    # Of each previous segment's customers; of each present segment's customers.
    rows, columns = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    return table / np.maximum(rows, 1), table / np.maximum(columns, 1)


def _title(segment: SegmentFacts) -> str:
    return f"segment {segment.segment_id} ({segment.name})"
