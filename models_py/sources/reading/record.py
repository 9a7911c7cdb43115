"""The record of how a file was read: what each column was taken for, and what was lost.

It stands in the study file under ``[reading]``. Whoever reads the file again, to score it or to
load it anew, reads it by this record, so that a correction there is all that it takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ColumnType = Literal["id", "text", "number", "truth", "date", "time", "as_is"]
DateFormat = Literal[
    "ymd",
    "dmy",
    "mdy",
    "ym",
    "my",
    "yyyymmdd",
    "spreadsheet_days",
    "epoch_seconds",
    "epoch_milliseconds",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ColumnReading(_Frozen):
    """How the values of one column are read.

    Attributes
    ----------
    type
        ``id`` is text as it is written, ``truth`` yes or no, ``date`` a day and ``time`` a moment;
        ``as_is`` is a column that had a type before (of a parquet file or a table).
    decimal, thousands
        Signs of a number; an empty ``thousands`` is none.
    unit
        Currency or percent sign that stands at the numbers; it is not in the values.
    format
        Order of the parts of a date, or what a number that is one counts.
    century
        Two-digit years up to this are of this century, those above of the last.
    missing
        Words that stand for no value, beside empty cells.
    true, false
        Words for yes and for no.
    strip_point_zero
        Whether ``.0`` at the end of an id goes.
    example
        A value as it is written.
    """

    type: ColumnType
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    unit: str = ""
    format: DateFormat | None = None
    century: int | None = None
    missing: list[str] = []
    true: list[str] = []
    false: list[str] = []
    strip_point_zero: bool = False
    example: str = ""


class Loss(_Frozen):
    """Lines, or values, that could not be used, for one reason.

    Attributes
    ----------
    reason
        In words, such as ``"amount is no number"``.
    kind
        Whether whole lines go, or values that are missing from then on.
    column
        Where; empty if the whole line is meant.
    lines
        How many.
    share
        Of all lines of the file.
    amount
        Of those lines, where they have a readable one.
    amount_share
        Of the whole amount.
    line, example
        First of them: its line in the file, and what stands there.
    is_expected
        Whether it counts towards no limit: asked for (``--where``), or a copy of another row.
    """

    reason: str
    kind: Literal["lines", "values"] = "lines"
    column: str = ""
    lines: int
    share: float
    amount: float | None = None
    amount_share: float | None = None
    line: int | None = None
    example: str = ""
    is_expected: bool = False


class Reading(_Frozen):
    """How one file was read.

    Attributes
    ----------
    file
        Its name without the folder.
    kind
        How it is laid out.
    encoding, delimiter, quote
        Of a text file.
    header_line
        Line with the names of the columns; what stands before it is no row.
    sheet
        Of a workbook that has several.
    time_zone
        Zone of the shop: times are its wall clock, and times without an offset are taken for it.
    last_date
        Last date of the file; its dates become days before this one.
    numbered
        Column with the number of the row, where the file has no id of its own.
    lines
        Rows of the file.
    columns
        Of the file, by name, in its order.
    losses
        What was not used, and why.
    """

    file: str
    kind: Literal["text", "workbook", "parquet", "table"] = "text"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header_line: int = 1
    sheet: str = ""
    time_zone: str = "UTC"
    last_date: date | None = Field(None, strict=False)
    numbered: str = ""
    lines: int = 0
    columns: dict[str, ColumnReading] = {}
    losses: list[Loss] = []

    @property
    def days_columns(self) -> dict[str, str]:
        """Columns with days before :attr:`last_date`, to the column with the date."""
        taken = {name.lower() for name in self.columns}
        days: dict[str, str] = {}
        for name, column in self.columns.items():
            if column.type in {"date", "time"}:
                made = f"{name}_days"
                while made.lower() in taken:
                    made += "_ago"
                taken.add(made.lower())
                days[made] = name
        return days


def toml_lines(reading: Reading) -> list[str]:
    """Return the section ``[reading]`` of a study file, a line for each column.

    Studies travel into runs and pages: no id, and no line that was lost, is written out in them.
    """
    plain = reading.model_dump(exclude_defaults=True, exclude={"columns", "losses"})
    plain["time_zone"] = reading.time_zone
    lines = ["[reading]", *(f"{key} = {_toml(value)}" for key, value in plain.items())]
    lines += ["", "[reading.columns]"]
    for name, column in reading.columns.items():
        kept = {"type": column.type, **column.model_dump(exclude_defaults=True)}
        if column.type == "id":
            kept.pop("example", None)
        lines.append(f"{_toml(name)} = {_inline(kept)}")
    for loss in reading.losses:
        kept = loss.model_dump(exclude_defaults=True, exclude={"example"})
        lines += ["", "[[reading.losses]]", *(f"{key} = {_toml(v)}" for key, v in kept.items())]
    return lines


def _inline(values: dict[str, object]) -> str:
    return "{ " + ", ".join(f"{key} = {_toml(value)}" for key, value in values.items()) + " }"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}" if "." in f"{value:.6g}" else f"{value:.1f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_toml(item) for item in value)}]"
    # JSON leaves DEL as it is, which TOML forbids.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
