"""What tells the segments apart: the surrogate, its SHAP values, the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models_py.database import examples
from models_py.report.content import Code, Figure, Section, Table
from models_py.report.facts import Facts, is_given, number, records
from models_py.report.map_charts import Swarm, draw_swarms, swarm_words
from models_py.base.numbers import count, listed, plain, share
from models_py.report.shape_charts import Bar, draw_bars

if TYPE_CHECKING:
    import pandas as pd

MOST_FEATURES = 12
SWARM_FEATURES = 6
SWARM_ROWS = 160
MOST_SWARMS = 12


def explaining_section(facts: Facts) -> Section:
    """Return what a model learnt about which features decide, and the rules."""
    figures: list[Figure] = []
    left_out: list[str] = []
    lead = []
    surrogates = facts.tables["surrogates"]
    if is_given(surrogates, "f1_weighted", "accuracy"):
        lead.append(_surrogate_words(facts, surrogates))
    else:
        left_out.append(
            "No surrogate: results.surrogates has no rows of this run (it needs the extra"
            " 'report': pip install -c constraints.txt -e '.[report]')."
        )
    if is_given(surrogates, "text_comparison"):
        lead += [f"{text}." for text in surrogates["text_comparison"].dropna()]
    features = facts.table("segment_features")
    if is_given(features, "shap"):
        figures.append(_importance(facts, features))
    else:
        left_out.append("No SHAP bars: results.segment_features has no SHAP values of this run.")
    samples = facts.table("shap_samples")
    if samples.empty:
        left_out.append("No beeswarms: results.shap_samples has no rows of this run.")
    else:
        figures += _swarms(facts, samples)
    tables, code = _rules(facts)
    return Section(
        "explained",
        "What tells them apart",
        lead,
        figures=figures,
        tables=tables,
        code=code,
        left_out=left_out,
    )


def _surrogate_words(facts: Facts, surrogates: pd.DataFrame) -> str:
    row = records(surrogates)[0]
    score = float(surrogates["f1_weighted"].mean())
    right = float(surrogates["accuracy"].mean())
    sampled = number(row, "shap_rows")
    text = (
        f"A model that only sees the features gives {share(right)} of the {facts.things} their"
        f" segment back (weighted F1 {score:.2f}, measured on rows that it had not seen:"
        f" {int(row['folds'])} folds, {count(row['rows'])} rows). What it looks at is shown here."
    )
    if not np.isnan(sampled):
        text += f" The figures come from {count(sampled)} {facts.things}, drawn at random."
    return text


def _importance(facts: Facts, features: pd.DataFrame) -> Figure:
    model = features[features["is_model_feature"].astype(bool) & features["shap"].notna()]
    means = model.groupby("feature")["shap"].mean().sort_values(ascending=False)
    means = means.head(MOST_FEATURES)
    longest = float(means.max()) or 1.0
    bars = [
        Bar(facts.called(name), plain(float(value)), float(value) / longest)
        for name, value in means.items()
    ]
    first = listed([facts.called(name) for name in means.index[:3]])
    alternative = f"How much each feature decides, mean absolute SHAP value. Most: {first}."
    table = Table(
        ["feature", "mean absolute SHAP value"],
        [[facts.called(name), plain(float(value))] for name, value in means.items()],
    )
    return Figure(
        "shap",
        "Which features decide",
        draw_bars(bars, alternative),
        alternative,
        note="Mean absolute SHAP value over all segments, in log odds: how far a feature moves"
        " the model's answer.",
        table=table,
        is_wide=True,
    )


def _swarms(facts: Facts, samples: pd.DataFrame) -> list[Figure]:
    figures: list[Figure] = []
    for segment_id in [int(i) for i in facts.segments["segment_id"]]:
        own = samples[samples["segment_id"] == segment_id]
        if own.empty or segment_id in facts.withheld or len(figures) == MOST_SWARMS:
            continue
        figures.append(_swarm(facts, segment_id, own))
    return figures


def _swarm(facts: Facts, segment_id: int, own: pd.DataFrame) -> Figure:
    strength = own.groupby("feature")["shap"].apply(lambda shap: shap.abs().mean())
    names = strength.sort_values(ascending=False).head(SWARM_FEATURES).index
    swarms = []
    for name in names:
        rows = own[own["feature"] == name].sort_values("sample").head(SWARM_ROWS)
        values = rows["value"].to_numpy(dtype=np.float64, na_value=np.nan)
        shifts = rows["shap"].to_numpy(dtype=np.float64)
        middle = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
        values = np.nan_to_num(values, nan=middle)
        swarms.append(Swarm(facts.called(name), shifts, values))
    text = "; ".join(swarm_words(swarm) for swarm in swarms[:3])
    alternative = f"Beeswarm of SHAP values towards segment {facts.title(segment_id)}. {text}."
    drawing = draw_swarms(
        swarms,
        "\N{LEFTWARDS ARROW} speaks against",
        "speaks for \N{RIGHTWARDS ARROW}",
        alternative,
    )
    note = (
        f"One point for each of {swarms[0].shifts.size} sampled {facts.things}; blue: a low value"
        " of the feature, orange: a high one."
    )
    title = f"Who is in {facts.title(segment_id)}"
    return Figure(f"swarm-{segment_id}", title, drawing, alternative, note=note)


def _rules(facts: Facts) -> tuple[list[tuple[str, Table]], list[Code]]:
    result = facts.segments[~facts.segments["segment_id"].isin(facts.withheld)]
    tables, code = [], []
    if is_given(result, "rule_text"):
        rows = [
            [
                facts.title(int(row["segment_id"])),
                str(row["rule_text"] or "no rule"),
                share(number(row, "rule_precision")),
                share(number(row, "rule_recall")),
                plain(number(row, "rule_lift")),
            ]
            for row in records(result)
        ]
        head = ["segment", "rule", "precision", "recall", "lift"]
        tables.append(("A rule for each segment", Table(head, rows, frozenset({0, 1}))))
    for row in records(facts.tables["rule_sets"]):
        of = f" of {row['partition']}" if facts.is_partitioned else ""
        title = (
            f"All rules{of} as SQL: gives {share(row['accuracy'])} of the rows the segment that"
            " the run gave"
        )
        run = facts.run
        statement = examples.labelled_rows(run.source_table, run.entity_column, row["case_sql"])
        code.append(Code(title, statement))
    return tables, code
