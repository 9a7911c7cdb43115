"""Scores of customers into a file, at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import committed
from models_py.base.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

FILE_KINDS = (".csv", ".parquet")


def with_names(
    scored: pd.DataFrame, entity: str, names: Mapping[int, str], label: str | None = None
) -> pd.DataFrame:
    """Return scores with the entity's own column, the segments' names and the label's column.

    Parameters
    ----------
    scored
        As :meth:`models_py.runs.saved.SavedRun.score` returns them.
    entity
        Column of the study.
    names
        Of the segments by id.
    label
        Column of the study that the majority label stands for.
    """
    renamed = scored.rename(columns={"entity_id": entity} | ({"label": label} if label else {}))
    place = list(renamed.columns).index("segment_id") + 1
    renamed.insert(place, "segment_name", renamed["segment_id"].map(names).astype("string"))
    return renamed


def write_file(path: Path, run_id: str, scored: pd.DataFrame, scored_at: datetime) -> None:
    """Write scores to a CSV or Parquet file: the whole file, or none.

    Raises
    ------
    UsageError
        The file's name ends otherwise, or there is no such folder.
    DataError
        It cannot be written.
    """
    check_target(path)
    result = scored.assign(run_id=run_id, scored_at=scored_at)
    unfinished = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        if path.suffix.lower() == ".csv":
            result.to_csv(unfinished, index=False)
        else:
            result.to_parquet(unfinished, index=False)
        committed.rename(unfinished, path, f"the scores lie in {path}")
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror or error})") from error
    finally:
        unfinished.unlink(missing_ok=True)


def check_target(path: Path) -> None:
    """Refuse a file that is neither CSV nor Parquet, or that has no place to be.

    Raises
    ------
    UsageError
        With the endings allowed, or the folder that is not there.
    """
    if path.suffix.lower() not in FILE_KINDS:
        raise UsageError(f"--output {path}: end the name in {' or '.join(FILE_KINDS)}")
    if path.is_dir():
        raise UsageError(f"--output {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {path.parent}; make it first")
