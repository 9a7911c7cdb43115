"""Excel workbooks as parquet, for publishers who give a table as ``.xlsx`` only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base.errors import MissingExtraError, SourceError
from models_py.base.progress import Progress
from models_py.sources.registry import Table

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 50_000


def workbook_to_parquet(workbook: Path, target: Path, table: Table, progress: Progress) -> int:
    """Write the first sheet of a workbook as a parquet file and return its rows.

    Whole numbers in text columns (an invoice number, say) become text without a decimal point;
    empty cells become null.

    Parameters
    ----------
    workbook, target
        The ``.xlsx`` file and the parquet file to write.
    table
        Names and kinds of the columns.
    progress
        Shows the rows written.

    Raises
    ------
    MissingExtraError
        If the reader of workbooks is not installed.
    SourceError
        If the workbook is damaged or its cells do not fit the table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _column_type(name, table)) for name in table.columns])
    rows = _sheet_rows(workbook)
    header = [str(cell).strip() for cell in next(rows, [])]
    if header != list(table.columns):
        raise SourceError(
            f"{workbook.name}, row 1: the header must read {','.join(table.columns)}; "
            f"it reads {','.join(header) or 'nothing'}"
        )
    written = 0
    with pq.ParquetWriter(target, schema) as writer:
        while block := list(islice(rows, ROWS_AT_ONCE)):
            writer.write_table(_as_table(block, written + 2, workbook.name, schema))
            written += len(block)
            progress.advance(written, max(written, table.published_rows or 0))
    return written


def require_reader(name: str) -> None:
    """Raise MissingExtraError, naming the workbook, if the reader of workbooks is missing."""
    try:
        import python_calamine  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"{name}: reading Excel needs one more package: pip install python-calamine"
        ) from error


def _sheet_rows(workbook: Path) -> Iterator[list[Any]]:
    require_reader(workbook.name)
    import python_calamine

    try:
        opened = python_calamine.CalamineWorkbook.from_path(workbook)
        yield from opened.get_sheet_by_index(0).iter_rows()
    except python_calamine.CalamineError as error:
        raise SourceError(f"{workbook.name}: is not a whole Excel workbook ({error})") from error


def _column_type(name: str, table: Table) -> pa.DataType:
    import pyarrow as pa

    if name in table.numbers:
        return pa.float64()
    return pa.timestamp("us") if name in table.times else pa.string()


def _as_table(block: list[list[Any]], first_row: int, name: str, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns = []
    for position, field in enumerate(schema):
        cells = [row[position] for row in block]
        convert = _CONVERTERS[str(field.type)]
        try:
            columns.append(pa.array(map(convert, cells), type=field.type, size=len(cells)))
        except ValueError as error:
            bad = next(index for index, cell in enumerate(cells) if not _fits(convert, cell))
            raise SourceError(
                f"{name}, row {first_row + bad:,}, column '{field.name}': {cells[bad]!r} "
                f"is no {'number' if field.type == pa.float64() else 'date'}"
            ) from error
    return pa.Table.from_arrays(columns, schema=schema)


def _number(cell: object) -> float | None:
    if cell == "":
        return None
    if isinstance(cell, (int, float)):
        return float(cell)
    raise ValueError(cell)


def _time(cell: object) -> dt.datetime | None:
    if cell == "":
        return None
    if isinstance(cell, dt.datetime):
        return cell
    if isinstance(cell, dt.date):
        return dt.datetime.combine(cell, dt.time())
    raise ValueError(cell)


def _text(cell: object) -> str | None:
    if cell == "":
        return None
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


_CONVERTERS = {"double": _number, "timestamp[us]": _time, "string": _text}


def _fits(convert: Any, cell: object) -> bool:
    try:
        convert(cell)
    except ValueError:
        return False
    return True
