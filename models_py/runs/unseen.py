"""What of the customers to score a run never saw, and which of them it cannot score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray
from models_py.base.rounding import LARGEST
from models_py.features.recipes import Recipe, as_numbers, as_words, without_missing

if TYPE_CHECKING:
    import pandas as pd

    from models_py.runs.saved import SavedPartition, SavedRun

OUTSIDE = 0.1
"""Widths of the run's values that a number may lie beyond them: new customers differ a little."""
MOST_EXAMPLES = 3

Kind = Literal["category", "infinite", "outside", "missing"]


@dataclass(frozen=True)
class Unseen:
    """Values of one column that the run never saw.

    Attributes
    ----------
    column
        Of the rows to score.
    kind
        What is new: a category, an infinite number, a number outside the run's, no value.
    rows
        How many have it.
    words
        The same as a line, with an example.
    """

    column: str
    kind: Kind
    rows: int
    words: str


def unseen_values(saved: SavedRun, frame: pd.DataFrame) -> list[Unseen]:
    """Return what the run never saw, one a column and kind.

    Parameters
    ----------
    saved
        The run.
    frame
        The entity and the run's columns.
    """
    names = saved.partition_names(frame)
    results: dict[tuple[str, Kind], list[_NewValues]] = {}
    for part in saved.partitions.values():
        rows = frame[(names == part.name).to_numpy(dtype=bool)]
        for recipe in _first_of_each_column(part):
            for kind, item in _new_values_in(rows[recipe.column], recipe, part):
                results.setdefault((recipe.column, kind), []).append(item)
    return [
        Unseen(
            column, kind, sum(part.rows for part in parts), _words(column, kind, parts, len(frame))
        )
        for (column, kind), parts in results.items()
    ]


def why_not_scored(saved: SavedRun, frame: pd.DataFrame) -> pd.Series[Any]:
    """Return why each row cannot be scored, empty where it can; with the index of ``frame``.

    A number that is infinite, or so large that its square is, has no distance to anything; a row
    without any value is nobody's.
    """
    import pandas as pd

    reasons = pd.Series("", index=frame.index, dtype=object)
    names = saved.partition_names(frame)
    for part in saved.partitions.values():
        rows = frame[(names == part.name).to_numpy(dtype=bool)]
        if rows.empty:
            continue
        recipes = _first_of_each_column(part)
        known = np.zeros(len(rows), dtype=bool)
        for recipe in recipes:
            column = without_missing(rows[recipe.column], recipe.missing)
            known |= column.notna().to_numpy(dtype=bool)
            if recipe.kind == "numeric":
                endless = _endless(as_numbers(column))
                reasons[rows.index[endless]] = f"{recipe.column} is infinite"
        reasons[rows.index[~known]] = "no feature has a value"
    return reasons


def row_notes(part: SavedPartition, rows: pd.DataFrame) -> pd.Series[Any]:
    """Return what of each row of a partition the run never saw, null where nothing is new."""
    import pandas as pd

    notes = pd.Series("", index=rows.index, dtype=object)
    for recipe in _first_of_each_column(part):
        column = without_missing(rows[recipe.column], recipe.missing)
        if recipe.kind == "numeric":
            is_new, words = _is_outside(as_numbers(column), recipe, part), "outside the run's"
        else:
            is_new, words = _is_new_word(column, recipe), "never seen"
        notes[is_new] += f"; {recipe.column} {words}"
    return notes.str.removeprefix("; ").where(notes != "", None).astype("string")


@dataclass(frozen=True)
class _NewValues:
    """Rows of one partition, examples of their values, and what the run had instead."""

    rows: int
    examples: tuple[str, ...]
    instead: str = ""


def _first_of_each_column(part: SavedPartition) -> list[Recipe]:
    by_column: dict[str, Recipe] = {}
    for recipe in part.matrix.recipes_:
        if recipe.kind != "indicator":
            by_column.setdefault(recipe.column, recipe)
    return list(by_column.values())


def _new_values_in(
    column: pd.Series[Any], recipe: Recipe, part: SavedPartition
) -> list[tuple[Kind, _NewValues]]:
    column = without_missing(column, recipe.missing)
    results: list[tuple[Kind, _NewValues]] = []
    missing = int(column.isna().sum())
    if missing and (missing == len(column) or _had_every_value(recipe, part)):
        results.append(("missing", _NewValues(missing, ())))
    if recipe.kind == "numeric":
        return results + _new_numbers(as_numbers(column), recipe, part)
    new = as_words(column)[_is_new_word(column, recipe)]
    if not new.empty:
        examples = tuple(f"'{word}'" for word in new.value_counts().index[:MOST_EXAMPLES])
        results.append(("category", _NewValues(len(new), examples)))
    return results


def _is_new_word(column: pd.Series[Any], recipe: Recipe) -> BoolArray:
    # Runs of an earlier version keep no list of a column's categories.
    known = recipe.order if recipe.kind == "ordinal" else recipe.known
    if not known:
        return np.zeros(len(column), dtype=bool)
    is_new = column.notna() & ~as_words(column).isin(known)
    return np.asarray(is_new.to_numpy(dtype=bool))


def _new_numbers(
    values: FloatArray, recipe: Recipe, part: SavedPartition
) -> list[tuple[Kind, _NewValues]]:
    results: list[tuple[Kind, _NewValues]] = []
    endless = _endless(values)
    if endless.any():
        results.append(("infinite", _NewValues(int(endless.sum()), ())))
    outside = values[_is_outside(values, recipe, part)]
    if outside.size:
        low, high = _range(recipe, part)
        ends = dict.fromkeys([float(outside.min()), float(outside.max())])
        examples = tuple(f"{value:,.6g}" for value in ends)
        results.append(
            ("outside", _NewValues(outside.size, examples, f"{low:,.6g} to {high:,.6g}"))
        )
    return results


def _is_outside(values: FloatArray, recipe: Recipe, part: SavedPartition) -> BoolArray:
    low, high = _range(recipe, part)
    room = OUTSIDE * (high - low)
    with np.errstate(invalid="ignore"):
        is_outside = (values < low - room) | (values > high + room)
        is_outside |= (values < 0) & (low >= 0)
    return np.asarray(is_outside & ~_endless(values))


def _range(recipe: Recipe, part: SavedPartition) -> tuple[float, float]:
    then = part.reference.features.get(recipe.feature)
    if then is None or then.values.size == 0:
        return -np.inf, np.inf
    return float(then.values[0]), float(then.values[-1])


def _had_every_value(recipe: Recipe, part: SavedPartition) -> bool:
    then = part.reference.features.get(recipe.feature)
    return then is not None and int(then.counts[-1]) == 0


def _endless(values: FloatArray) -> BoolArray:
    return np.asarray(np.abs(np.where(np.isnan(values), 0.0, values)) > LARGEST)


def _words(column: str, kind: Kind, parts: list[_NewValues], total: int) -> str:
    rows = sum(part.rows for part in parts)
    examples = list(dict.fromkeys(e for part in parts for e in part.examples))[:MOST_EXAMPLES]
    shown = ", ".join(examples)
    of = f"{rows:,} of {total:,} rows"
    match kind:
        case "category":
            return f"{column}: {of} hold a category that the run never saw ({shown})"
        case "infinite":
            return f"{column}: {of} hold an infinite number"
        case "outside":
            instead = parts[0].instead
            return f"{column}: {of} lie outside the run's {instead} ({shown})"
        case "missing":
            if rows == total:
                return f"{column}: no row has a value; what the run filled in stands for it"
            return f"{column}: {of} have no value, which all rows of the run had"
