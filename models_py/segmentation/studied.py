"""A study's gold rows, read and segmented one partition after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import BoolArray
from models_py.base.errors import MemoryRefusedError, StudyError, near_match
from models_py.base.progress import Progress
from models_py.base.settings import memory_bytes
from models_py.clustering.fitting import MEMORY_SHARE
from models_py.database import results
from models_py.database.connection import WAIT_SECONDS, open_warehouse
from models_py.database.gold import GoldRows, read_gold
from models_py.features.matrix import check_patterns, feature_columns, without_missing_values
from models_py.segmentation.prepare import ALL
from models_py.segmentation.prepare import strata_columns
from models_py.segmentation.segmentation import Segmentation, segment_rows
from models_py.base.patterns import matching, matching_any

if TYPE_CHECKING:
    import pandas as pd

    from models_py.database.spark_tables import SparkTable
    from models_py.studies.study import Study


BYTES_A_ROW = 400
BYTES_A_VALUE = 80
"""What a run holds of a table at its peak: the entities as text and their results, and each column
some ten times (read, scaled, selected, encoded, clustered, described)."""

NOT_GIVEN = "not given"
"""Name of the partition whose value is null, as the pipeline calls it."""


def segment_partitions(
    study: Study,
    frame: pd.DataFrame,
    seed: int,
    progress: Progress,
    whole: SparkTable | None = None,
) -> list[Segmentation]:
    """Search each partition for itself, in the order of their names.

    Parameters
    ----------
    study
        The recipe.
    frame
        Gold rows, one per entity.
    seed
        The same for every partition.
    progress
        Shows each step.
    whole
        The table on Spark that the rows are a sample of.
    """
    columns = _feature_columns(study, frame.columns)
    beside = frame[[c for c in strata_columns(study) if c in frame and c not in columns]]
    enough = _shows_enough(study, frame)
    if study.partition_by is None:
        return [segment_rows(frame[columns], study, ALL, seed, progress, enough, beside, whole)]
    names = frame[study.partition_by].astype("string").fillna(NOT_GIVEN)
    return [
        segment_rows(
            frame.loc[names == name, columns],
            study,
            str(name),
            seed,
            progress,
            None if enough is None else enough[(names == name).to_numpy()],
            beside[names == name],
        )
        for name in sorted(names.unique())
    ]


def _shows_enough(study: Study, frame: pd.DataFrame) -> BoolArray | None:
    if not study.fit_at_least:
        return None
    reached = [(frame[name] >= least) for name, least in study.fit_at_least.items()]
    masks = [item.fillna(False).to_numpy(dtype=bool) for item in reached]
    return np.asarray(np.all(masks, axis=0), dtype=bool)


def check_size(rows: int, columns: int) -> None:
    """Refuse a table that a run could not hold in the memory there is.

    Raises
    ------
    MemoryRefusedError
        The message names the ways out.
    """
    needed = rows * (BYTES_A_ROW + columns * BYTES_A_VALUE)
    allowed = int(memory_bytes() * MEMORY_SHARE)
    if needed > allowed:
        raise MemoryRefusedError(
            f"clustering {rows:,} rows of {columns} columns needs about {needed / 1e9:.1f} GB,"
            f" {allowed / 1e9:.1f} GB may be used; lower the rows with the study's where, or have"
            " the table on Spark and cluster it there with engine = 'spark'"
        )


def read_studied(
    study: Study,
    path: Path,
    most: int | None = None,
    check: Callable[[int, int], None] | None = None,
) -> GoldRows:
    """Read the gold rows of a study with its features, measures, partition and label.

    Parameters
    ----------
    study
        The recipe.
    path
        The DuckDB file.
    most
        Rows at most, drawn by their entities; all where it is None.
    check
        May refuse rows and columns before they are read, as `check_size` does.

    Raises
    ------
    SegmenthouseError
        The table, a column or every row is missing; the message says what to do.
    """
    schema, name = study.schema_and_name
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        available = warehouse.columns(schema, name)
        _check_columns(study, available)
        read = read_gold(
            warehouse,
            schema,
            name,
            study.entity,
            list(columns_read(study, available)),
            study.where,
            study.at_least,
            study.order_by,
            most,
            under=study.under,
            check_size=check,
        )
    return replace(read, frame=known_values(study, read.frame))


def known_values(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Return gold rows with null where the study says that a value stands for none."""
    apart = {study.entity, study.partition_by, study.label}
    return without_missing_values(frame, study.features, apart)


def columns_read(study: Study, available: dict[str, str]) -> list[str]:
    """Return the columns that a study reads beside its entity, of those available with types."""
    wanted = [
        *_feature_columns(study, available),
        *_in_order(available, study.describe.measures),
        *([study.describe.worth] if study.describe.worth else []),
        *([study.partition_by] if study.partition_by else []),
        *study.fit_at_least,
        *([study.label] if study.label else []),
    ]
    return list(dict.fromkeys(column for column in wanted if column != study.entity))


def _in_order(available: Iterable[str], patterns: Iterable[str]) -> list[str]:
    columns = list(available)
    meant = matching_any(patterns, columns)
    return [column for column in columns if column in meant]


def _feature_columns(study: Study, available: Iterable[str]) -> list[str]:
    # Who a row is, its partition and its known answer tell nothing of how it behaves, whatever
    # the patterns match.
    apart = {study.entity, study.partition_by, study.label}
    return [c for c in feature_columns(study.features, available) if c not in apart]


def _check_columns(study: Study, available: dict[str, str]) -> None:
    for key in ("entity", "order_by", "partition_by", "label"):
        column = getattr(study, key)
        if column is not None and column not in available:
            raise StudyError(
                f"study {study.name}: {key} = '{column}': {study.table} has no such column"
                f"{near_match(column, available)}"
            )
    for column in study.fit_at_least:
        if column not in available:
            raise StudyError(
                f"study {study.name}: fit_at_least.{column}: {study.table} has no such column"
                f"{near_match(column, available)}"
            )
    if study.entity in results.VIEW_COLUMNS:
        raise StudyError(
            f"study {study.name}: entity = '{study.entity}': the results have a column of that"
            f" name; rename it in {study.table}"
        )
    worth = study.describe.worth
    if worth is not None and worth not in available:
        raise StudyError(
            f"study {study.name}: describe.worth = '{worth}': {study.table} has no such column"
            f"{near_match(worth, available)}"
        )
    for pattern in study.describe.measures:
        if not matching(pattern, available):
            raise StudyError(
                f"study {study.name}: describe.measures: no column of {study.table} matches"
                f" '{pattern}'{near_match(pattern, available)}"
            )
    for column in study.describe.words:
        if column not in available:
            raise StudyError(
                f"study {study.name}: describe.words: {study.table} has no column '{column}'"
                f"{near_match(column, available)}"
            )
    try:
        check_patterns(study.features, available)
    except StudyError as error:
        raise StudyError(f"study {study.name}: {study.table}: {error}") from error
