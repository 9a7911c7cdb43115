"""Numbers that stand for no value: -1, 0 where there is none, 999, a spike far outside the rest."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from models_py.studies.column_facts import ColumnFacts
from models_py.studies.column_names import NEVER_ZERO, words_of_name

NO_DATES = (
    *(dt.date(1, 1, 1), dt.date(1753, 1, 1), dt.date(1899, 12, 30), dt.date(1899, 12, 31)),
    *(dt.date(1900, 1, 1), dt.date(1900, 1, 2), dt.date(1901, 1, 1), dt.date(1970, 1, 1)),
    *(dt.date(2099, 12, 31), dt.date(2999, 12, 31), dt.date(9999, 12, 31)),
)
"""What programs write where there is no date."""
LEAST_ROWS = 2
LEAST_REST = 3
SPIKE_ROWS = 3
SPIKE_SHARE = 0.005
SPIKE_REST = 5
FAR_CODE = 0.5
"""Widths of the rest that lie between it and 999."""
FAR_SPIKE = 2.0
"""Widths of the rest that lie between it and any other spike."""


@dataclass(frozen=True)
class Sentinel:
    """A value that stands for none, and the rows that hold it."""

    value: float
    rows: int


def days_of_no_date(last_date: dt.date) -> frozenset[float]:
    """Return what programs write where there is no date, as days before the last date."""
    return frozenset(float((last_date - date).days) for date in NO_DATES)


def find_sentinels(
    column: ColumnFacts, codes: frozenset[float] = frozenset()
) -> tuple[Sentinel, ...]:
    """Return the values of a column that stand for none, the most frequent first.

    Parameters
    ----------
    column
        Of numbers.
    codes
        Values that stand for none in such a column, wherever they lie.
    """
    low, high = list(column.low), list(column.high)
    results: list[Sentinel] = []
    is_looked_at = column.is_number and bool(low)
    while is_looked_at:
        value, rows = next(
            (
                end
                for end in (high[:1] + low[:1])
                if _stands_for_none(end, low, high, column, results, codes)
            ),
            (0.0, 0),
        )
        if not rows:
            break
        results.append(Sentinel(value, rows))
        low = [end for end in low if end[0] != value]
        high = [end for end in high if end[0] != value]
        is_looked_at = len(low) > 1 and len(high) > 1
    return tuple(sorted(results, key=lambda candidate: -candidate.rows))


def _stands_for_none(
    end: tuple[float, int],
    low: list[tuple[float, int]],
    high: list[tuple[float, int]],
    column: ColumnFacts,
    result: list[Sentinel],
    codes: frozenset[float],
) -> bool:
    value, rows = end
    rest = column.distinct - len(result) - 1
    least = [v for v, _ in low if v != value][:1]
    most = [v for v, _ in high if v != value][:1]
    if rows < LEAST_ROWS or rest < LEAST_REST or not least or not most:
        return False
    if value in codes:
        return True
    width = most[0] - least[0]
    gap = least[0] - value if value < least[0] else value - most[0]
    if value == 0:
        return least[0] > 0 and bool(set(words_of_name(column.name)) & NEVER_ZERO)
    if _is_code(value):
        return least[0] >= 0 if value < 0 else gap >= FAR_CODE * width
    is_spike = rows >= max(SPIKE_ROWS, SPIKE_SHARE * column.known) and rest >= SPIKE_REST
    return is_spike and width > 0 and gap >= FAR_SPIKE * width


def _is_code(value: float) -> bool:
    # -1, -9, -99 and 99, 999, 9999: a 9 alone is an ordinary number.
    if value != int(value):
        return False
    return value == -1 or bool(re.fullmatch(r"-9+|99+", str(int(value))))
