"""The customers to score: a CSV or Parquet file, a table of the warehouse, or the study's gold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base.errors import DataError, UsageError, near_match
from models_py.database.connection import Warehouse
from models_py.database.gold import read_gold
from models_py.runs.saved import SavedRun

if TYPE_CHECKING:
    import pandas as pd

FILE_KINDS = (".csv", ".parquet")


@dataclass(frozen=True)
class Source:
    """Where customers come from.

    Attributes
    ----------
    words
        The file or table, as a message names it.
    file
        None for a table.
    schema, table
        None for a file.
    is_studied
        Whether it is the study's own table: then its ``where`` and ``at_least`` hold.
    """

    words: str
    file: Path | None = None
    schema: str = ""
    table: str = ""
    is_studied: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it is a file whose values have no types."""
        return self.file is not None and self.file.suffix.lower() == ".csv"


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
    kinds = " or ".join(FILE_KINDS)
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


def read_customers(source: Source, saved: SavedRun, warehouse: Warehouse | None) -> pd.DataFrame:
    """Read the entity and the columns that the run needs.

    Parameters
    ----------
    source
        The file or table.
    saved
        The run.
    warehouse
        Open; None where the source is a file.

    Raises
    ------
    DataError
        A column is missing or holds words where the run had numbers, or an entity is null or
        stands twice.
    """
    frame = _read_file(source, saved) if source.file else _read_table(source, saved, warehouse)
    _check_numbers(frame, saved, source.words)
    return frame


def _read_table(source: Source, saved: SavedRun, warehouse: Warehouse | None) -> pd.DataFrame:
    assert warehouse is not None
    study = saved.study
    where = study.where if source.is_studied else {}
    at_least = study.at_least if source.is_studied else {}
    there = warehouse.columns(source.schema, source.table)
    _check_columns(there, saved, source.words)
    read = read_gold(
        warehouse, source.schema, source.table, study.entity, saved.columns, where, at_least
    )
    return read.frame


def _read_file(source: Source, saved: SavedRun) -> pd.DataFrame:
    entity, words = saved.study.entity, source.words
    frame = _parsed(source)
    _check_columns(frame.columns, saved, words)
    frame = frame[[entity, *saved.columns]].copy()
    frame[entity] = _as_ids(frame[entity])
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
    if source.is_text:
        known = _known_words(saved)
        for column in saved.columns:
            frame[column] = _from_text(frame[column], known.get(column))
    return frame


def _parsed(source: Source) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    path = source.file
    assert path is not None
    try:
        if source.is_text:
            # As it is written: an id such as 007 keeps its zeros.
            return pd.read_csv(path, dtype="string", encoding="utf-8-sig")
        return pd.read_parquet(path)
    except (pa.ArrowInvalid, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path} cannot be read as {path.suffix[1:]}: {first}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


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


def _from_text(column: pd.Series[Any], known: set[str] | None) -> pd.Series[Any]:
    import pandas as pd

    if known is not None:
        return column.map(lambda text: _nearest_writing(text, known), na_action="ignore")
    truth = column.str.lower().map({"true": 1.0, "false": 0.0})
    numbers = pd.to_numeric(column, errors="coerce").astype("Float64").fillna(truth)
    return column if (numbers.isna() & column.notna()).any() else numbers


def _nearest_writing(text: str, known: set[str]) -> str:
    # Programs write one value in several ways: true and True, 1 and 1.0.
    ways = (text, text.capitalize(), text.removesuffix(".0"), f"{text}.0")
    return next((way for way in ways if way in known), text)


def _as_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    from pandas.api.types import is_float_dtype

    if is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("string")


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
