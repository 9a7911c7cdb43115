"""Whether a raw file is the file that the warehouse expects, checked before it is taken in."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from models_py.base.errors import first_line_of, near_match
from models_py.sources.headers import column_names, delimiter_problem, first_line
from models_py.sources.registry import Table

if TYPE_CHECKING:
    import pyarrow as pa

ByteStream: TypeAlias = IO[bytes] | gzip.GzipFile
GZIP_MAGIC = b"\x1f\x8b"
NUMBER = r"^\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)?\s*$"


@dataclass
class Inspection:
    """What was seen in one file: rows, what forbids its use, and what is worth knowing."""

    name: str
    rows: int | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, what: str) -> Inspection:
        """Add a problem, which names the file."""
        self.problems.append(f"{self.name}: {what}")
        return self

    def tell(self, what: str) -> None:
        """Add a note, which names the file."""
        self.notes.append(f"{self.name}: {what}")


def inspect_file(path: Path, table: Table) -> Inspection:
    """Read one raw file to its end and say what is wrong with it.

    Parameters
    ----------
    path
        The file, plain or gzipped.
    table
        What it should hold.

    Returns
    -------
    Inspection
        Rows counted, and problems that each name the file, the column and the row.
    """
    seen = Inspection(path.name)
    size = path.stat().st_size
    if size == 0:
        return seen.refuse("is empty (0 bytes)")
    if size > table.bytes_at_most:
        return seen.refuse(f"has {size:,} bytes, more than the {table.bytes_at_most:,} expected")
    if table.kind == "parquet":
        _inspect_parquet(path, table, seen)
    elif table.kind == "csv":
        _inspect_csv(path, table, seen)
    if seen.rows is not None and table.published_rows not in (None, seen.rows):
        seen.tell(
            f"row count is {seen.rows:,}, where the published copy has {table.published_rows:,}"
        )
    return seen


def _inspect_parquet(path: Path, table: Table, seen: Inspection) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        seen.refuse(f"is not a whole parquet file ({first_line_of(error)})")
        return
    _compare_columns(metadata.schema.to_arrow_schema().names, table, seen)
    seen.rows = metadata.num_rows
    if seen.rows == 0:
        seen.refuse("has columns and no rows")


def _inspect_csv(path: Path, table: Table, seen: Inspection) -> None:
    gzipped = is_gzip(path)
    if gzipped != path.name.endswith(".gz"):
        seen.refuse(
            "is gzipped but its name does not end in .gz; add it"
            if gzipped
            else "is not gzipped although its name ends in .gz; take it off"
        )
        return
    header = _read_header(path, table, seen)
    if header is None:
        return
    _compare_columns(header, table, seen)
    if not seen.problems and table.exact and header != list(table.columns):
        seen.refuse(f"row 1: the header must read {table.delimiter.join(table.columns)}")
    if seen.problems:
        return
    _read_rows(path, table, header, seen)
    if not seen.problems and seen.rows == 0:
        seen.refuse("has a header and no rows")


def is_gzip(path: Path) -> bool:
    """Return whether the file begins as a gzip stream does, whatever its name."""
    with path.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


@contextmanager
def _unpacked(path: Path) -> Iterator[ByteStream]:
    if not is_gzip(path):
        with path.open("rb") as plain:
            yield plain
        return
    with gzip.open(path, "rb") as unzipped:
        yield unzipped


def _read_header(path: Path, table: Table, seen: Inspection) -> list[str] | None:
    """Return the names in row 1 if the right delimiter parts them, else tell why not."""
    try:
        line = first_line(path)
    except (OSError, EOFError, zlib.error) as error:
        seen.refuse(f"cannot be unpacked ({first_line_of(error)}); copy or download it again")
        return None
    except UnicodeDecodeError:
        seen.refuse(
            "row 1 is not UTF-8 text: this is no CSV file, or one saved in another encoding"
        )
        return None
    if line.lstrip().startswith("<"):
        seen.refuse("row 1 begins a web page, not a table; download the file itself")
        return None
    problem = delimiter_problem(line, table.columns, table.delimiter)
    if problem:
        seen.refuse(f"row 1: {problem}")
        return None
    return column_names(line, table.delimiter)


def _compare_columns(names: list[str], table: Table, seen: Inspection) -> None:
    """Refuse a file that lacks an expected column, saying what stands in its place."""
    present = [name.strip().lower() for name in names]
    expected = [name.lower() for name in table.columns]
    strangers = [name for name in names if name.strip().lower() not in expected]
    for position, wanted in enumerate(table.columns):
        if wanted.lower() in present:
            continue
        in_place = names[position] if position < len(names) else None
        hint = near_match(wanted, strangers)
        if in_place in strangers:
            hint = f"; column {position + 1} is called '{in_place}'"
        seen.refuse(f"row 1: column '{wanted}' is missing{hint}")
    for name in dict.fromkeys(present):
        if present.count(name) > 1:
            seen.refuse(f"row 1: column '{name}' is there {present.count(name)} times")


class _Watched(io.RawIOBase):
    """Passes bytes on and remembers what tells a file cut short: its end, its open quotes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.last = b""
        self.quotes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self.last = piece[-1:] or self.last
        self.quotes += piece.count(b'"')
        return piece


