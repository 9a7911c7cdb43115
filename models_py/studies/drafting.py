"""A first study of a table that nobody described: roles guessed, and every guess said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models_py.studies.roles import Guess

if TYPE_CHECKING:
    from models_py.features.structure import Relevance

LEAST_JUDGED = 100
"""Rows from which on columns are judged by the groups that the others show."""

MOST_SEGMENTS = 10
ROWS_A_SEGMENT = 20
ROWS_A_SMALL_SEGMENT = 10
MOST_MEASURES = 12
LEAST_COLUMNS = 2
ALSO_EXPLAINED = 0.05


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
    skewed
        Numbers that lean to one side.
    measures
        Numbers that say nothing of groups, and are shown beside the features.
    without_groups
        Whether the columns were judged and fewer than two tell groups apart.
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
    skewed: Sequence[str] = ()
    measures: Sequence[str] = ()
    without_groups: bool = False


def choose_features(draft: Draft, relevance: Mapping[str, Relevance]) -> Draft:
    """Return the draft with the columns that tell groups apart, every other one with a reason.

    Where fewer than two do, all stay: there is nothing to choose, and the run says so.

    Parameters
    ----------
    draft
        With the roles guessed.
    relevance
        What each column says of groups, by its name; empty where that was not looked at.
    """
    if not relevance:
        return draft
    kept = {name for name, found in relevance.items() if found.gain > 0.0}
    if len(kept) < LEAST_COLUMNS:
        return replace(draft, without_groups=True)
    guesses = [
        guess
        if guess.role == "left out" or guess.name not in relevance
        else _with_relevance(guess, relevance[guess.name])
        for guess in draft.guesses
    ]
    numbers = {guess.name for guess in draft.guesses if guess.role == "number"}
    dropped = [guess.name for guess in guesses if guess.role == "left out"]
    return replace(
        draft,
        guesses=guesses,
        skewed=[name for name in draft.skewed if name in kept],
        measures=[name for name in dropped if name in numbers][:MOST_MEASURES],
    )


def _with_relevance(guess: Guess, found: Relevance) -> Guess:
    explained = f"{_share(found.explained)} of it"
    if found.gain > 0.0:
        words = f"; the groups of the other columns tell {explained}"
        return replace(guess, reason=guess.reason + words)
    reason = f"tells no groups apart: those that the other columns show tell {explained}"
    if found.explained > ALSO_EXPLAINED:
        reason = "what it says of groups, the features say already"
    return replace(guess, role="left out", reason=reason)


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


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
        *(
            ["# No groups show in these columns: none is seen in the groups of the others."]
            if draft.without_groups
            else []
        ),
        "include = [",
        *[f"    {_toml(guess.name)},  # {_comment(guess.reason)}" for guess in used],
        "]",
        *_left_out(left),
        *_categorical(used),
        *_straightened(draft),
        "# The 0.5% at each end are clipped.",
        "winsorise = 0.005",
        "",
        *_missing([*used, *[guess for guess in left if guess.name in draft.measures]]),
        "[selection]",
        *_copies(draft),
        "",
        "[outliers]",
        "# Unusual rows stay out of the search; they are assigned and flagged all the same.",
        'method = "isolation_forest"',
        "contamination = 0.02",
        "",
        "[[encoding]]",
        'kind = "none"',
        "",
        *_kinds(draft),
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


def _straightened(draft: Draft) -> list[str]:
    if not draft.skewed:
        return []
    names = ", ".join(_toml(name) for name in draft.skewed)
    return ["# Numbers that lean to one side are straightened (Yeo-Johnson).", f"power = [{names}]"]


def _kinds(draft: Draft) -> list[str]:
    is_small = draft.rows < LEAST_JUDGED
    each = ROWS_A_SMALL_SEGMENT if is_small else ROWS_A_SEGMENT
    top = max(2, min(MOST_SEGMENTS, draft.rows // each))
    kinds = '"pooled"' if is_small else '"pooled", "own"'
    few = "# So few rows must show it more clearly than rows of one kind do by chance."
    return [
        "# Kinds of customers that vary alike inside; words have shares of their own in each, so",
        "# that no column of words splits the rows by itself.",
        "[[algorithms]]",
        'name = "mixed_mixture"',
        f"k = [2, {top}]",
        f"parameters = {{ covariance = [{kinds}] }}",
        "",
        "[choose]",
        "# As many kinds as make the rows likeliest while each row is clearly of one of them; one",
        "# segment where one kind does as well.",
        *([few] if is_small else []),
        'by = "icl"',
    ]


def _copies(draft: Draft) -> list[str]:
    if draft.rows < LEAST_JUDGED:
        limits = ["max_correlation = 0.9", "max_vif = 10.0"]
        return ["# Of two columns that say the same, one goes.", *limits]
    return [
        "# Of two copies one goes. Columns that go together because groups differ in both stay:",
        "# the mixture takes what they share into account.",
        "max_correlation = 0.98",
        "max_vif = 100.0",
    ]


def _comment(text: str) -> str:
    # TOML has no line breaks and no control signs in a comment.
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _toml(text: str) -> str:
    # JSON leaves DEL as it is, which TOML forbids.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
