"""The customers to score: a file, a table of the warehouse, or the study's own gold table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base.errors import DataError, UsageError, near_match
from models_py.database.connection import Warehouse
from models_py.database.gold import read_gold
from models_py.runs.saved import SavedRun
from models_py.segmentation.studied import known_values

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from models_py.sources.reading.record import Loss

FILE_KINDS = (".csv", ".tsv", ".tab", ".txt", ".gz", ".xlsx", ".xlsm", ".parquet")


@dataclass(frozen=True)
class Source:
    """Where customers come from.

    Attributes
    ----------
    words
        The file or table, as a message names it.
    file
        None for a table.
    rows
        Those of a frame, where they come from neither.
    schema, table
        None for a file.
    is_studied
        Whether it is the study's own table: then its ``where``, ``at_least`` and ``under`` hold.
    """

    words: str
    file: Path | None = None
    schema: str = ""
    table: str = ""
    is_studied: bool = False
    rows: pa.Table | None = None


def find_source(asked: str | None, saved: SavedRun) -> Source:
    """Return the file or table asked for; the study's own table where none is.

    Raises
    ------
    UsageError
        It is neither a file that can be read nor ``schema.table``.
    """
    if asked is None:
        schema, table = saved.study.schema_and_name
        return Source(saved.study.table, schema=schema, table=table, is_studied=True)
    path = Path(asked)
    kinds = ".csv, .xlsx or .parquet"
    if asked and path.is_dir():
        raise UsageError(f"--input {asked}: is a folder; name the {kinds} file in it")
    if path.suffix.lower() in FILE_KINDS:
        if not path.is_file():
            raise UsageError(f"--input {asked}: there is no such file")
        return Source(str(path), file=path)
    if path.is_file() or asked.count(".") != 1 or not all(asked.split(".")):
        raise UsageError(f"--input {asked}: give a {kinds} file, or a table as schema.name")
    schema, _, table = asked.partition(".")
    return Source(asked, schema=schema, table=table)


def check_all_are_here(source: Source, saved: SavedRun) -> None:
    """Refuse the study's own table where the warehouse file has a sample of it alone.

    Raises
    ------
    UsageError
        It is on Spark.
    """
    if source.is_studied and saved.study.engine == "spark":
        raise UsageError(
            f"{saved.study.table} is on Spark, and here is the sample of run {saved.run_id} alone:"
            " name the customers with --input, or let score_customers.py --sql print the statement"
            " that scores them there"
        )


def read_customers(
    source: Source,
    saved: SavedRun,
    warehouse: Warehouse | None,
    losses: list[Loss] | None = None,
) -> pd.DataFrame:
    """Read the entity and the columns that the run needs.

    A file or frame is read as the study's own was, by its ``[reading]``.

    Parameters
    ----------
    source
        The file or table.
    saved
        The run.
    warehouse
        Open; None where the source is no table.
    losses
        Takes what of a file was not read.

    Raises
    ------
    DataError
        A column is missing or holds words where the run had numbers, or an entity is null or
        stands twice.
    """
    given = source.file or source.rows
    if given is not None:
        frame = _read_given(given, source.words, saved, losses if losses is not None else [])
    else:
        frame = _read_table(source, saved, warehouse)
    frame = known_values(saved.study, frame)
    _check_numbers(frame, saved, source.words)
    return frame


def _read_table(source: Source, saved: SavedRun, warehouse: Warehouse | None) -> pd.DataFrame:
    assert warehouse is not None
    study = saved.study
    where = study.where if source.is_studied else {}
    at_least = study.at_least if source.is_studied else {}
    under = study.under if source.is_studied else {}
    there = warehouse.columns(source.schema, source.table)
    _check_columns(there, saved, source.words)
    read = read_gold(
        warehouse,
        source.schema,
        source.table,
        study.entity,
        saved.columns,
        where,
        at_least,
        under=under,
    )
    return read.frame


def _read_given(
    given: Path | pa.Table, words: str, saved: SavedRun, losses: list[Loss]
) -> pd.DataFrame:
    from models_py.database.reading.columns import ReadingOptions
    from models_py.database.reading.loading import read_frame

    study, known = saved.study, _known_words(saved)
    entity = study.entity
    options = ReadingOptions(ids=(entity,), text=() if study.reading else tuple(known))
    frame, read = read_frame(
        given,
        options,
        recorded=study.reading,
        check=lambda names: _check_columns(names, saved, words),
    )
    losses += read.record.losses
    frame = frame[[entity, *saved.columns]].copy()
    frame[entity] = frame[entity].astype("string")
    if frame.empty:
        raise DataError(f"{words} has no rows")
    if frame[entity].isna().any():
        raise DataError(f"{words}: {entity} is null on {int(frame[entity].isna().sum())} rows")
    twice = frame[entity][frame[entity].duplicated()]
    if not twice.empty:
        raise DataError(
            f"{words}: {entity} has '{twice.iloc[0]}' more than once ({twice.size} rows too many):"
            " give one row per entity"
        )
    for column, values in known.items():
        if column in frame and frame[column].dtype in ("object", "string", "str"):
            frame[column] = _as_known(frame[column], values)
    return frame


def _known_words(saved: SavedRun) -> dict[str, set[str]]:
    # Columns that the run reads as words, with the words that it knows.
    known: dict[str, set[str]] = {}
    if saved.study.partition_by is not None:
        known[saved.study.partition_by] = set(saved.partitions)
    for part in saved.partitions.values():
        for recipe in part.matrix.recipes_:
            if recipe.kind in {"category", "ordinal"}:
                words = {str(recipe.category), *recipe.order}
                known.setdefault(recipe.column, set()).update(words)
    return known


def _as_known(column: pd.Series[Any], known: set[str]) -> pd.Series[Any]:
    def written(value: object) -> object:
        return _nearest_writing(value, known) if isinstance(value, str) else value

    return column.map(written, na_action="ignore")


def _nearest_writing(text: str, known: set[str]) -> str:
    # Programs write one value in several ways: true and True, 1 and 1.0.
    ways = (text, text.capitalize(), text.removesuffix(".0"), f"{text}.0")
    return next((way for way in ways if way in known), text)


def _check_columns(there: Any, saved: SavedRun, words: str) -> None:
    missing = [c for c in [saved.study.entity, *saved.columns] if c not in there]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(
            f"{words} has no column '{missing[0]}', which run {saved.run_id} needs{more}"
            f"{near_match(missing[0], there)}"
        )


def _check_numbers(frame: pd.DataFrame, saved: SavedRun, words: str) -> None:
    import pandas as pd

    recipes = [r for part in saved.partitions.values() for r in part.matrix.recipes_]
    for column in dict.fromkeys(r.column for r in recipes if r.kind == "numeric"):
        values = frame[column]
        numbers = pd.to_numeric(values, errors="coerce")
        wrong = values[numbers.isna() & values.notna()]
        if not wrong.empty:
            raise DataError(
                f"{words}: column '{column}' holds '{wrong.iloc[0]}' where the run had numbers"
            )
        if values.isna().all():
            frame[column] = numbers.astype(float)
