"""Columns as a reader who never saw the table would call them."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from models_py.base.plurals import many

WORDS = Path(__file__).with_name("words.toml")
PREFIXES = ("department_", "format_", "hour_")
ENDINGS = (
    (" effective count", "effective number of {}"),
    (" richness", "different {}"),
    (" count", "number of {}"),
    (" amount", "{}"),
    (" mean", "average {}"),
    (" median", "median {}"),
    (" spread", "spread of {}"),
)
COUNTED = {" effective count", " richness", " count"}


def column_words(column: str) -> str:
    """Return a column's name in plain words.

    Examples
    --------
    >>> column_words("basket_spend_mean")
    'average basket spend'
    >>> column_words("category_effective_count")
    'effective number of categories'
    """
    words = plain_words(column)
    if "=" in column:
        return words
    called = words_of(column).get("called")
    if called is not None:
        return called
    words = words.removesuffix(" days")
    for ending, pattern in ENDINGS:
        if words.endswith(ending):
            stem = words.removesuffix(ending)
            return pattern.format(many(stem) if ending in COUNTED else stem)
    return words


def unit(column: str) -> str:
    """Return what stands behind a column's values: ``" days"``, or nothing."""
    return " days" if column.endswith("_days") else ""


def plain_words(column: str) -> str:
    """Return a column's name with spaces: ``department_meat_share`` is ``meat share``."""
    words, _, category = column.partition("=")
    for prefix in PREFIXES:
        words = words.removeprefix(prefix)
    return words.replace("_", " ") + (f" {category}" if category else "")


def words_of(column: str) -> dict[str, str]:
    """Return what ``words.toml`` says of a column: the first pattern that fits counts."""
    for pattern, words in _known_words().items():
        if fnmatchcase(column, pattern):
            return words
    return {}


@cache
def _known_words() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    return known
