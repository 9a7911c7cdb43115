"""The shapes of a column's values: each digit a 9, letters small, blanks and signs made plain.

A column has few shapes however many values it has, so that its format is decided on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

BLANKS = "\u00a0\u202f\u2009\u2007\u3000\t"
QUOTES = "\u2019\u2018`\u00b4"
MINUSES = "\u2212\u2013\u2012\ufe63"
MADE_PLAIN = (BLANKS + QUOTES + MINUSES, " " * len(BLANKS) + "'" * len(QUOTES) + "-" * len(MINUSES))
"""Characters that are written in several ways, and how they are read."""
_PLAIN = str.maketrans(MADE_PLAIN[0] + "012345678", MADE_PLAIN[1] + "999999999")


@dataclass(frozen=True)
class Shape:
    """One shape of a column's values.

    Attributes
    ----------
    text
        The shape.
    count
        Values that have it.
    line, example
        The first of them: its line in the file, and how it is written.
    """

    text: str
    count: int
    line: int
    example: str


def shape_of(value: str) -> str:
    """Return the shape of a value."""
    return value.translate(_PLAIN).strip().lower()


def quoted_example(shape: Shape) -> str:
    """Return ``'value' (line 12)``."""
    return f"'{shape.example.strip()}' (line {shape.line:,})"
