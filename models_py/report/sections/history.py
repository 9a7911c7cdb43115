"""What became of the segments since the study's first run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.numbers import UNKNOWN, count, day, listed, share
from models_py.base.plurals import plural
from models_py.report.content import Figure, Section, Table
from models_py.report.facts import Facts, records
from models_py.report.line_charts import Curve, draw_curves

if TYPE_CHECKING:
    import pandas as pd

EVENTS = {"born": "born", "split": "split off", "merged": "merged away", "died": "gone"}
"""What a segment met with, as a reader says it."""
MOST_RUNS = 12
NOT_DESCRIBED = "segment not described"


def history_section(facts: Facts) -> Section | None:
    """Return which segments were born, split, merged or died, and their sizes; None of one run."""
    rows = facts.history
    if rows.empty or rows["number"].nunique() < 2:
        return None
    shown = rows[rows["number"].isin(sorted(rows["number"].unique())[-MOST_RUNS:])]
    first = rows["number"].min()
    met = rows[(rows["number"] > first) & (rows["event"] != "continued")]
    path = f"python scripts/run_sql.py customer_path --study {facts.study.name}"
    lead = [
        _lead(rows, met),
        f"The way of one of the {facts.things} through them is asked with {path} --param"
        " entity_id=ID.",
    ]
    tables = [("What became of segments", _table(facts, met))] if len(met) else []
    return Section(
        "history", "The segments' history", lead, figures=[_sizes(facts, shown)], tables=tables
    )


def _lead(rows: pd.DataFrame, met: pd.DataFrame) -> str:
    runs = rows.drop_duplicates("number")
    counts = met["event"].value_counts()
    events = [f"{counts[event]} {words}" for event, words in EVENTS.items() if event in counts]
    since = day(runs["started_at"].iloc[0])
    what = f"{listed(events)}." if events else "no segment was born, split, merged or lost."
    return f"{plural(len(runs), 'run')} since {since}: {what}"


def _table(facts: Facts, met: pd.DataFrame) -> Table:
    newest_first = met.sort_values(["number", "segment_id"], ascending=[False, True])
    rows = [
        [
            f"{day(row['started_at'])} (run {row['number']})",
            _name(facts, row),
            _event(row),
            _size(row["size_before"]),
            _size(row["size"]),
        ]
        for row in records(newest_first)
    ]
    return Table(
        ["run", "segment", "what became of it", f"{facts.things} before", facts.things],
        rows,
        frozenset({0, 1, 2}),
    )


def _event(row: dict[str, Any]) -> str:
    event, other = str(row["event"]), row["other_segment_id"]
    if other is None:
        return EVENTS[event]
    direction = "of it came from" if event == "split" else "of it went into"
    return f"{EVENTS[event]}: {share(row['other_share'])} {direction} segment {int(other)}"


def _size(value: float | None) -> str:
    return UNKNOWN if value is None else count(value)


def _name(facts: Facts, row: dict[str, Any]) -> str:
    size = row["size"] if row["size"] is not None else row["size_before"]
    is_held = bool(row["is_withheld"]) or size < facts.least
    return f"{row['segment_id']} {NOT_DESCRIBED if is_held else row['name']}"


def _sizes(facts: Facts, rows: pd.DataFrame) -> Figure:
    """Return how many were in each segment, run after run."""
    there = rows[rows["size"].notna()]
    numbers = sorted(there["number"].unique())
    newest = there.sort_values("number").drop_duplicates("segment_id", keep="last")
    curves, cells = [], []
    for last in records(newest.sort_values("segment_id")):
        own = there[there["segment_id"] == last["segment_id"]].sort_values("number")
        sizes = dict(zip(own["number"], own["size"], strict=True))
        name = _name(facts, last)
        xs = own["number"].to_numpy(dtype=np.float64)
        curves.append(Curve(name, xs, own["size"].to_numpy(dtype=np.float64)))
        cells.append([name, *(_size(sizes.get(number)) for number in numbers)])
    alternative = (
        f"How many {facts.things} were in each segment in {plural(len(numbers), 'run')};"
        " the figures are in the table."
    )
    return Figure(
        "segment-history",
        "Sizes, run after run",
        draw_curves(curves, "run", facts.things, alternative, whole_x=True, x_name="run"),
        alternative,
        note="A segment keeps its number from run to run; a line begins where it was born and"
        " ends where it was lost.",
        table=Table(["segment", *(f"run {number}" for number in numbers)], cells),
        is_wide=True,
    )
