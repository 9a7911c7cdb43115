"""A first study of a table that nobody described: roles guessed, and every guess said."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_CATEGORIES = 50
LEAST_KNOWN = 0.4
NEARLY_UNIQUE = 0.9
LEAKING = 0.98
FEW_ROWS = 20
WARD_ROWS = 10_000
LABEL_WORDS = frozenset(
    {"label", "target", "segment", "segmentation", "cluster", "class", "churn", "churned", "y"}
)
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")

Role = Literal["number", "category", "truth", "left out"]


@dataclass(frozen=True)
class Guess:
    """What a column is taken for.

    Attributes
    ----------
    name
        The column.
    role
        How it goes into the study.
    reason
        What it looks like, or why it is left out.
    """

    name: str
    role: Role
    reason: str


@dataclass(frozen=True)
class Draft:
    """What a study file is written from.

    Attributes
    ----------
    name, title
        Of the study.
    table, entity
        ``schema.name`` and the column that tells rows apart.
    label
        Column with known groups, if there is one.
    source
        Where the table came from, in words.
    rows
        Of the table.
    guesses
        One for each column but the entity's.
    run_with
        The command that runs the study.
    """

    name: str
    title: str
    table: str
    entity: str
    label: str | None
    source: str
    rows: int
    guesses: Sequence[Guess]
    run_with: str


def guess_roles(columns: Sequence[ColumnFacts], label: str | None = None) -> list[Guess]:
    """Guess what each column is.

    Parameters
    ----------
    columns
        Facts of each column but the entity's.
    label
        Column with known groups, if the user named one.
    """
    majority = next((column.top_share for column in columns if column.name == label), None)
    return [_guess(column, label, majority) for column in columns]


def _guess(column: ColumnFacts, label: str | None, majority: float | None) -> Guess:
    reason = _why_left_out(column, label, majority)
    if reason:
        return Guess(column.name, "left out", reason)
    missing = 1.0 - column.known / column.rows
    nulls = f", {missing:.1%} missing" if missing else ""
    if column.type == "BOOLEAN":
        return Guess(column.name, "truth", f"true or false{nulls}")
    if _is_number(column):
        few = f", {column.distinct} values: a code?" if 2 < column.distinct <= 6 else ""
        span = f"{_short(column.lowest)} to {_short(column.highest)}"
        return Guess(column.name, "number", f"number from {span}{nulls}{few}")
    shown = ", ".join(_short(value) for value in column.values[:4])
    more = ", ..." if column.distinct > 4 else ""
    return Guess(
        column.name, "category", f"category of {column.distinct} values ({shown}{more}){nulls}"
    )


def _why_left_out(column: ColumnFacts, label: str | None, majority: float | None) -> str:
    missing = 1 - column.known / column.rows
    is_number = _is_number(column)
    is_readable = is_number or column.type in {"VARCHAR", "BOOLEAN"} or _is_enum(column)
    is_named_as_label = label is None and bool(_words(column.name) & LABEL_WORDS)
    tried = (
        (column.name == label, "label: compared with the segments, not used to find them"),
        (column.known == 0, "every value is null"),
        (missing > 1 - LEAST_KNOWN, f"{missing:.0%} missing"),
        (column.distinct == 1, f"constant: {_short(column.lowest)}"),
        (column.same_as_id == column.rows, "identifier: a copy of the id"),
        (_is_time(column), "date or time: days since then would be a feature"),
        (
            _is_identifier(column),
            f"identifier: {column.distinct:,} values on {column.known:,} rows",
        ),
        (not is_readable, f"type {column.type}: make numbers or text of it"),
        (
            _leaks(column, majority),
            f"leak: it tells the label of {column.label_share or 0:.1%} of the rows",
        ),
        (is_named_as_label, "a label by its name? then give it with --label, else take it in"),
        (
            not is_number and column.distinct > MOST_CATEGORIES,
            f"text of {column.distinct:,} values: group them, or take it for an identifier",
        ),
    )
    return next((reason for is_so, reason in tried if is_so), "")


def _leaks(column: ColumnFacts, majority: float | None) -> bool:
    share = column.label_share
    few_enough = column.distinct <= max(column.rows // 5, 2) or _is_number(column)
    return (
        share is not None
        and majority is not None
        and majority < LEAKING
        and share >= LEAKING
        and few_enough
    )


def _is_identifier(column: ColumnFacts) -> bool:
    if column.rows < FEW_ROWS:
        return False
    if column.type == "UUID":
        return True
    if column.type.removeprefix("U").startswith(WHOLE):
        return column.distinct == column.known or _is_named_as_id(column)
    return column.type == "VARCHAR" and column.distinct >= NEARLY_UNIQUE * column.known


def _is_named_as_id(column: ColumnFacts) -> bool:
    named = bool(_words(column.name) & {"id", "uuid", "guid", "key"})
    return named and column.distinct > column.known / 2


def _is_time(column: ColumnFacts) -> bool:
    if column.type.startswith(("DATE", "TIME", "INTERVAL")):
        return True
    return column.type == "VARCHAR" and column.times >= 0.95 * column.known


def _is_number(column: ColumnFacts) -> bool:
    return column.type.removeprefix("U").startswith(NUMBERS) and not column.type.endswith("]")


def _is_enum(column: ColumnFacts) -> bool:
    return column.type.startswith("ENUM") and not column.type.endswith("]")


def _words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return set(re.findall(r"[a-z0-9]+", spaced.lower()))


def _short(value: str | None) -> str:
    text = " ".join((value or "").split())
    return text if len(text) <= 24 else text[:21] + "..."


def draft_study(draft: Draft) -> str:
    """Return the text of a study file with a comment on every guess."""
    used = [guess for guess in draft.guesses if guess.role != "left out"]
    left = [guess for guess in draft.guesses if guess.role == "left out"]
    parts = [
        f"# Study of {draft.table}: {draft.rows:,} rows {draft.source}.",
        "# What each column is was guessed from its values: read it, change it, then run",
        f"#   {draft.run_with}",
        f"title = {_toml(draft.title)}",
        f"table = {_toml(draft.table)}",
        f"entity = {_toml(draft.entity)}",
        *([f"label = {_toml(draft.label)}"] if draft.label else []),
        "",
        "[features]",
        "include = [",
        *[f"    {_toml(_pattern(guess.name))},  # {guess.reason}" for guess in used],
        "]",
        *_left_out(left),
        *_categorical(used),
        "# Logarithms of skewed amounts and counts; the 0.5% at each end are clipped.",
        'log1p = "auto"',
        "winsorise = 0.005",
        "",
        "[selection]",
        "# Of two columns that say the same, one goes.",
        "max_correlation = 0.9",
        "max_vif = 10.0",
        "",
        "[outliers]",
        "# Unusual rows stay out of the search; they are assigned and flagged all the same.",
        'method = "isolation_forest"',
        "contamination = 0.02",
        "",
        "[[encoding]]",
        'kind = "pca"',
        "parameters = { components = 0.9 }",
        "",
        *_algorithms(draft.rows),
        "[choose]",
        "# Segments large enough to act on that come back in refits, then silhouette.",
        'by = "rule"',
        "min_share = 0.03",
        "tolerance = 0.05",
    ]
    return "\n".join(parts) + "\n"


def _left_out(left: Sequence[Guess]) -> list[str]:
    if not left:
        return []
    texts = [f"#   {_toml(guess.name)}: {guess.reason}" for guess in left]
    return ["# Left out; move a line into include to take the column in:", *texts]


def _categorical(used: Sequence[Guess]) -> list[str]:
    names = [guess.name for guess in used if guess.role == "category"]
    if not names:
        return []
    return [
        "# Categories become one column of 0 and 1 for each value. For values with an order give",
        "# ordinal = { column = ['low', 'middle', 'high'] } below in place of it.",
        f"categorical = [{', '.join(_toml(name) for name in names)}]",
    ]


def _algorithms(rows: int) -> list[str]:
    names = ["kmeans", "ward"] if rows <= WARD_ROWS else ["minibatch_kmeans"]
    top = max(2, min(10, rows // 5))
    return [
        line
        for name in names
        for line in ("[[algorithms]]", f'name = "{name}"', f"k = [2, {top}]", "")
    ]


def _pattern(name: str) -> str:
    # Names of features may hold wildcards: a column's own are taken as they are.
    return re.sub(r"([*?[])", r"[\1]", name)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds.

    Attributes
    ----------
    name, type
        As the table has them.
    rows, known, distinct
        Rows of the table, those where the column is not null, and its distinct values.
    lowest, highest
        As text; None where every value is null.
    values
        The most common values as text, at most eight.
    top_share
        Share of the known rows that have the most common one.
    same_as_id
        Rows where it is equal, as text, to the entity's column.
    times
        Of a text column: rows that hold a date or a time.
    label_share
        Share of the rows whose label is the most common one for their value of this column;
        None without a label.
    """

    name: str
    type: str
    rows: int
    known: int
    distinct: int
    lowest: str | None
    highest: str | None
    values: tuple[str, ...]
    top_share: float
    same_as_id: int
    times: int
    label_share: float | None
