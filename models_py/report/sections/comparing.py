"""Segments side by side: how many, what they are worth, how they differ, how they resemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray
from models_py.base.plurals import many
from models_py.report.content import Figure, Section, Table
from models_py.report.drawing import tag
from models_py.report.facts import Facts, records
from models_py.base.numbers import count, share, signed
from models_py.report.sections.cards import spend_column, total_shares
from models_py.report.shape_charts import Bar, draw_bars, draw_grid, heat_style

if TYPE_CHECKING:
    import pandas as pd

MOST_FEATURES = 18
STRONG_Z = 1.5
"""Standard deviations from the mean that are drawn strongest."""


def sizes_section(facts: Facts) -> Section | None:
    """Return how many are in each segment, and what share of the spend is theirs."""
    if len(facts.segments) == 1:
        return None
    column = spend_column(facts) if not facts.is_partitioned else None
    worth = total_shares(facts, column) if column is not None else {}
    segments = records(facts.segments)
    longest = max([float(row["share"]) for row in segments] + list(worth.values()))
    bars = []
    for row in segments:
        segment_id, part = int(row["segment_id"]), float(row["share"])
        of_worth = None if segment_id in facts.withheld else worth.get(segment_id)
        bars.append(
            Bar(
                title=facts.title(segment_id),
                text=f"{share(part)} of {facts.things}",
                length=part / longest,
                colour=facts.colours[segment_id],
                second=None if of_worth is None else of_worth / longest,
                second_text=""
                if of_worth is None
                else f"{share(of_worth)} of {_money(facts, column)}",
            )
        )
    text = ", ".join(f"{facts.title(int(r['segment_id']))} {share(r['share'])}" for r in segments)
    table = Table(
        [
            "segment",
            facts.things,
            "share",
            *([f"share of {_money(facts, column)}"] if worth else []),
        ],
        [
            [
                facts.title(int(row["segment_id"])),
                count(row["size"]),
                share(row["share"]),
                *([share(worth.get(int(row["segment_id"]), np.nan))] if worth else []),
            ]
            for row in segments
        ],
    )
    figure = Figure(
        "sizes",
        "How large the segments are",
        draw_bars(bars, f"Share of the {facts.things}: {text}"),
        f"Share of the {facts.things}: {text}",
        note=f"The lighter bar is the segment's share of {_money(facts, column)}." if worth else "",
        table=table,
        is_wide=True,
    )
    left_out = [] if worth else ["No spend beside the sizes: the study has no such measure."]
    title = "Sizes and worth" if worth else "Sizes"
    return Section("sizes", title, figures=[figure], left_out=left_out)


def profile_section(facts: Facts) -> Section | None:
    """Return the heat maps of what each segment is like, one a partition."""
    if len(facts.segments) == 1:
        return None
    # A feature that numbers words has no mean; its words have shares.
    features = facts.table("segment_features").dropna(subset="population_mean")
    lead = [
        "One row a feature, one column a segment. The figure is the segment's mean; the shade"
        " says how far it lies from the mean of all, blue below and orange above."
    ]
    figures = []
    for partition, rows in features.groupby("partition", sort=True):
        figures.append(_profile_figure(facts, str(partition), rows))
    return Section("profiles", "What each is like", lead, figures=figures)


def resemblance_section(facts: Facts) -> Section | None:
    """Return how segments of different partitions resemble each other."""
    rows = facts.table("partition_resemblance")
    if not facts.is_partitioned or rows.empty:
        return None
    ids = [int(i) for i in facts.segments["segment_id"] if int(i) not in facts.withheld]
    wide = rows.pivot_table(
        index="segment_id", columns="other_segment_id", values="correlation", dropna=False
    )
    values = wide.reindex(index=ids, columns=ids).to_numpy(dtype=np.float64)
    titles = [f"{facts.partitions[segment_id]}: {facts.names[segment_id]}" for segment_id in ids]
    most_alike = _most_alike(values, titles, [facts.partitions[segment_id] for segment_id in ids])
    alternative = f"Correlation of {len(ids)} segments with each other. {most_alike}"
    figure = Figure(
        "resemblance",
        f"Segments of different {many(facts.partition_words)} that resemble each other",
        draw_grid(values, titles, alternative),
        alternative,
        note="Orange: they differ from their own group in the same way. Blue: in the opposite way.",
        is_wide=True,
    )
    lead = [
        f"Every {facts.partition_words} has segments of its own. Two of them resemble each other"
        f" where they differ in the same features from the rest of their {facts.partition_words};"
        " such segments can be spoken to alike.",
        most_alike,
    ]
    compared = facts.tables.get("partition_comparison")
    if compared is not None and not compared.empty:
        lead.insert(0, f"{compared['sentence'].iloc[0]}.")
    return Section("resemblance", "Which segments resemble each other", lead, figures=[figure])


def _profile_figure(facts: Facts, partition: str, rows: pd.DataFrame) -> Figure:
    model = rows[rows["is_model_feature"].astype(bool)]
    order = model.groupby("feature")["importance"].max().sort_values(ascending=False)
    kept = [str(name) for name in order.head(MOST_FEATURES).index]
    others = rows[~rows["is_model_feature"].astype(bool)]
    extra = others.groupby("feature")["importance"].max().sort_values(ascending=False)
    kept += [str(name) for name in extra.head(max(0, MOST_FEATURES - len(kept))).index]
    ids = [
        int(i)
        for i in facts.segments.loc[facts.segments["partition"] == partition, "segment_id"]
        if int(i) not in facts.withheld
    ]
    cells = {(str(r["feature"]), int(r["segment_id"])): r for r in records(rows)}
    body = []
    for feature in kept:
        texts = [_heat_cell(facts, cells.get((feature, segment_id))) for segment_id in ids]
        everybody = next(
            (
                cells[feature, segment_id]["population_mean"]
                for segment_id in ids
                if (feature, segment_id) in cells
            ),
            np.nan,
        )
        body.append(
            tag(
                "tr",
                tag("th", _row_title(facts, feature), scope="row"),
                *texts,
                tag("td", _short(facts, feature, everybody), class_="everybody"),
            )
        )
    alternative = _profile_words(model, facts)
    drawn = tag(
        "div",
        tag(
            "table",
            tag("caption", alternative, class_="unseen"),
            segments_head(facts, ids),
            tag("tbody", *body),
            class_="heat",
        ),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label="Profile heat map; scrolls sideways on a narrow screen",
    )
    heading = "Profiles" if not facts.is_partitioned else f"{facts.partition_words} {partition}"
    key = "profile" if not facts.is_partitioned else f"profile-{_slug(partition)}"
    note = (
        f"The {len(kept)} features that differ most between segments, features of the search"
        " first; results.segment_features has all."
    )
    return Figure(key, heading, Markup(drawn), alternative, note=note, is_wide=True)


def _heat_cell(facts: Facts, row: dict[str, object] | None) -> Markup:
    if row is None:
        return tag("td", "")
    feature, mean, z = str(row["feature"]), row["mean"], row["z"]
    value = float("nan") if mean is None else float(str(mean))
    distance = 0.0 if z is None else float(str(z))
    kind, style = heat_style(distance, STRONG_Z)
    tip = f"{facts.called(feature)}: {signed(distance)} standard deviations from the mean"
    return tag(
        "td",
        _short(facts, feature, value),
        class_=f"cell {kind}",
        style=style,
        data_of=row["segment_id"],
        data_z=f"{distance:.2f}",
        data_tip=tip,
    )


def segments_head(facts: Facts, ids: Sequence[int]) -> Markup:
    """Return the head of a table with a column a segment, and one for all."""
    heads = [
        tag(
            "th",
            tag("span", str(segment_id), class_=f"chip s{facts.colours[segment_id]}"),
            scope="col",
            data_of=segment_id,
            data_tip=facts.title(segment_id),
        )
        for segment_id in ids
    ]
    return tag("thead", tag("tr", tag("td", ""), *heads, tag("th", "all", scope="col")))


def _row_title(facts: Facts, feature: str) -> str:
    unit = facts.speech.vocabulary.unit(feature)
    has_unit = bool(unit) and facts.value(feature, 2.0).endswith(unit)
    return f"{facts.called(feature)},{unit}" if has_unit else facts.called(feature)


def _short(facts: Facts, feature: str, value: float) -> str:
    return facts.value(feature, value).removesuffix(facts.speech.vocabulary.unit(feature))


def _profile_words(rows: pd.DataFrame, facts: Facts) -> str:
    sentences = []
    for segment_id, own in rows.groupby("segment_id"):
        strongest = own.sort_values("z", key=abs).iloc[-1]
        feature, side = str(strongest["feature"]), "high" if strongest["z"] > 0 else "low"
        if facts.speech.kinds.get(feature) != "number":
            side = "more often" if strongest["z"] > 0 else "less often"
        sentences.append(f"segment {segment_id}: {side} {facts.speech.vocabulary.called(feature)}")
    return f"Profile heat map of {facts.run.study}. {'; '.join(sentences)}"


def _most_alike(values: FloatArray, titles: list[str], partitions: list[str]) -> str:
    named = np.array(partitions)
    apart = np.where(named[:, None] == named[None, :], np.nan, values)
    if not np.isfinite(apart).any():
        return ""
    row, column = np.unravel_index(int(np.nanargmax(apart)), apart.shape)
    return (
        f"Most alike are {titles[row]} and {titles[column]}"
        f" (correlation {values[row, column]:.2f})."
    )


def _money(facts: Facts, column: str | None) -> str:
    return "" if column is None else f"all {facts.called(column)}"


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower())
