"""Which segment of an earlier run each group succeeds, told by centres where no customer is shared.

The rows there are now go through the earlier run's own chain, so that their groups' centres
lie in the coordinates of its segments.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models_py.clustering.rows import group_centres
from models_py.comparison import match_by_centres
from models_py.base.errors import SegmenthouseError
from models_py.scoring.saved import SavedPartition, SavedRun, load_run_models
from models_py.base.arrays import IntArray

if TYPE_CHECKING:
    import pandas as pd


def succeeded_segments(
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
    centres = group_centres(part.encode(frame), places)
    return {
        int(numbers[now]): int(part.segment_ids[before])
        for before, now in match_by_centres(part.centres, centres)
    }
