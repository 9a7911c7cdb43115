"""An answer as a table for people, or as a file for programs."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from models_py.base.errors import UsageError
from models_py.base.numbers import is_share, plain, share
from models_py.base.plurals import plural
from models_py.base.spreadsheet import spreadsheet_cell
from models_py.commands.table import print_table
from models_py.database.questions import Answer

if TYPE_CHECKING:
    import pyarrow as pa

PIPE_WIDTH = 160
"""Signs of a line where no terminal says how many it has."""

Figure = (int, float, Decimal, type(None))


def _write_table(purpose: str, answer: Answer) -> None:
    if purpose:
        print(purpose, end="\n\n")
    cells = [
        [_shown(column, value) for column, value in zip(answer.columns, row, strict=True)]
        for row in answer.rows
    ]
    figures = {
        place
        for place in range(len(answer.columns))
        if all(isinstance(row[place], Figure) for row in answer.rows)
    }
    width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    print_table(answer.columns, cells, figures, is_ruled=True, width=width)
    count = plural(len(cells), "row")
    print(f"\n{f'first {count}, there are more' if answer.more else count}")


def _shown(column: str, value: object) -> str:
    """Return a cell for people: few digits, no line breaks, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, Decimal)):
        return _figure(column, float(value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = value if isinstance(value, str) else _plain_text(value)
    return " ".join(text.split())


def _figure(column: str, value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if (is_share(column) or _is_part(column)) and -1.0 <= value <= 1.0:
        return share(value)
    # What is added up is read against other figures: whole, not rounded to three digits.
    return f"{value:,.0f}" if abs(value) >= 1000 else plain(value)


def _is_part(column: str) -> bool:
    # A share_percent is a number from 0 to 100 already.
    return column == "share" or (column.startswith("share_") and not column.endswith("_percent"))


def _write_spreadsheet(purpose: str, answer: Answer) -> None:
    rows = [tuple(spreadsheet_cell(value) for value in row) for row in answer.rows]
    _write_csv(purpose, Answer(answer.columns, rows, answer.more))


def _write_csv(purpose: str, answer: Answer) -> None:  # noqa: ARG001
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.rows:
        writer.writerow("" if value is None else _plain_text(value) for value in row)


def _write_json(purpose: str, answer: Answer) -> None:  # noqa: ARG001
    rows = [
        {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        for row in answer.rows
    ]
    print(json.dumps(rows, indent=2, ensure_ascii=False))


def _plain_text(value: object) -> str:
    """Return a value as text: a list or a struct as JSON, anything else as it prints."""
    plain = _plain(value)
    if isinstance(plain, (dict, list, bool)):
        return json.dumps(plain, ensure_ascii=False)
    return str(value if plain is None else plain)


def _plain(value: object) -> object:
    """Return a value that JSON has; numbers that it has not become null."""
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return str(value)


def _write_parquet(purpose: str, answer: Answer) -> None:  # noqa: ARG001
    import pyarrow.parquet as pq

    if sys.stdout.isatty():
        raise UsageError("--format parquet is no text for a terminal: send it on, with > FILE")
    pq.write_table(_arrow(answer), sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _arrow(answer: Answer) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*answer.rows, strict=True)) or [()] * len(answer.columns)
    arrays = [pa.array(column) for column in columns]
    return pa.table(dict(zip(answer.columns, arrays, strict=True)))


WRITERS: dict[str, Callable[[str, Answer], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "spreadsheet": _write_spreadsheet,
    "json": _write_json,
    "parquet": _write_parquet,
}
"""What ``--format`` names; each takes the question's purpose and its answer."""
