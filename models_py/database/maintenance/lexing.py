"""Reading SQL text apart: quotes, brackets and commas, as DuckDB writes them in its catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator

from models_py.base.errors import WarehouseError

_OPENING, _CLOSING = "([{", ")]}"
_IN_NAMES = frozenset("_$")


class UnreadableSqlError(WarehouseError):
    """A text that is no plain SQL: a comment, a bracket too many, a quote without its end."""


class SecondStatementError(UnreadableSqlError):
    """A semicolon outside quotes, and its place."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(f"a second statement in: {text[:80]}")
        self.at = at


def characters(text: str) -> Iterator[tuple[int, str, int]]:
    """Return place, character and depth of everything outside quotes.

    Comments, dollar quotes and escape strings, which DuckDB's catalog never writes, are refused:
    what is inside of them could be read in two ways.

    Raises
    ------
    UnreadableSqlError
        The text has one of these, a quote without an end, or brackets that do not pair.
    """
    depth, at = 0, 0
    while at < len(text):
        letter = text[at]
        if letter in "'\"":
            if letter == "'" and at and (text[at - 1].isalnum() or text[at - 1] in "_&"):
                raise UnreadableSqlError(f"a text with escapes in: {text[:80]}")
            at = _end_of_quote(text, at)
            continue
        _refuse_odd(text, at)
        depth -= letter in _CLOSING
        if depth < 0:
            raise UnreadableSqlError(f"a bracket too many in: {text[:80]}")
        yield at, letter, depth
        depth += letter in _OPENING
        at += 1
    if depth:
        raise UnreadableSqlError(f"a bracket is not closed in: {text[:80]}")


def _end_of_quote(text: str, begin: int) -> int:
    quote, at = text[begin], begin + 1
    while at < len(text):
        if text[at] != quote:
            at += 1
        elif text[at + 1 : at + 2] == quote:
            at += 2
        else:
            return at + 1
    raise UnreadableSqlError(f"a quote is not closed in: {text[:80]}")


def _refuse_odd(text: str, at: int) -> None:
    if text[at : at + 2] in ("--", "/*") or text[at] in "\0#":
        raise UnreadableSqlError(f"a comment in: {text[:80]}")
    if text[at] == "$" and not (at and (text[at - 1].isalnum() or text[at - 1] in _IN_NAMES)):
        raise UnreadableSqlError(f"a dollar quote in: {text[:80]}")
    if text[at] == ";":
        raise SecondStatementError(text, at)


def elements(text: str) -> list[str]:
    """Split a list at its commas outside quotes and brackets."""
    begin, parts = 0, []
    for at, letter, depth in characters(text):
        if letter == "," and depth == 0:
            parts.append(text[begin:at].strip())
            begin = at + 1
    rest = text[begin:].strip()
    return [*parts, rest] if parts or rest else []


def up_to_semicolon(text: str) -> str:
    """Return the first statement of a text that DuckDB wrote, without its end."""
    try:
        for _ in characters(text):
            continue
    except SecondStatementError as error:
        return text[: error.at].rstrip()
    return text.rstrip()


def outside(text: str) -> str:
    """Return what stands outside quotes and brackets, in capitals, with single spaces."""
    last, kept = -1, []
    for at, letter, depth in characters(text):
        kept.append(" " if at != last + 1 else "")
        kept.append(letter if depth == 0 and letter not in _OPENING + _CLOSING else " ")
        last = at
    return " ".join("".join(kept).upper().split())


def is_bracketed(text: str) -> bool:
    """Return whether a text is one pair of brackets with everything inside."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    places = [at for at, letter, depth in characters(text) if letter == ")" and depth == 0]
    return places == [len(text) - 1]


def unquoted(identifier: str) -> str:
    """Return the name that an identifier spells."""
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    return identifier


def normal(text: str) -> str:
    """Return a text without what DuckDB writes in two ways.

    Before a file is written and read again a cast's type stands with spaces
    (``DECIMAL(18, 3)``), in quotes (``"TIMESTAMP"``) or with a width (``BIT(1)``), afterwards
    without.
    """
    parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", text)
    return "".join(_normal_part(part) for part in parts)


def _normal_part(part: str) -> str:
    if part.startswith("'"):
        return part
    if part.startswith('"'):
        return "".join(part[1:-1].split()) if re.fullmatch(r"[A-Z_ ]+", part[1:-1]) else part
    return "".join(part.split()).replace("BIT(1)", "BIT")
