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
BLANKS = " "
"""Columns aligned by one blank or more, where nothing else parts the lines."""
NUMBER_LIKE = re.compile(
    r"[-+(]?[$€£¥]?\s?\d[\d.,' \u00a0\u202f]*[)%€-]?|\d{1,4}[-/.]\d\d?[-/.]\d{2,4}.*"
)
LEAST_ALIGNED = 0.95
MOST_ABOVE = 50
"""Rows in which a header is looked for by the names that the user gave."""
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


def detect_dialect(
    text: str, source: str, delimiter: str | None = None, expected: Sequence[str] = ()
) -> Dialect:
    r"""Detect the layout from the beginning of a file.

    Parameters
    ----------
    text
        Whole lines, ended by ``\n``.
    source
        Name of the file, for messages.
    delimiter
        Where it is known, from the record of the file's first reading.
    expected
        Names of columns that the user gave: a row among the first that holds them all is the
        header, whatever stands above it.

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
    if delimiter == BLANKS:
        text = squeezed(text)
    quote, escape = _quoting(text, delimiter)
    # A mark that the text does not hold parts nothing.
    candidates = [delimiter] if delimiter else [m for m in (*DELIMITERS, *RARE) if m in text]
    layouts = [_layout(text, candidate, quote, escape, expected) for candidate in candidates]
    wide = [layout for layout in layouts if layout and layout.width > 1 and layout.fit >= 0.5]
    aligned = (
        None if wide or delimiter else _layout(squeezed(text), BLANKS, quote, escape, expected)
    )
    if wide:
        best = max(wide, key=lambda layout: layout.score)
    elif aligned and _is_aligned(aligned):
        best = aligned
    else:
        plain = _layout(text, "," if delimiter is None else delimiter, quote, escape, expected)
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


def squeezed(text: str) -> str:
    """Return lines whose columns are aligned by blanks with one blank between them."""
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))


def _is_aligned(layout: _Layout) -> bool:
    # Sentences and names hold blanks too: a table has rows of one width and a column of numbers.
    rows = [cells for _, _, cells in layout.rows[layout.header + 1 :]]
    fitting = [cells for cells in rows if len(cells) == layout.width]
    if layout.width < 2 or not rows or len(fitting) < LEAST_ALIGNED * len(layout.rows):
        return False
    columns = zip(*fitting, strict=True)
    return any(all(NUMBER_LIKE.fullmatch(cell) for cell in column) for column in columns)


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


def _layout(
    text: str, delimiter: str, quote: str, escape: str, expected: Sequence[str]
) -> _Layout | None:
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
    header = header_place([cells if len(cells) == width else [] for _, _, cells in rows], expected)
    return _Layout(delimiter, rows, width, fits / (len(rows) - header or 1), header)


def header_place(rows: Sequence[Sequence[str | None]], expected: Sequence[str]) -> int:
    """Return which row names the columns.

    Parameters
    ----------
    rows
        The first rows of a table; one that cannot be the header is empty.
    expected
        Names of columns that the user gave.

    Returns
    -------
    place : int
        Of the first row that holds every name expected, else of the first that is mostly filled.
    """
    if expected:
        names = {" ".join(name.split()) for name in expected}
        for place, cells in enumerate(rows[:MOST_ABOVE]):
            if names <= {" ".join(cell.split()) for cell in cells if cell}:
                return place
    counts = [sum(bool(cell and cell.strip()) for cell in cells) for cells in rows]
    most = max(counts, default=0)
    width = max(map(len, rows), default=0)
    least = max(1, min(most, 2), min(most, width) / 2)
    return next((place for place, known in enumerate(counts) if known >= least), 0)


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
