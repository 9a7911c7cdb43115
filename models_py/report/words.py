"""Columns as a reader who never saw the table would call them."""

from __future__ import annotations

from models_py.describe.names import feature_words

KNOWN = {
    "recency_days": "time since the last visit",
    "tenure_days": "time as a customer",
    "visit_gap_mean_days": "average gap between visits",
}
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
    if column in KNOWN:
        return KNOWN[column]
    words = feature_words(column)
    if "=" in column:
        return words
    words = words.removesuffix(" days")
    for ending, pattern in ENDINGS:
        if words.endswith(ending):
            stem = words.removesuffix(ending)
            return pattern.format(many(stem) if ending in COUNTED else stem)
    return words


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
