"""Segments beside a label that is known of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from models_py.report.content import Figure, Section
from models_py.report.drawing import tag
from models_py.report.facts import Facts, number, records
from models_py.base.numbers import plain, share
from models_py.report.shape_charts import heat_style

if TYPE_CHECKING:
    import pandas as pd

MOST_LABELS = 12


def labelling_section(facts: Facts) -> Section | None:
    """Return how the segments go with the study's label; None where it has none."""
    agreement = facts.tables["label_agreement"]
    labels = facts.table("segment_labels")
    if agreement.empty or labels.empty:
        return None
    lead = [_agreement_words(facts, row) for row in records(agreement)]
    column = str(agreement["label_column"].iloc[0])
    name = facts.called(column)
    return Section(
        "labels",
        f"Beside what is known: {name}",
        ["The search did not see this column; here is what the segments have of it.", *lead],
        figures=[_figure(facts, labels, column)],
    )


def _agreement_words(facts: Facts, row: dict[str, object]) -> str:
    of = f"{row['partition']}: " if facts.is_partitioned else ""
    text = (
        f"{of}calling every segment by its commonest label is right for"
        f" {share(number(row, 'purity'))} of the {facts.things}; the commonest label of all would"
        f" be right for {share(number(row, 'majority_share'))}. Adjusted Rand index"
        f" {plain(number(row, 'adjusted_rand'))} (1: the same groups, 0: chance)."
    )
    if row.get("supervised_accuracy") is not None:
        text += (
            f" A model that is given the labels reaches"
            f" {share(number(row, 'supervised_accuracy'))} on rows that it had not seen."
        )
    return text[:1].upper() + text[1:]


def _figure(facts: Facts, labels: pd.DataFrame, column: str) -> Figure:
    name = facts.called(column)
    totals = labels.groupby("label")["entities"].sum().sort_values(ascending=False)
    shown = [str(label) for label in totals.index[:MOST_LABELS]]
    parts = {(int(row["segment_id"]), str(row["label"])): row for row in records(labels)}
    body, result = [], []
    for segment_id in dict.fromkeys(int(item) for item in facts.segments["segment_id"]):
        own = [parts.get((segment_id, label)) for label in shown]
        if not any(own):
            continue
        body.append(
            tag(
                "tr",
                tag("th", facts.title(segment_id), scope="row"),
                *[_cell(row) for row in own],
            )
        )
        most = max((row for row in own if row), key=lambda row: number(row, "share"))
        said = facts.word(column, str(most["label"]))
        result.append(f"{facts.title(segment_id)}: {said} {share(number(most, 'share'))}")
    alternative = f"Share of each {name} in each segment. {'; '.join(result)}."
    drawn = tag(
        "div",
        tag(
            "table",
            tag("caption", alternative, class_="unseen"),
            tag(
                "thead",
                tag(
                    "tr",
                    tag("td", ""),
                    *[tag("th", facts.word(column, label), scope="col") for label in shown],
                ),
            ),
            tag("tbody", *body),
            class_="heat",
        ),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=f"Shares of {name}; scrolls sideways on a narrow screen",
    )
    more = len(totals) - len(shown)
    return Figure(
        "labels",
        f"{name} by segment",
        Markup(drawn),
        alternative,
        note="Share of the segment's rows with a known label."
        + (f" {more} rarer labels are not shown." if more > 0 else ""),
        is_wide=True,
    )


def _cell(row: dict[str, object] | None) -> Markup:
    part = 0.0 if row is None else number(row, "share")
    kind, style = heat_style(part, 1.0)
    return tag("td", share(part), class_=f"cell {kind}", style=style)
