"""Which columns a study means by a name that may hold wildcards."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matching(pattern: str, columns: Iterable[str]) -> list[str]:
    """Return the columns that a name in a study means, in their order.

    The name of a column means that column alone, whatever signs it has (``Plan [EU]``); any
    other name is a pattern in which ``*``, ``?`` and ``[abc]`` stand for other signs.

    Examples
    --------
    >>> matching("spend_*", ["spend_may", "visits", "spend_june"])
    ['spend_may', 'spend_june']
    >>> matching("Plan [EU]", ["Plan [EU]", "Plan E"])
    ['Plan [EU]']
    """
    there = list(columns)
    if pattern in there:
        return [pattern]
    return [column for column in there if fnmatchcase(column, pattern)]


def matching_any(patterns: Iterable[str], columns: Iterable[str]) -> set[str]:
    """Return the columns that any of the names in a study means."""
    there = list(columns)
    return {column for pattern in patterns for column in matching(pattern, there)}
