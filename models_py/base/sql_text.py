"""Texts as SQL writes them."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return a text as a SQL literal, where a value cannot be bound.

    That is in a definition and in ``attach``. DuckDB reads no escapes in such a literal but the
    doubled quote. Reading the catalog uses it too: the first bound value makes DuckDB's
    package import pandas, half a second that a listing need not wait.
    """
    return "'" + text.replace("'", "''") + "'"


def number(value: float) -> str:
    """Return a number as a SQL literal of type double that reads back to the last bit."""
    # Without an exponent DuckDB reads a decimal, whose digits round once more.
    text = repr(float(value))
    text = text if "e" in text else f"{text}e0"
    return f"({text})" if text.startswith("-") else text
