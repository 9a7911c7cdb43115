"""The shapes of a column's values: each digit a 9, letters small, blanks and signs made plain.

A column has few shapes however many values it has, so that its format is decided on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

BLANKS = "\u00a0\u202f\u2009\u2007\u3000\t"
QUOTES = "\u2019\u2018`\u00b4"
MINUSES = "\u2212\u2013\u2012\ufe63"
DIGITS = (
    "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"
    "\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9"
    "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"
)
"""Arabic, Persian and full-width ones, 0 to 9 of each."""
_SIGNS = {
    **dict.fromkeys(BLANKS, " "),
    **dict.fromkeys(QUOTES, "'"),
    **dict.fromkeys(MINUSES, "-"),
    # Arabic decimal and thousands signs, full-width ones, and the words of 2024年3月5日.
    "\u066b": ".", "\u066c": ",", "\uff0e": ".", "\uff0c": ",", "\uff0d": "-", "\uff0f": "/",
    "\uff1a": ":", "\u5e74": "/", "\u6708": "/", "\u65e5": " ", "\ub144": "/", "\uc6d4": "/",
    "\uc77c": " ",
}  # fmt: skip
MADE_PLAIN = ("".join(_SIGNS) + DIGITS, "".join(_SIGNS.values()) + "0123456789" * 3)
"""Characters that are written in several ways, and how they are read."""
MADE_SHAPE = (
    "".join(_SIGNS) + DIGITS + "012345678",
    "".join(_SIGNS.values()) + "9" * (len(DIGITS) + 9),
)
"""The same where each digit becomes a 9."""
_SHAPED = str.maketrans(*MADE_SHAPE)


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
    return value.translate(_SHAPED).strip().lower()


def quoted_example(shape: Shape) -> str:
    """Return ``'value' (line 12)``."""
    return f"'{shape.example.strip()}' (line {shape.line:,})"
