"""How a text file is laid out: what parts its values, what quotes them, where its header is."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from models_py.base.errors import DataError

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
RARE = ("^", "~", ":", "\x1f")
NUMBER_LIKE = re.compile(
    r"[-+(]?[$€£¥]?\s?\d[\d.,' \u00a0\u202f]*[)%€-]?|\d{1,4}[-/.]\d\d?[-/.]\d{2,4}.*"
)
SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """The layout of a text file.

    Attributes
    ----------
    delimiter, quote, escape
        One character each; an empty quote is none.
    header_line
        Line of the names, counted from 1.
    skip
        Lines up to the end of the header.
    header, names
        Cells of the header as they are written, and the names of the columns, each once.
    first_rows
        Rows after the header, for messages.
    """

    delimiter: str
    quote: str
    escape: str
    header_line: int
    skip: int
    header: list[str]
    names: list[str]
    first_rows: list[list[str]]


@dataclass(frozen=True)
class _Layout:
    delimiter: str
    rows: list[tuple[int, int, list[str]]]
    width: int
    fit: float
    header: int

    @property
    def score(self) -> tuple[float, float, int]:
        return (self.fit + _header_quality(self.rows[self.header][2]), self.fit, self.width)


def detect_dialect(text: str, source: str, delimiter: str | None = None) -> Dialect:
    r"""Detect the layout from the beginning of a file.

    Parameters
    ----------
    text
        Whole lines, ended by ``\n``.
    source
        Name of the file, for messages.
    delimiter
        Where it is known, from the record of the file's first reading.

    Raises
    ------
    DataError
        There is no header, or no row after it.
    """
    offset, first = 0, text.split("\n", 1)[0]
    if match := SEPARATOR_LINE.fullmatch(first):
        delimiter = delimiter or match[1]
        text, offset = text[len(first) + 1 :], 1
    if not text.strip():
        raise DataError(f"{source} has no rows")
    if text.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
        raise DataError(f"{source}, line 1: begins a web page, not a table; get the file itself")
    quote, escape = _quoting(text, delimiter)
    candidates = [delimiter] if delimiter else [*DELIMITERS, *RARE]
    layouts = [_layout(text, candidate, quote, escape) for candidate in candidates]
    wide = [layout for layout in layouts if layout and layout.width > 1 and layout.fit >= 0.5]
    if wide:
        best = max(wide, key=lambda layout: layout.score)
    else:
        plain = _layout(text, "," if delimiter is None else delimiter, quote, escape)
        assert plain is not None
        best = plain
    begin, end, header = best.rows[best.header]
    _check_header(header, best, source, begin + offset)
    return Dialect(
        delimiter=best.delimiter,
        quote=quote,
        escape=escape,
        header_line=begin + offset,
        skip=end + offset,
        header=[cell.strip() for cell in header],
        names=unique_names(header),
        first_rows=[cells for _, _, cells in best.rows[best.header + 1 :][:5]],
    )


def _quoting(text: str, delimiter: str | None) -> tuple[str, str]:
    parts = re.escape(delimiter) if delimiter else r",;\t|"
    counts = {
        mark: len(
            re.findall(rf"(?:^|[{parts}])[ ]?{mark}[^\n]*?{mark}[ ]?(?=[{parts}\n]|$)", text, re.M)
        )
        for mark in ('"', "'")
    }
    if counts["'"] > counts['"'] and counts["'"] >= 2:
        return "'", "'"
    backslashed = len(re.findall(r'\\"', text))
    doubled = len(re.findall(r'[^,;\t|\n]""', text))
    return '"', "\\" if backslashed > doubled else '"'


def _layout(text: str, delimiter: str, quote: str, escape: str) -> _Layout | None:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        doublequote=escape != "\\",
        escapechar="\\" if escape == "\\" else None,
        skipinitialspace=delimiter != " ",
    )
    rows: list[tuple[int, int, list[str]]] = []
    try:
        before = 0
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((before + 1, reader.line_num, cells))
            before = reader.line_num
    except csv.Error:
        return None
    if not rows:
        return None
    widths = Counter(len(cells) for _, _, cells in rows)
    width, fits = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[1], item[0]))
    header = next(
        (
            index
            for index, (_, _, cells) in enumerate(rows)
            if len(cells) == width and _is_header(cells, width)
        ),
        0,
    )
    return _Layout(delimiter, rows, width, fits / (len(rows) - header or 1), header)


def _is_header(cells: Sequence[str], width: int) -> bool:
    known = sum(bool(cell.strip()) for cell in cells)
    return known >= max(1, min(width, 2), width / 2)


def _header_quality(cells: Sequence[str]) -> float:
    known = [cell.strip() for cell in cells]
    bad = sum(not cell or bool(NUMBER_LIKE.fullmatch(cell)) for cell in known)
    odd = sum(any(mark in cell for mark in ",;\t|") for cell in known)
    return -(bad + 0.5 * odd) / len(known)


def _check_header(header: Sequence[str], layout: _Layout, source: str, line: int) -> None:
    rows = [cells for _, _, cells in layout.rows[layout.header + 1 :]]
    if not rows:
        raise DataError(f"{source} has no rows after its header on line {line:,}")
    numbers = [bool(NUMBER_LIKE.fullmatch(cell.strip())) for cell in header]
    same = sum(
        is_number
        and all(
            NUMBER_LIKE.fullmatch(row[place].strip() or "0")
            for row in rows[:20]
            if len(row) == len(header)
        )
        for place, is_number in enumerate(numbers)
    )
    if same and same == sum(numbers) and same >= len(header) / 3:
        raise DataError(
            f"{source}, line {line:,}: no header, it begins with data ({', '.join(header[:4])}):"
            " write a first line with the names of the columns"
        )


def unique_names(header: Sequence[str]) -> list[str]:
    """Return the names of columns, trimmed, none empty and none twice, whatever their case."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(header):
        base = " ".join(cell.replace("\ufeff", "").split()) or f"column{place + 1}"
        name, number = base, 0
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names
