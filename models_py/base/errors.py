"""The errors a user can meet; a command turns each into one line and an exit code."""

from __future__ import annotations

from collections.abc import Iterable


class SegmenthouseError(Exception):
    """Something a user can mend; the message says what, where and what to do, in one line."""

    exit_code = 1


class UsageError(SegmenthouseError):
    """The command's own words are off."""

    exit_code = 2


class StudyError(SegmenthouseError):
    """A study file says something that cannot be done."""


class DataError(SegmenthouseError):
    """The rows or columns at hand do not allow what was asked."""


class SourceError(SegmenthouseError):
    """A raw file is missing, damaged or of another shape than its source has."""


class WarehouseError(SegmenthouseError):
    """The database file is missing, damaged, read-only, full or lacks a table."""


class WarehouseLockedError(WarehouseError):
    """Another process holds the database file."""


class CheckpointError(WarehouseError):
    """What was written is committed and stays; only the log could not be folded into the file."""

    is_commit = False
    """Whether it was raised by the commit itself, which holds all the same."""


class MissingExtraError(SegmenthouseError):
    """A package that only some studies need is not installed."""


class MemoryRefusedError(SegmenthouseError):
    """The work would not fit in memory; the message names the way out."""


def near_match(word: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest allowed word, or an empty string."""
    import difflib

    others = [name for name in allowed if name != word]
    nearest = difflib.get_close_matches(word, others, n=1, cutoff=0.6)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""


def first_line_of(error: object) -> str:
    """Return the first line of an error without its full stop, or its kind where it says none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__
