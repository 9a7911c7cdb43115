"""What commands say of a file that they read, and the options that tell how to read it."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models_py.database.reading.columns import ReadingOptions
    from models_py.database.reading.loading import Loaded
    from models_py.sources.reading.record import ColumnReading, Loss, Reading

ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
KINDS = {
    "ym": "months, each its first day",
    "my": "months, each its first day",
    "yyyymmdd": "written as one number",
    "spreadsheet_days": "days as a spreadsheet counts them",
    "epoch_seconds": "seconds since 1970",
    "epoch_milliseconds": "milliseconds since 1970",
}


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add what a user can say of a file that can be read in two ways."""
    group = parser.add_argument_group("how the file is read, where it does not say so itself")
    group.add_argument("--decimal", choices=(".", ","), help="decimal sign of numbers like 1.234")
    group.add_argument(
        "--date-order", choices=("dmy", "mdy", "ymd"), help="order of dates like 03/04/2024"
    )
    group.add_argument(
        "--time-zone", metavar="ZONE", help="of the shop, such as Europe/Berlin (default: UTC)"
    )
    group.add_argument("--encoding", metavar="NAME", help="such as cp1252 (default: detected)")
    group.add_argument("--sheet", metavar="NAME", help="of an Excel workbook that has several")
    group.add_argument(
        "--text", metavar="COLUMN", action="append", default=[], help="take a column as words"
    )
    group.add_argument(
        "--accept-losses", action="store_true", help="go on where over 5%% would be left out"
    )


def has_reading_options(asked: argparse.Namespace) -> bool:
    """Return whether the user says anything of how the file is read."""
    return any(
        (asked.decimal, asked.date_order, asked.time_zone, asked.encoding, asked.sheet, asked.text)
    )


def reading_options(
    asked: argparse.Namespace,
    *,
    ids: Sequence[str] = (),
    times: Sequence[str] = (),
    numbers: Sequence[str] = (),
) -> ReadingOptions:
    """Return the options as the reader takes them."""
    from models_py.database.reading.columns import ReadingOptions

    return ReadingOptions(
        ids=tuple(ids),
        times=tuple(times),
        numbers=tuple(numbers),
        text=tuple(asked.text),
        decimal=asked.decimal,
        date_order=asked.date_order,
        time_zone=asked.time_zone or "UTC",
        encoding=asked.encoding,
        sheet=asked.sheet or "",
    )


def taken_for(column: ColumnReading) -> str:
    """Return what a column was taken for, in words."""
    if column.type == "id":
        return "id, as it is written" + (" without .0" if column.strip_point_zero else "")
    if column.type == "truth":
        return f"yes or no ({', '.join(column.true)} or {', '.join(column.false)})"
    if column.type == "number":
        said = [f"unit {column.unit}"] if column.unit else []
        said += ["decimal comma"] if column.decimal == "," else []
        names = {",": "commas", ".": "dots", " ": "blanks", "'": "apostrophes"}
        said += [f"{names[column.thousands]} for thousands"] if column.thousands else []
        return "number" + (f" ({', '.join(said)})" if said else "")
    if column.type in {"date", "time"}:
        how = KINDS.get(column.format or "") or ORDERS[column.format or "ymd"]
        return f"{'date' if column.type == 'date' else 'date and time'} ({how})"
    return "as it was" if column.type == "as_is" else "words"


def loss_words(loss: Loss, lines: int) -> str:
    """Return one loss as a line: how many, of how many, why, how much, and an example."""
    of = f"{loss.lines:,} of {lines:,} {'lines' if loss.kind == 'lines' else 'values'}"
    where = f" in '{loss.column}'" if loss.column else ""
    what = "left out" if loss.kind == "lines" else "not read"
    amount = ""
    if loss.amount_share:
        amount = f", {loss.amount:,.2f} of the amount ({loss.amount_share:.1%})"
    example = f" '{loss.example}'" if loss.example else ""
    line = f"; such as line {loss.line:,}{':' if example else ''}" if loss.line else ";"
    return (
        f"{of} ({_share(loss.share)}) {what}{where}: {loss.reason}{amount}{line}{example}".rstrip(
            ";"
        )
    )


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{100 * share:.2g}%"


def reading_json(loaded: Loaded) -> dict[str, Any]:
    """Return what was read as JSON has it."""
    return {
        "reading": loaded.record.model_dump(mode="json"),
        "missing": {
            name: {"values": count, "words": words}
            for name, (count, words) in loaded.missing.items()
        },
        "warnings": loaded.warnings,
    }


def print_reading(
    loaded: Loaded, used: Mapping[str, str] | None = None, codes: Collection[str] = ()
) -> None:
    """Print what each column was taken for, what is missing, and what was lost.

    Parameters
    ----------
    loaded
        The file.
    used
        Column to what it is used for, where only some are used: those of a log.
    codes
        Columns of numbers that the study takes as categories.
    """
    from models_py.commands.table import print_table

    record = loaded.record
    print(_headline(record))
    rows = []
    for name, column in record.columns.items():
        if used is not None and name not in used:
            continue
        use = f"{used[name]}: " if used is not None else ""
        code = ", a code: a category in the study" if name in codes else ""
        rows.append(
            [name, use + taken_for(column) + code, column.example[:24], _gaps(loaded, name)]
        )
    print_table(["column", "taken for", "example", "missing"], rows)
    for loss in record.losses:
        print(f"  {loss_words(loss, record.lines)}")
    for warning in loaded.warnings:
        print(f"  note: {warning}")
    if record.last_date is not None and used is None:
        print(f"  dates became days before {record.last_date}, the last date of the file")


def _headline(record: Reading) -> str:
    if record.kind != "text":
        return f"{record.file}: {record.lines:,} rows"
    parts = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
    return (
        f"{record.file}: {record.lines:,} lines after the header on line {record.header_line},"
        f" {record.encoding}, parted by {parts.get(record.delimiter, repr(record.delimiter))},"
        f" times in {record.time_zone}"
    )


def _gaps(loaded: Loaded, name: str) -> str:
    if name not in loaded.missing:
        return ""
    count, words = loaded.missing[name]
    said = ", ".join(f"'{word}'" for word in words[:3])
    return f"{count:,}" + (f" ({said})" if said else "")
