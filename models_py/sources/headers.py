"""Row 1 of a raw CSV file: how it is read, and what marks part it."""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Sequence
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
