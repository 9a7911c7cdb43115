"""English nouns in numbers."""

from __future__ import annotations


def many(noun: str) -> str:
    """Return the plural of an English noun of the usual kinds.

    Examples
    --------
    >>> many("category"), many("basket"), many("class")
    ('categories', 'baskets', 'classes')
    """
    if noun.endswith("y") and noun[-2:-1] not in set("aeiou"):
        return f"{noun[:-1]}ies"
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun}s"


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(1200, "category")
    ('1 row', '1,200 categories')
    """
    return f"{number:,} {noun if number == 1 else many(noun)}"
