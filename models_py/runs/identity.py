"""Segments keep their ids from run to run: matched by the members they share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import SegmenthouseError
from models_py.clustering.rows import group_centers
from models_py.describe.withholding import TOGETHER
from models_py.runs.saved import SavedPartition, SavedRun
from models_py.runs.storage import load_run_models

if TYPE_CHECKING:
    import pandas as pd

CENTER_REACH = 0.5
"""Of the distance to the nearest other center, how far a center may move and be the same."""


MIN_JACCARD = 0.3

FEW_SHARED = 0.05
"""With a smaller share of its entities in the previous run, a run is matched by centers."""


@dataclass(frozen=True)
class Identity:
    """Ids given to the groups of one run.

    Attributes
    ----------
    segment_ids
        Shape (groups,): the id of group 0, 1, ...
    is_new
        Shape (groups,): the id was never given before.
    """

    segment_ids: IntArray
    is_new: IntArray


def match_segments(
    entity_ids: list[str],
    groups: IntArray,
    previous: pd.DataFrame | None,
    last_id: int,
    by_centers: Callable[[], Mapping[int, int]] | None = None,
) -> Identity:
    """Give each group the id of the previous segment it shares its members with.

    Pairs are matched one to one so that the sum of their Jaccard coefficients, over the
    entities that both runs hold, is highest (Kuhn 1955); a pair below 0.3 is no match, and
    the group gets an id that no segment of the study ever had.

    Parameters
    ----------
    entity_ids
        The run's entities.
    groups
        Shape (entities,): 0..groups-1, each present.
    previous
        ``entity_id`` and ``segment_id`` of the previous run; None for the first.
    last_id
        The highest id that the study ever gave.
    by_centers
        Group to segment id where too few entities are in both runs to tell.
    """
    count = int(groups.max()) + 1
    matched = np.zeros(count, dtype=np.int64)
    if previous is not None and not previous.empty:
        shared = len(set(entity_ids) & set(previous["entity_id"])) / len(entity_ids)
        if by_centers is not None and shared < FEW_SHARED:
            pairs = list(by_centers().items())
        else:
            pairs = _pairs(entity_ids, groups, previous, count)
        for group, segment_id in pairs:
            matched[group] = segment_id
    is_new = matched == 0
    matched[is_new] = last_id + 1 + np.arange(int(is_new.sum()))
    return Identity(matched, is_new)


def migrations(
    entity_ids: list[str],
    segment_ids: IntArray,
    previous: pd.DataFrame,
    withheld: Collection[int] = (),
    withheld_before: Collection[int] = (),
) -> pd.DataFrame:
    """Count the entities by previous and present segment.

    Parameters
    ----------
    entity_ids, segment_ids
        Of this run.
    previous
        ``entity_id`` and ``segment_id`` of the run before.
    withheld, withheld_before
        Segments of either run that are not described: together they are segment 0.

    Returns
    -------
    pandas.DataFrame
        ``from_segment_id`` (null: was not there), ``to_segment_id`` (null: is gone) and
        ``entities``; every entity of either run is counted once.
    """
    import pandas as pd

    to = np.where(np.isin(segment_ids, list(withheld)), TOGETHER, segment_ids)
    now = pd.DataFrame({"entity_id": entity_ids, "to_segment_id": to})
    before = previous[["entity_id", "segment_id"]].rename(columns={"segment_id": "from_segment_id"})
    is_held = before["from_segment_id"].isin(list(withheld_before))
    before["from_segment_id"] = before["from_segment_id"].mask(is_held, TOGETHER)
    both = before.merge(now, on="entity_id", how="outer").astype(
        {"from_segment_id": "Int64", "to_segment_id": "Int64"}
    )
    return (
        both.groupby(["from_segment_id", "to_segment_id"], dropna=False)
        .size()
        .reset_index(name="entities")
    )


def _pairs(
    entity_ids: list[str], groups: IntArray, previous: pd.DataFrame, count: int
) -> list[tuple[int, int]]:
    import pandas as pd
    from scipy.optimize import linear_sum_assignment

    now = pd.DataFrame({"entity_id": entity_ids, "group": groups})
    both = now.merge(previous[["entity_id", "segment_id"]], on="entity_id")
    if both.empty:
        return []
    shared = (
        pd.crosstab(both["group"], both["segment_id"])
        .reindex(np.arange(count), fill_value=0)
        .astype(float)
    )
    overlap = shared.to_numpy()
    union = overlap.sum(axis=1, keepdims=True) + overlap.sum(axis=0, keepdims=True) - overlap
    jaccard = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    # What is no match must not count, or two of it could outweigh a pair that is one.
    jaccard[jaccard < MIN_JACCARD] = 0.0
    rows, columns = linear_sum_assignment(-jaccard)
    return [
        (int(row), int(shared.columns[column]))
        for row, column in zip(rows, columns, strict=True)
        if jaccard[row, column] > 0.0
    ]


def match_by_centers(
    previous_centers: FloatArray, centers: FloatArray, *, reach: float = CENTER_REACH
) -> list[tuple[int, int]]:
    """Match groups of two populations that share no entity by where their centers lie.

    Centers are paired one to one so that as many pairs as can be lie within reach, at the
    smallest sum of squared distances (Kuhn 1955). A pair is within reach where the center
    moved less than ``reach`` times the distance from the previous center to the nearest other
    one: with the default it is then nearer to that center than to any other. A single previous
    center takes the nearest.

    Parameters
    ----------
    previous_centers
        Shape (groups before, d).
    centers
        Shape (groups, d), in the same coordinates.
    reach
        Above 0.

    Returns
    -------
    list of (int, int)
        Place of the previous center and of the center that it became.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if len(previous_centers) == 0 or len(centers) == 0:
        return []
    apart = cdist(previous_centers, centers)
    allowed = apart <= _reaches(previous_centers, reach)[:, None]
    # Out of reach costs more than all pairs within it together.
    beyond = float((apart[allowed] ** 2).sum()) + 1.0
    rows, columns = linear_sum_assignment(np.where(allowed, apart**2, beyond))
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if allowed[row, column]
    ]


