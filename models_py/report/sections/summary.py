"""The first screen: the answer in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.plurals import plural
from models_py.describe.withholding import TOGETHER
from models_py.report.content import Card, Summary, Tile
from models_py.report.drawing import tag
from models_py.report.facts import Facts, is_given, records
from models_py.base.numbers import listed, plain, share
from models_py.report.sections.cards import spend_column, total_shares
from models_py.report.sections.overview import (
    compare_segments,
    outcome_sentence,
    strongest_action,
)
from models_py.report.shape_charts import draw_share_bar
from models_py.segmentation.measures.stability import UNSTABLE_BELOW

if TYPE_CHECKING:
    from markupsafe import Markup

CLEAR, FAIR = 0.5, 0.25
"""Mean silhouettes from which groups are clear, and fairly clear (Kaufman, Rousseeuw 1990)."""


def summarise(facts: Facts, cards: list[Card]) -> Summary:
    """Return the first screen of a run.

    Parameters
    ----------
    facts
        The run.
    cards
        Its segments.
    """
    bar = _bar(facts)
    return Summary(
        sentences=[
            sentence
            for sentence in (
                _what(facts),
                outcome_sentence(facts) or _worth(facts),
                _trust(facts),
                _moved(facts),
            )
            if sentence
        ],
        tiles=_tiles(facts),
        bar=bar,
        comparison=compare_segments(facts, cards),
        strongest=strongest_action(_by_worth(facts, cards)),
    )


def _by_worth(facts: Facts, cards: list[Card]) -> list[Card]:
    column = spend_column(facts)
    worth = {} if column is None else total_shares(facts, column)
    return sorted(cards, key=lambda card: (not _has_label(card), -worth.get(card.segment_id, 0.0)))


def _has_label(card: Card) -> bool:
    return any(advice.action == "label frequent" for advice in card.advice)


def mean_silhouette(facts: Facts) -> float:
    """Return the mean silhouette of all rows, nan where it was not measured."""
    known = facts.tables["assignments"]["silhouette"].dropna()
    return float(known.mean()) if len(known) else float("nan")


def moved_share(facts: Facts) -> float:
    """Return which part of those in both runs changed segment; nan without a run before.

    Who was and is in segments that are not described cannot be kept apart and is not counted.
    """
    moves = facts.tables["migrations"].dropna(subset=["from_segment_id", "to_segment_id"])
    moves = moves[(moves["from_segment_id"] != TOGETHER) | (moves["to_segment_id"] != TOGETHER)]
    total = moves["entities"].sum()
    if not total:
        return float("nan")
    stayed = moves.loc[moves["from_segment_id"] == moves["to_segment_id"], "entities"].sum()
    return float(1.0 - stayed / total)


def _what(facts: Facts) -> str:
    segments, things = facts.segments, facts.things
    rows = f"{facts.run.rows_read:,} {things}"
    if facts.is_partitioned:
        parts = segments["partition"].nunique()
        return (
            f"{rows} were looked at within {plural(parts, 'group')} by {facts.partition_words};"
            f" together they fall into {plural(len(segments), 'segment')}."
        )
    if len(segments) == 1:
        return f"{rows} form one group: no split of them is clearer than none."
    ordered = segments.sort_values("size", ascending=False)
    largest, smallest = ordered.iloc[0], ordered.iloc[-1]
    return (
        f"{rows} fall into {len(segments)} segments. The largest, {_name(facts, largest)},"
        f" holds {share(largest['share'])} of them; the smallest, {_name(facts, smallest)},"
        f" {share(smallest['share'])}."
    )


def _worth(facts: Facts) -> str:
    column = spend_column(facts)
    if column is None or facts.is_partitioned:
        return ""
    worth = total_shares(facts, column)
    sizes = facts.segments.set_index("segment_id")["share"]
    named = [segment_id for segment_id in worth if segment_id not in facts.withheld]
    if not named:
        return ""
    richest = max(named, key=lambda row: worth[row] / sizes[row])
    name = facts.names[richest]
    return (
        f"{_quoted(name[:1].upper() + name[1:])} is worth most per head:"
        f" {share(float(sizes[richest]))} of the {facts.things}, {share(worth[richest])} of"
        f" all {facts.called(column)}."
    )


def _trust(facts: Facts) -> str:
    segments = facts.segments
    if len(segments) == 1:
        return ""
    measured = segments[segments["stability"].notna()]
    shaky = [_name(facts, row) for row in records(measured) if not row["is_stable"]]
    if measured.empty:
        return "How far the segments come back in a repeat was not measured."
    if len(shaky) > 3:
        text = (
            f"{len(shaky)} of {len(measured)} segments did not come back and are marked unstable."
        )
    elif shaky:
        text = f"{listed(shaky)} did not come back: too unstable to be acted on alone."
    else:
        every = "Both" if len(measured) == 2 else f"All {len(measured)}"
        return (
            f"{every} segments came back when the search was repeated on random parts of the"
            f" data.{_borders(facts)}"
        )
    return f"When the search was repeated on random parts of the data, {text}{_borders(facts)}"


def _borders(facts: Facts) -> str:
    silhouette = mean_silhouette(facts)
    if np.isnan(silhouette):
        return ""
    if silhouette >= CLEAR:
        return " They are clearly apart."
    if silhouette >= FAIR:
        return " They are fairly well apart, with some overlap at their borders."
    return (
        f" Their borders are soft: many {facts.things} stand between two segments, so read them"
        " as tendencies rather than as types."
    )


def _moved(facts: Facts) -> str:
    moved = moved_share(facts)
    if np.isnan(moved):
        return ""
    part = share(moved) if moved else "none"
    return f"Since the run before, {part} of the {facts.things} changed segment."


def _tiles(facts: Facts) -> list[Tile]:
    segments = facts.segments
    tiles = [
        Tile(f"{facts.run.rows_read:,}", facts.things),
        Tile(str(len(segments)), "segment" if len(segments) == 1 else "segments"),
    ]
    if segments["stability"].notna().any():
        lowest = float(segments["stability"].min())
        steady = int((segments["stability"] >= UNSTABLE_BELOW).sum())
        tiles.append(
            Tile(
                f"{steady} of {len(segments)}",
                "come back whole in repeats"
                if plain(lowest) == "1"
                else f"come back in repeats (weakest {plain(lowest)} of 1)",
            )
        )
    explained = facts.tables["surrogates"]
    if is_given(explained, "accuracy"):
        right = float(explained["accuracy"].mean())
        words = f"of the {facts.things} are placed alike by a model that never saw them"
        tiles.append(Tile(share(right), words))
    moved = moved_share(facts)
    if not np.isnan(moved):
        tiles.append(Tile(share(moved), "changed segment since the run before"))
    return tiles


def _bar(facts: Facts) -> Markup:
    if facts.is_partitioned:
        sizes = facts.segments.groupby("partition")["share"].sum()
        parts = [
            (str(name), place % 12 + 1, float(part))
            for place, (name, part) in enumerate(sizes.items())
        ]
    else:
        parts = [
            (str(row["segment_id"]), facts.colours[int(row["segment_id"])], float(row["share"]))
            for row in records(facts.segments)
        ]
    text = ", ".join(f"{mark} {share(part)}" for mark, _, part in parts)
    what = facts.partition_words if facts.is_partitioned else "segment"
    alternative = f"Share of the {facts.things} by {what}: {text}"
    return tag("div", draw_share_bar(parts, alternative))


def _name(facts: Facts, row: Any) -> str:
    return _quoted(facts.names[int(row["segment_id"])])


def _quoted(name: object) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"
