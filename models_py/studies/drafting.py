"""A first study of a table that nobody described: roles guessed, and every guess said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from models_py.studies.roles import Guess

WARD_ROWS = 10_000


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
        *[f"    {_toml(guess.name)},  # {_comment(guess.reason)}" for guess in used],
        "]",
        *_left_out(left),
        *_categorical(used),
        "# Logarithms of skewed amounts and counts; the 0.5% at each end are clipped.",
        'log1p = "auto"',
        "winsorise = 0.005",
        "",
        *_missing(used),
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
    texts = [f"#   {_toml(guess.name)}: {_comment(guess.reason)}" for guess in left]
    return ["# Left out; move a line into include to take the column in:", *texts]


def _missing(used: Sequence[Guess]) -> list[str]:
    lines = []
    for guess in used:
        if guess.missing:
            values = ", ".join(_number(item.value) for item in guess.missing)
            rows = " and ".join(f"{item.rows:,}" for item in guess.missing)
            lines.append(f"{_toml(guess.name)} = [{values}]  # on {rows} rows")
    if not lines:
        return []
    return ["[features.missing]", "# Values that stand for none.", *lines, ""]


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


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


def _comment(text: str) -> str:
    # TOML has no line breaks and no control signs in a comment.
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _toml(text: str) -> str:
    # JSON leaves DEL as it is, which TOML forbids.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
