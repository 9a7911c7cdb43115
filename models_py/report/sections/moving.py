"""Who is likely to be in another segment at the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.base.numbers import count, plain, share
from models_py.base.plurals import plural
from models_py.report.content import Figure, Section, Table
from models_py.report.facts import Facts, records
from models_py.report.shape_charts import Bar, draw_bars

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Who is likely to move next"
BY_CHANCE = 0.55
"""Up to this area under the curve a forecast is little better than chance."""


def moving_section(facts: Facts) -> Section | None:
    """Return how many of each segment are likely to leave it; None where nobody asked."""
    made = facts.tables["move_forecasts"]
    if made.empty:
        return None
    forecast = records(made)[0]
    if forecast["refused"] is not None:
        why = f"Who is likely to move next is not known: {forecast['refused']}."
        return Section("moves", TITLE, left_out=[why])
    is_weak = forecast["auc"] <= BY_CHANCE
    lead = [
        f"Learned from {plural(forecast['transitions'], 'step')} from run to run, in which"
        f" {share(forecast['moved_share'])} changed segment. Tried on the newest step by what was"
        f" known before it, on {count(forecast['auc_rows'])} {facts.things}: AUC"
        f" {plain(forecast['auc'])}, where 0.5 is chance and 1 is certainty."
        + (" That is little better than chance: do not act on it." if is_weak else ""),
        f"Each of the {facts.things} has a likelihood in results.likely_moves; the likeliest are"
        f" asked with python scripts/run_sql.py likely_moves --study {facts.study.name}.",
    ]
    return Section("moves", TITLE, lead, figures=[_figure(facts, facts.table("likely_moves"))])


def _figure(facts: Facts, rows: pd.DataFrame) -> Figure:
    by_segment = rows.groupby("segment_id")["likelihood"].agg(["mean", "size"]).reset_index()
    means = records(by_segment.sort_values("mean", ascending=False))
    longest = max(float(by_segment["mean"].max()), 1e-9)
    bars, cells = [], []
    for row in means:
        segment_id, mean, size = int(row["segment_id"]), float(row["mean"]), int(row["size"])
        title, text = facts.title(segment_id), share(mean)
        bars.append(Bar(title, text, mean / longest, facts.colours[segment_id]))
        cells.append([title, count(size), text, count(mean * size)])
    said = "; ".join(f"{bar.title} {bar.text}" for bar in bars)
    alternative = f"Mean likelihood of another segment at the next run: {said}."
    return Figure(
        "likely-moves",
        "Likely to be in another segment at the next run",
        draw_bars(bars, alternative),
        alternative,
        note=f"The mean over the {facts.things} of a segment.",
        table=Table(["segment", facts.things, "likely to move", "expected to move"], cells),
    )