def _read_rows(path: Path, table: Table, header: list[str], seen: Inspection) -> None:
    """Read every row; text in a number is a note, a row of another width a problem."""
    import pyarrow as pa

    numbers = [name for name in header if name.strip().lower() in _lowered(table.numbers)]
    try:
        _count_rows(path, table, header, numbers, seen)
    except pa.ArrowInvalid as error:
        match = re.search(r"CSV column #(\d+): Row #(\d+): .* invalid value '(.*)'", str(error))
        if "Empty CSV" in str(error):
            return
        if match is None:
            seen.refuse(_explain(str(error), header, seen.rows or 0))
            return
        column, row, value = header[int(match[1])], match[2], match[3]
        seen.rows = None
        _read_as_text(path, table, header, numbers, seen)
        if not seen.problems:
            seen.tell(f"row {row}, column '{column}': {value!r} is not a number")
    except (OSError, EOFError, zlib.error) as error:
        seen.refuse(
            f"breaks off after row {(seen.rows or 0) + 1:,} ({first_line_of(error)}); "
            "copy or download it again"
        )


def _read_as_text(
    path: Path, table: Table, header: list[str], numbers: list[str], seen: Inspection
) -> None:
    """Read on past a value that is no number, and count all such values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wrong = 0
    try:
        for batch in _batches(path, table, header, [], seen):
            for name in numbers:
                matches = pc.match_substring_regex(batch.column(name), pattern=NUMBER)
                wrong += matches.false_count
    except pa.ArrowInvalid as error:
        seen.refuse(_explain(str(error), header, seen.rows or 0))
        return
    if wrong > 1:
        seen.tell(f"{wrong:,} values that should be numbers are not")


def _count_rows(
    path: Path, table: Table, header: list[str], numbers: list[str], seen: Inspection
) -> None:
    for _ in _batches(path, table, header, numbers, seen):
        pass


def _batches(
    path: Path, table: Table, header: list[str], numbers: list[str], seen: Inspection
) -> Iterator[pa.RecordBatch]:
    """Yield the rows in batches, counting them in ``seen`` and watching the last byte."""
    import pyarrow as pa
    import pyarrow.csv as pv

    types = {name: pa.float64() if name in numbers else pa.string() for name in header}
    seen.rows = 0
    with _unpacked(path) as stream:
        watched = _Watched(stream)
        reader = pv.open_csv(
            cast("IO[Any]", watched),
            read_options=pv.ReadOptions(use_threads=False),
            parse_options=pv.ParseOptions(delimiter=table.delimiter, newlines_in_values=True),
            convert_options=pv.ConvertOptions(column_types=types),
        )
        for batch in reader:
            seen.rows += batch.num_rows
            yield batch
    if watched.last != b"\n":
        seen.tell(
            f"row {seen.rows + 1:,}: the last line has no line break at its end, "
            "so the file may have been cut there"
        )
    if watched.quotes % 2:
        seen.tell("has an odd number of quotation marks, so one may never be closed")


def _explain(message: str, header: list[str], rows: int) -> str:
    """Say in our words, with column and row, what the CSV reader met."""
    width = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message)
    if width:
        row, expected, got = width.groups()
        if int(got) < int(expected):
            return (
                f"row {row} has {got} of {expected} columns and ends before column "
                f"'{header[int(got)]}': it was cut, or a line break stands inside a value"
            )
        return f"row {row} has {got} columns where {expected} are expected"
    encoding = re.search(r"CSV column #(\d+): Row #(\d+): .*invalid UTF8", message)
    if encoding:
        return f"row {encoding[2]}, column '{header[int(encoding[1])]}': not UTF-8 text"
    if "straddl" in message:
        return f"a quote opened after row {rows + 1:,} is never closed"
    return f"cannot be read after row {rows + 1:,} ({first_line_of(message)})"


def _lowered(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}
