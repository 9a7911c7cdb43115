"""Whether the segments foretell the next period, beside simpler groupings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.report.content import Figure, Section, Table
from models_py.report.facts import Facts, number, records
from models_py.base.numbers import count, listed, plain, share
from models_py.report.shape_charts import Bar, draw_bars

if TYPE_CHECKING:
    import pandas as pd

GROUPINGS = {
    "segments": "these segments",
    "rfm": "RFM quintiles",
    "rfm_score": "RFM score",
    "kmeans": "plain k-means",
}
MEASURES = {"eta_squared": "share of variance explained", "auc": "AUC"}
CHANCE = {"auc": 0.5}


def usefulness_section(facts: Facts) -> Section:
    """Return how well the segments of the past foretell what came next."""
    rows = facts.tables["validity"]
    rows = rows[rows["value"].notna()]
    title = "Do they help to foretell?"
    if rows.empty:
        why = (
            "Not measured: results.validity has no rows of this run. Whether segments found on the"
            " first part of the period explain the next is asked with python"
            f" scripts/check_validity.py --study {facts.run.study}; then python"
            f" scripts/write_report.py {facts.run.run_id} shows it here."
        )
        return Section("validity", title, left_out=[why])
    split = records(rows)[0].get("split_on")
    lead = [
        f"The same recipe was run on what was known before {str(split)[:10]}; then the segments"
        " were asked to explain what came after it. A grouping that explains nothing scores 0%"
        " of the variance, or an AUC of 0.5.",
        _verdict(rows),
    ]
    figures = [
        _figure(facts, str(keys[0]), str(keys[1]), part)
        for keys, part in rows.groupby(["outcome", "measure"], sort=False)
    ]
    return Section("validity", title, [text for text in lead if text], figures=figures)


def _figure(facts: Facts, outcome: str, measure: str, rows: pd.DataFrame) -> Figure:
    by_grouping = rows.groupby("grouping")
    means = by_grouping["value"].mean()
    order = [name for name in GROUPINGS if name in means.index]
    order += [str(name) for name in means.index if name not in GROUPINGS]
    floor = CHANCE.get(measure, 0.0)
    longest = max(float((means - floor).max()), 1e-9)
    groups = by_grouping["groups"].max()
    bars = [
        Bar(
            f"{GROUPINGS.get(name, name)} ({int(groups[name])} groups)",
            _figure_text(measure, float(means[name])),
            (float(means[name]) - floor) / longest,
            1 if name == "segments" else 13,
        )
        for name in order
    ]
    what = f"{outcome.replace('_', ' ')}, {MEASURES.get(measure, measure)}"
    text = "; ".join(f"{bar.title} {bar.text}" for bar in bars)
    alternative = f"Next period's {what}: {text}."
    seen = count(max(number(row, "rows") for row in records(rows)))
    return Figure(
        f"validity-{outcome}-{measure}".replace("_", "-").replace(" ", "-"),
        f"Next period's {what}",
        draw_bars(bars, alternative),
        alternative,
        note=f"{seen} {facts.things}.",
        table=Table(["grouping", "value"], [[bar.title, bar.text] for bar in bars]),
    )


def _verdict(rows: pd.DataFrame) -> str:
    values = rows.groupby(["outcome", "measure", "grouping"])["value"].mean().unstack()
    if "segments" not in values:
        return ""
    sentences = []
    for name in [str(column) for column in values.columns if column != "segments"]:
        both = values[["segments", name]].dropna()
        wins = int((both["segments"] > both[name]).sum())
        sentences.append(
            f"more than {GROUPINGS.get(name, name)} for {wins} of {len(both)} outcomes"
        )
    return f"These segments explain {listed(sentences)}." if sentences else ""


def _figure_text(measure: str, value: float) -> str:
    return plain(value) if measure == "auc" else share(value)
