"""English nouns in numbers."""

from __future__ import annotations

ONES = frozenset({"bias", "gas", "lens", "news", "series", "canvas", "atlas", "s"})
"""Nouns that end as if there were several."""


def many(noun: str) -> str:
    """Return the plural of an English noun of the usual kinds; one in the plural stays.

    Examples
    --------
    >>> many("category"), many("basket"), many("class"), many("visits")
    ('categories', 'baskets', 'classes', 'visits')
    """
    if is_plural(noun):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in set("aeiou"):
        return f"{noun[:-1]}ies"
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun}s"


def is_plural(noun: str) -> bool:
    """Return whether an English noun stands in the plural, by its ending.

    Examples
    --------
    >>> is_plural("store visits"), is_plural("children"), is_plural("status"), is_plural("spend")
    (True, True, False, False)
    """
    is_one = noun.endswith(("ss", "us", "is")) or noun in ONES
    return noun.endswith(("children", "kids", "people")) or (noun.endswith("s") and not is_one)


def plural(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(1200, "category")
    ('1 row', '1,200 categories')
    """
    return f"{number:,} {noun if number == 1 else many(noun)}"
