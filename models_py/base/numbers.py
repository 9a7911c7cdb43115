"""Figures as a reader likes them: a few digits, thousands apart, shares in per cent."""

from __future__ import annotations

import re
from datetime import datetime
from math import isnan

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "\N{EN DASH}"
TIMES = ("days", "hours", "minutes", "months", "weeks", "years")

IS_YEAR = re.compile(r"(^|[^a-z])year([^a-z]|$)", re.IGNORECASE)
YEARS = (1800.0, 2200.0)
"""A year of birth or of joining stands without thousands and with all its digits."""


def count(value: float) -> str:
    """Return a whole number with its thousands apart."""
    return UNKNOWN if _is_unknown(value) else f"{round(value):,}".replace("-", MINUS)


def share(value: float) -> str:
    """Return a share (0..1) in per cent: whole from 10%, else one digit."""
    if _is_unknown(value):
        return UNKNOWN
    digits = 0 if abs(value) >= 0.0995 or value == 0 else 1
    text = f"{value:.{digits}%}".replace("-", MINUS)
    return "under 0.1%" if value > 0 and text == "0.0%" else text


def plain(value: float) -> str:
    """Return a number with three significant digits, as people write it."""
    if _is_unknown(value):
        return UNKNOWN
    size = abs(value)
    if size < 1000 and float(value).is_integer():
        return f"{value:.0f}".replace("-", MINUS)
    if size >= 999.5:
        text = f"{float(f'{value:.3g}'):,.0f}"
    elif size >= 100:
        text = f"{value:.0f}"
    elif size >= 10:
        text = f"{value:.1f}"
    elif size >= 0.01:
        text = f"{value:.2f}"
    elif size >= 0.001:
        text = f"{value:.4f}"
    else:
        text = "under 0.001" if value > 0 else "above -0.001"
    return text.replace("-", MINUS)


def signed(value: float) -> str:
    """Return a number with two digits and its sign."""
    if _is_unknown(value):
        return UNKNOWN
    return f"{value:+.2f}".replace("-", MINUS)


def in_units(feature: str, value: float, unit: str = "") -> str:
    """Return a value of a gold column in its unit.

    Parameters
    ----------
    feature
        Its name tells whether it is a share, an amount of money, a time or a year.
    value
        Of the column.
    unit
        Stands behind the number in place of what the name tells.
    """
    if _is_unknown(value):
        return UNKNOWN
    if unit:
        return f"{plain(value)} {unit}"
    if is_share(feature) and -1.0 <= value <= 1.0:
        return share(value)
    if IS_YEAR.search(feature) and YEARS[0] <= value <= YEARS[1]:
        return f"{value:.0f}"
    return f"{plain(value)}{time_unit(feature)}"


def unit_once(text: str, beside: str) -> str:
    """Return the value that stands beside another without its unit, where both have the same.

    Examples
    --------
    >>> unit_once("6.7 days", "14.8 days")
    '14.8'
    >>> unit_once("12%", "8%")
    '8%'
    """
    value, _, unit = beside.partition(" ")
    return value if unit and text.partition(" ")[2] == unit else beside


def is_share(feature: str) -> bool:
    """Return whether a column's name says that it is a share."""
    return feature.endswith("_share") or "=" in feature


def time_unit(feature: str) -> str:
    """Return what stands behind a column's values: ``" days"``, or nothing."""
    return next((f" {unit}" for unit in TIMES if feature.endswith(f"_{unit}")), "")


def exact(feature: str, value: float) -> str:
    """Return a rounded limit of a gold column in its unit, with every digit that it has."""
    if is_share(feature) and -1.0 <= value <= 1.0:
        return f"{_all_digits(100 * value)}%".replace("-", MINUS)
    return f"{_all_digits(value)}{time_unit(feature)}".replace("-", MINUS)


def day(moment: datetime) -> str:
    """Return a date as ``3 May 2026``."""
    return f"{moment.day} {moment:%B %Y}"


def moment(at: datetime) -> str:
    """Return a date and time as ``3 May 2026, 14:05 UTC``."""
    return f"{day(at)}, {at:%H:%M} UTC"


def listed(words: list[str]) -> str:
    """Return words as ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters, cut at a word where it can be."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > most * 0.6 else head).rstrip(" ,") + "\N{HORIZONTAL ELLIPSIS}"


def _all_digits(value: float) -> str:
    # Ten digits that count drop what binary fractions add.
    rounded = float(f"{value:.10g}")
    text = f"{rounded:,.12f}"
    return text.rstrip("0").rstrip(".")


def _is_unknown(value: float | None) -> bool:
    return value is None or isnan(value)
