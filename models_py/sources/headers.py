"""Row 1 of a raw CSV file: how it is read, what marks part it, and what is wrong with it."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Sequence
from glob import glob
from pathlib import Path

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
BYTES_AT_MOST = 65_536


def first_line(path: Path) -> str:
    """Return a file's first line without its byte-order mark and line end.

    Parameters
    ----------
    path
        A plain file, or a gzip-compressed one whose name ends in ``.gz``.

    Raises
    ------
    OSError, EOFError, zlib.error
        It cannot be read or unpacked.
    UnicodeDecodeError
        It is not UTF-8.
    """
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        line = stream.readline(BYTES_AT_MOST)
    return line.removeprefix(codecs.BOM_UTF8).decode("utf-8").rstrip("\r\n")


def column_names(line: str, delimiter: str) -> list[str]:
    """Return the names that a delimiter parts a header into."""
    return next(csv.reader([line], delimiter=delimiter), [])


def delimiter_problem(line: str, columns: Sequence[str], delimiter: str) -> str:
    """Say which mark parts a header where it is not the expected one; else nothing.

    Parameters
    ----------
    line
        The header.
    columns
        Names that it should have, in any case.
    delimiter
        The mark that should part them.
    """
    wanted = {name.lower() for name in columns}
    parted = {mark: column_names(line, mark) for mark in DELIMITERS}
    best = max(parted, key=lambda mark: len({n.strip().lower() for n in parted[mark]} & wanted))
    if best == delimiter or len(parted[best]) <= len(parted[delimiter]):
        return ""
    return f"columns are parted by {DELIMITERS[best]}, not by the expected {DELIMITERS[delimiter]}"


def csv_problem(path: str, columns: list[str], delimiter: str = ",") -> str:
    """Say in one line why a CSV file cannot be read, or return an empty string.

    Parameters
    ----------
    path
        A plain or gzip-compressed CSV file.
    columns
        The header that the file must have, in this order.
    delimiter
        What parts the values.

    Returns
    -------
    str
        File, what is wrong and what to do; empty for a good file.
    """
    try:
        line = first_line(Path(path))
        if path.endswith(".gz"):
            read_to_the_end(Path(path))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        return f"{path}: cannot be read ({error}); fetch it again"
    if not line.strip():
        return f"{path}: is empty; fetch it again or take it away"
    header = column_names(line, delimiter)
    if header == columns:
        return ""
    problem = delimiter_problem(line, columns, delimiter)
    return f"{path}, row 1: {problem or header_problem(header, columns, delimiter)}"


def read_to_the_end(path: Path) -> None:
    """Unpack a gzip file; one cut short raises EOFError, where DuckDB reads what there is."""
    with gzip.open(path) as unpacked:
        while unpacked.read(1 << 20):
            pass


def header_problem(header: Sequence[str], columns: Sequence[str], delimiter: str) -> str:
    """Say how a header differs from the columns that it should have."""
    missing = [name for name in columns if name not in header]
    unknown = [name for name in header if name not in columns]
    if missing:
        beside = f", instead there is {', '.join(unknown)}" if unknown else ""
        return f"column {', '.join(missing)} is missing{beside}"
    if unknown:
        return f"column {', '.join(unknown)} is not known"
    return f"columns are in another order, {delimiter.join(columns)} is needed"


def raw_files(pattern: str) -> list[str]:
    """Return the paths that match a pattern, in order."""
    return sorted(glob(pattern))