def _reaches(centers: FloatArray, reach: float) -> FloatArray:
    from scipy.spatial.distance import cdist

    if len(centers) == 1:
        return np.array([np.inf])
    between = cdist(centers, centers)
    np.fill_diagonal(between, np.inf)
    return np.asarray(reach * between.min(axis=1))


def segments_by_centers(
    folder: Path, run_id: str, frame: pd.DataFrame, groups: IntArray
) -> dict[int, int]:
    """Return the earlier segment of each group that succeeds one.

    Parameters
    ----------
    folder, run_id
        The earlier run's models.
    frame
        Gold rows now.
    groups
        Shape (rows,): no group reaches over two partitions.

    Returns
    -------
    dict
        Group to segment id; empty where the earlier run left no models, or made them of columns
        that gold no longer has.
    """
    try:
        saved = load_run_models(folder, run_id)
        return _succeeded(saved, frame, groups)
    except SegmenthouseError:
        return {}


def _succeeded(saved: SavedRun, frame: pd.DataFrame, groups: IntArray) -> dict[int, int]:
    names = saved.partition_names(frame).to_numpy()
    matched: dict[int, int] = {}
    for name, part in saved.partitions.items():
        rows = np.flatnonzero(names == name)
        if rows.size:
            matched |= _of_partition(part, frame.iloc[rows], groups[rows])
    return matched


def _of_partition(part: SavedPartition, frame: pd.DataFrame, groups: IntArray) -> dict[int, int]:
    numbers, places = np.unique(groups, return_inverse=True)
    centers = group_centers(part.encode(frame), places)
    return {
        int(numbers[now]): int(part.segment_ids[before])
        for before, now in match_by_centers(part.centers, centers)
    }
