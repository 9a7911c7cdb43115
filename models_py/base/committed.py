"""What a command has done so far that stays whatever comes next: its ending tells of it."""

from __future__ import annotations

_so_far: list[str] = []


def record(text: str) -> None:
    """Say what stays from now on, in words that fit after a semicolon."""
    _so_far.append(text)


def so_far() -> list[str]:
    """Return what stays, in the order in which it was done."""
    return list(_so_far)


def clear() -> None:
    """Forget it: a command begins, or has taken back what it did."""
    _so_far.clear()
