"""A user's own file as a table of the warehouse, or as a frame; whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base.sql_text import literal
from models_py.base.errors import DataError, WarehouseError, near_match
from models_py.database.connection import QUICK_TEXTS, Warehouse, quoted
from models_py.database.contract import LOADED
from models_py.database.own_data import check_replaceable
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.log import LogColumns, LogReading, read_log, require_log_columns
from models_py.database.reading.reader import (
    FileReading,
    check_losses,
    read_staged,
    refuse_rounded_ids,
)
from models_py.database.reading.replacing import set_aside
from models_py.database.reading.staging import (
    Hints,
    Staged,
    staged_file,
    staged_rows,
    staged_table,
)
from models_py.database.rejections import SUFFIX
from models_py.sources.reading.record import Loss, Reading

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FRAME = "the frame"
"""What rows that come without a file are called."""

ROW_ID = "row"
"""What ``--id`` is given to number the rows."""


@dataclass(frozen=True)
class Loaded:
    """A file that became a table.

    Attributes
    ----------
    record
        How it was read, with every loss.
    rows
        Of the table.
    entity
        Column that tells the rows apart; empty for a log.
    warnings
        Lines to say.
    missing
        Column to its values that are missing, and the words that say so.
    log
        What was made of a log.
    """

    record: Reading
    rows: int
    entity: str
    warnings: list[str]
    missing: dict[str, tuple[int, list[str]]]
    log: LogReading | None = None


def load_customers(
    warehouse: Warehouse,
    source: Path | pa.Table,
    name: str,
    entity: str,
    options: ReadingOptions,
    *,
    label: str | None = None,
    anew: bool = False,
    accept_losses: bool = False,
    recorded: Reading | None = None,
) -> Loaded:
    """Load a file, or rows in memory, with a row per customer as ``gold.<name>``.

    Parameters
    ----------
    warehouse
        Open for writing.
    source
        A file of any kind that is read, or the rows of a frame.
    name
        Of the table.
    entity
        Column that tells the rows apart; ``row`` numbers them where no column is called so.
    options
        What the user says of the file.
    label
        Column with known groups, if there is one.
    anew
        Whether it may replace what was loaded under this name before.
    accept_losses
        Whether rows may be lost beyond the limit.
    recorded
        How the file was read before.

    Raises
    ------
    DataError
        The file cannot be read, a column is missing, or the id does not tell the rows apart.
    """
    check_replaceable(warehouse, "gold", name, anew)
    check_replaceable(warehouse, "silver", f"{name}{SUFFIX}", anew=True)
    named = () if entity == ROW_ID else (entity,)
    hints = _hints(options, recorded, (*named, *((label,) if label else ())))
    with _staged(warehouse, source, hints) as staged:
        numbered = entity == ROW_ID and ROW_ID not in staged.names
        wanted = {} if numbered else {"--id": entity}
        _require(staged, {**wanted, **({"--label": label} if label else {})})
        read = read_staged(staged, options, recorded=recorded, numbered=numbered)
        entity = read.record.numbered or entity
        if not read.record.numbered:
            refuse_rounded_ids(read, "--id", entity)
        read.record = _with_losses(read, [] if read.record.numbered else _id_losses(read, entity))
        check_losses(read.record.losses, read.record.lines, accept_losses)
        with _new_table(warehouse, "gold", name, staged.source) as table:
            set_aside(warehouse, name, is_log=False)
            warehouse.rows(f"create table {table} as {_customer_rows(read, entity)}")
            ((rows,),) = warehouse.rows(f"select count(*) from {table}")
            if not rows:
                raise DataError(f"{staged.source} has no rows that can be used")
            _write_rejections(warehouse, name, staged.source, read.record.losses)
        # Once the rows are written they are counted by every core.
        missing = _missing(read, quoted("gold", name))
        return Loaded(read.record, int(rows), entity, read.warnings, missing)


def _write_rejections(warehouse: Warehouse, name: str, source: str, losses: Sequence[Loss]) -> None:
    # As dbt writes them of a log: lines of the file = rows of gold + rows left out.
    table = quoted("silver", f"{name}{SUFFIX}")
    warehouse.rows("create schema if not exists silver")
    warehouse.rows(
        f"create or replace table {table} (left_out_of varchar, entity varchar, reason varchar,"
        " rule varchar, row_count bigint)"
    )
    for loss in losses:
        if loss.kind == "lines":
            where = f"; such as line {loss.line:,}" if loss.line else ""
            rule = f"{loss.column or 'the line'}: {loss.reason}{where}"
            warehouse.rows(
                f"insert into {table} values (?, 'row', ?, ?, ?)",
                [f"gold.{name}", loss.reason, rule, loss.lines],
            )
    warehouse.rows(f"comment on table {table} is {literal(LOADED + source)}")


def load_log(
    warehouse: Warehouse,
    source: Path | tuple[str, str],
    name: str,
    columns: LogColumns,
    options: ReadingOptions,
    *,
    anew: bool = False,
    accept_losses: bool = False,
    recorded: Reading | None = None,
) -> Loaded:
    """Load a log of transactions, of a file or a table, as ``bronze.<name>_log``.

    Parameters
    ----------
    warehouse, name, options, anew, accept_losses, recorded
        As in :func:`load_customers`.
    source
        A file, or schema and name of a table.
    columns
        Which columns make the log.

    Raises
    ------
    DataError
        The file cannot be read, or its columns are not what they are said to be.
    """
    check_replaceable(warehouse, "bronze", f"{name}_log", anew)
    hints = _hints(options, recorded, tuple(columns.named.values()))
    with _staged(warehouse, source, hints) as staged:
        require_log_columns(staged.names, columns, staged.source)
        known = replace(options, order_cells=columns.order_cells)
        read = read_staged(staged, known, recorded=recorded)
        log = read_log(read, columns)
        read.record = _with_losses(read, log.losses)
        check_losses(read.record.losses, read.record.lines, accept_losses)
        with _new_table(warehouse, "bronze", f"{name}_log", staged.source) as table:
            set_aside(warehouse, name, is_log=True)
            warehouse.rows(f"create table {table} as {log.select}")
            ((rows,),) = warehouse.rows(f"select count(*) from {table}")
        unused = tuple(f"{name}: " for name in staged.names if name not in columns.named.values())
        noted = [note for note in read.warnings if not note.startswith(unused)]
        warnings = [*noted, *log.warnings]
        missing = _missing_of_log(read, columns)
        return Loaded(read.record, int(rows), "", warnings, missing, log)


def _hints(options: ReadingOptions, recorded: Reading | None, names: tuple[str, ...]) -> Hints:
    return Hints(
        encoding=options.encoding,
        delimiter=recorded.delimiter if recorded and recorded.kind == "text" else None,
        sheet=options.sheet,
        recorded_sheet=recorded.sheet if recorded else "",
        names=names,
    )


@contextmanager
def _staged(
    warehouse: Warehouse,
    source: Path | tuple[str, str] | pa.Table,
    hints: Hints,
) -> Iterator[Staged]:
    if isinstance(source, Path):
        opened = staged_file(warehouse, source, hints)
    elif isinstance(source, tuple):
        opened = staged_table(warehouse, *source)
    else:
        opened = staged_rows(warehouse, source, FRAME)
    with opened as staged:
        yield staged


@contextmanager
def _new_table(warehouse: Warehouse, schema: str, name: str, source: str) -> Iterator[str]:
    """Make a table in a transaction; on any error all is as it was before."""
    table = quoted(schema, name)
    warehouse.rows(QUICK_TEXTS)
    with warehouse.transaction(f"{schema}.{name} is loaded"):
        warehouse.rows(f"create schema if not exists {quoted(schema)}")
        yield table
        warehouse.rows(f"comment on table {table} is {literal(LOADED + source)}")
    # Not after an error: of a database that is beyond use, this would hide why.
    warehouse.rows("set force_compression = 'auto'")


def _require(staged: Staged, wanted: dict[str, str]) -> None:
    for option, column in wanted.items():
        if column not in staged.names:
            raise DataError(
                f"{option} {column}: {staged.source} has no such column"
                f"{near_match(column, staged.names)} (it has: {', '.join(staged.names)};"
                " --id row numbers the rows)"
            )


def _with_losses(read: FileReading, more: Sequence[Loss]) -> Reading:
    return read.record.model_copy(update={"losses": [*read.record.losses, *more]})


def _customer_rows(read: FileReading, entity: str) -> str:
    staged = read.staged
    chosen = ", ".join(read.typed_columns)
    if read.record.numbered:
        return f"select {chosen} from temp.{staged.table} where {staged.kept_rows} order by rowid"
    columns = ", ".join(f"c{place}" for place in range(len(staged.names)))
    first = (
        f" qualify row_number() over (partition by {columns} order by rowid) = 1"
        if any(loss.reason == COPY for loss in read.record.losses)
        else ""
    )
    has_all = all(loss.reason != no_id(entity) for loss in read.record.losses)
    known = "" if has_all else f" and {read.expression(entity)} is not null"
    return f"select {chosen} from temp.{staged.table} where {staged.kept_rows}{known}{first}"


COPY = "exact copy of another row"


def no_id(entity: str) -> str:
    """Return why a row without an id is left out."""
    return f"no id in '{entity}'"


def _id_losses(read: FileReading, entity: str) -> list[Loss]:
    """Count rows without an id and exact copies; refuse an id that other rows have as well."""
    staged, value = read.staged, read.expression(entity)
    source = f"temp.{staged.table} where {staged.kept_rows}"
    ((rows, known, distinct, first_null),) = staged.query(
        f"select count(*), count({value}), count(distinct {value}),"
        f" min(rowid) filter ({value} is null) from {source}"
    )
    losses = []
    if known < rows:
        losses.append(
            Loss(
                reason=no_id(entity),
                lines=rows - known,
                share=(rows - known) / rows,
                line=staged.line(int(first_null)),
            )
        )
    if known == 0:
        raise DataError(f"--id {entity}: the column is empty; --id row numbers the rows")
    if distinct < known:
        losses.append(_copies(read, entity, int(known), int(distinct)))
    return losses


def _copies(read: FileReading, entity: str, known: int, distinct: int) -> Loss:
    staged, value = read.staged, read.expression(entity)
    columns = ", ".join(f"c{place}" for place in range(len(staged.names)))
    ((copies, copy),) = staged.query(
        "select count(*), min(rowid) from (select rowid, row_number() over"
        f" (partition by {columns} order by rowid) as place from temp.{staged.table}"
        f" where {staged.kept_rows} and {value} is not null) where place > 1"
    )
    if known - copies == distinct:
        return Loss(
            reason=COPY,
            lines=int(copies),
            share=copies / known,
            line=staged.line(int(copy)),
            is_expected=True,
        )
    ((example, first, other),) = staged.query(
        "select id, rows[1], rows[2] from"
        f" (select {value} as id, list(rowid order by rowid) as rows from temp.{staged.table}"
        f" where {staged.kept_rows} and {value} is not null group by 1"
        " having count(*) > 1 order by min(rowid) limit 1)"
    )
    lines = staged.lines([int(first), int(other)])
    raise DataError(
        f"--id {entity} has {distinct:,} values on {known:,} rows, such as '{example}' on lines"
        f" {lines[int(first)]:,} and {lines[int(other)]:,}, and a study needs one row each; a log"
        " of transactions goes in with --transactions"
    )


def _missing(read: FileReading, table: str) -> dict[str, tuple[int, list[str]]]:
    """Count what is missing in each column of a loaded table, empty cells and words alike."""
    names = list(read.record.columns)
    chosen = ", ".join(f"count({quoted(name)})" for name in names)
    (found_count,) = read.staged.query(f"select count(*), {chosen} from {table}")
    words = {column.name: column.reading.missing for column in read.columns}
    return {
        name: (int(found_count[0]) - int(known), words[name])
        for name, known in zip(names, found_count[1:], strict=True)
        if known < found_count[0]
    }


def _missing_of_log(read: FileReading, log: LogColumns) -> dict[str, tuple[int, list[str]]]:
    columns = [c for c in read.columns if c.name in log.named.values()]
    chosen = ", ".join(f"count({read.expression(column.name)})" for column in columns)
    (found_count,) = read.staged.query(
        f"select count(*), {chosen} from temp.{read.staged.table} where {read.staged.kept_rows}"
    )
    return {
        column.name: (int(found_count[0]) - int(known), column.reading.missing)
        for column, known in zip(columns, found_count[1:], strict=True)
        if known < found_count[0]
    }


def read_frame(
    source: Path | pa.Table,
    options: ReadingOptions,
    *,
    recorded: Reading | None = None,
    check: Callable[[Sequence[str]], None] = lambda _: None,
) -> tuple[pd.DataFrame, FileReading]:
    """Read a file, or rows, as a frame, by the record of its first reading where there is one.

    Parameters
    ----------
    source
        A file of any kind that is read, or the rows of a frame.
    options
        What is known of its columns.
    recorded
        How the study's own file was read.
    check
        Looks at the names of the columns before anything is decided.

    Returns
    -------
    frame : pandas.DataFrame
        Every column, typed; rows that are none left out.
    read : FileReading
        How it was read.
    """
    import duckdb

    words = source if isinstance(source, Path) else Path(FRAME)
    warehouse = Warehouse(Path(words.name), duckdb.connect())
    try:
        hints = replace(
            _hints(options, recorded, tuple(recorded.columns) if recorded else ()), delimiter=None
        )
        with _staged(warehouse, source, hints) as staged:
            made = [*recorded.days_columns, recorded.numbered] if recorded else []
            check([*staged.names, *made])
            read = read_staged(staged, options, recorded=recorded)
            frame = warehouse.frame(
                f"select {', '.join(read.typed_columns)} from temp.{staged.table}"
                f" where {staged.kept_rows} order by rowid"
            )
            return frame, read
    except WarehouseError as error:
        raise DataError(f"{words} cannot be read: {error}") from error
    finally:
        warehouse.close()


def text_of(rows: pa.Table, column: str) -> list[str]:
    """Return a column of rows in memory as the warehouse writes it."""
    import duckdb

    with duckdb.connect() as raw:
        raw.register("given_rows", rows.select([column]))
        texts = raw.execute(f"select trim(cast({quoted(column)} as varchar)) from given_rows")
        return [str(text) for (text,) in texts.fetchall()]
