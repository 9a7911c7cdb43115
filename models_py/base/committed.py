"""What a command has done so far that stays whatever comes next: its ending tells of it."""

from __future__ import annotations

import os
from pathlib import Path

_so_far: list[str] = []
_under_way: list[str] = []
_files: dict[Path, None] = {}


def record(text: str) -> None:
    """Say what stays from now on, in words that fit after a semicolon."""
    _so_far.append(text)


def so_far() -> list[str]:
    """Return what stays, in the order in which it was done."""
    return [*_so_far, *_under_way]


def clear() -> None:
    """Forget it: a command begins, or has taken back what it did."""
    _so_far.clear()
    _under_way.clear()


def opened(file: Path) -> None:
    """Say that a warehouse was opened for writing: readers want a new copy of it."""
    _files[file.resolve()] = None


def take_opened() -> list[Path]:
    """Return the warehouses that were opened for writing since this was asked last."""
    files = list(_files)
    _files.clear()
    return files


def begins() -> None:
    """Say that a commit begins: stopped now, nobody here knows whether it held."""
    _under_way.append(
        "a commit was under way: it is there as a whole or not at all, so look before you repeat it"
    )


def ended(stays: str = "") -> None:
    """Say that the commit has ended, and what stays of it where it held."""
    if stays:
        record(stays)
    _under_way.clear()


def rename(finished: Path, target: Path, stays: str) -> None:
    """Give what is finished its name; at no moment is it there and passed over by an ending.

    Raises
    ------
    OSError
        It could not be renamed, and is not said to stay.
    """
    begins()
    try:
        os.replace(finished, target)
    except OSError:
        ended()
        raise
    ended(stays)
