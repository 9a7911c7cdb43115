"""What a first study calls the columns of a table that nobody described."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from models_py.describe.names import rows_of
from models_py.describe.words import Vocabulary, words_of
from models_py.studies.study import ColumnWords

MONEY = frozenset({"spend", "spending", "spent", "revenue", "sales", "turnover", "umsatz"})
NO_SUM = frozenset(
    {"score", "share", "ratio", "rate", "average", "avg", "mean", "median", "last", "max", "min"}
    | {"per", "limit", "count", "number", "band", "index", "days", "growth", "change"}
)
"""Words of a column that says what a row is worth, and those of one that says something else."""

HEAD = """\
# What a row is called, in the plural, and what a segment is called that is high or low in a
# number, or of whom a column is true (yes) or not (no): say it as you would say it aloud. Of a
# column of words, values = { code = "words" } spells out its codes, and alone = true leaves out
# the column's name. Names and sentences of the next run are made of these."""


def draft_words(
    entity: str,
    roles: Mapping[str, str],
    days: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    measures: Sequence[str] = (),
) -> str:
    """Return the sections ``[describe]`` and ``[describe.words]`` of a study's file.

    Parameters
    ----------
    entity
        The column that tells rows apart.
    roles
        Each column used to ``number``, ``truth`` or ``category``.
    days
        Columns with days since a date, to the column with the date.
    units
        Columns to the currency that stands at their values.
    measures
        Numbers that are shown beside the features.

    Examples
    --------
    >>> print(draft_words("client_id", {"Joined_days": "number"}, {"Joined_days": "Joined"})
    ...     .splitlines()[-1])
    "Joined_days" = { called = "time since Joined", unit = "days", high = "Joined long ago", \
low = "recently Joined" }
    """
    days, units = days or {}, units or {}
    rows = "customers" if entity == "row" else rows_of(entity)
    named = {**roles, **dict.fromkeys(measures, "number")}
    lines = [_line(name, role, days.get(name), units.get(name)) for name, role in named.items()]
    shown = [f"measures = [{', '.join(map(_toml, measures))}]"] if measures else []
    beside = ["# Shown beside the features.", *shown] if shown else []
    worth = worth_column([name for name, role in named.items() if role == "number"])
    weighed = [
        "# What a row is worth: segments are weighed by it.",
        f"worth = {_toml(worth or '')}",
    ]
    head = ["[describe]", *beside, *(weighed if worth else []), HEAD, f"rows = {_toml(rows)}", ""]
    return "\n".join([*head, "[describe.words]", *lines])


def worth_column(numbers: Sequence[str]) -> str | None:
    """Return the column of numbers that by its name says what a row is worth.

    Examples
    --------
    >>> worth_column(["spending_score", "AvgSpend", "Total Spend", "age"])
    'Total Spend'
    """
    for name in numbers:
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
        words = set(re.split(r"[^a-z]+", spaced.lower()))
        if words & MONEY and not words & NO_SUM:
            return name
    return None


def _line(name: str, role: str, date: str | None, unit: str | None) -> str:
    entry = _entry(name, role, date, unit)
    said = ", ".join(f"{key} = {_toml(text)}" for key, text in entry.items())
    # What the package has words for is said by them until the line is made one.
    is_known = bool(words_of(name)) and not unit
    return f"{'# ' if is_known else ''}{_toml(name)} = {{ {said} }}"


def _entry(name: str, role: str, date: str | None, unit: str | None) -> dict[str, str]:
    vocabulary = Vocabulary({name: ColumnWords(unit=unit)} if unit else {})
    if date is not None:
        date = date.replace("_", " ")
        return {
            "called": f"time since {date}",
            "unit": "days",
            "high": f"{date} long ago",
            "low": f"recently {date}" if date.endswith("ed") else f"recent {date}",
        }
    if role == "truth":
        keys: Sequence[tuple[str, bool]] = (("yes", True), ("no", False))
        return {key: vocabulary.yes_or_no(name, is_yes).words for key, is_yes in keys}
    entry = {"called": vocabulary.called(name)}
    if role == "number":
        entry |= {"unit": unit} if unit else {}
        entry |= {
            side: vocabulary.side(name, is_high).words
            for side, is_high in (("high", True), ("low", False))
        }
    return entry


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
