"""How the values of each segment are spread: a box a segment, for the features that differ most."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from models_py.report.content import Figure, Section, Table
from models_py.report.drawing import WIDTH, Frame, drawing, joined, label, tag, tick_text, ticks
from models_py.report.facts import Facts, is_given, known_numbers, records

MOST_FEATURES = 6
FEWEST_FOR_ENDS = 100
"""Members from which on the outer twentieths are drawn: of fewer they would be single values."""

ENDS = (0.05, 0.95)
ROW, TOP, BOTTOM, LEFT = 26.0, 10.0, 26.0, 40.0


def distributions_section(facts: Facts) -> Section | None:
    """Return the quartiles of the strongest features by segment, and their outer twentieths."""
    rows = facts.table("segment_features")
    if not is_given(rows, "lower_quartile", "upper_quartile", "median"):
        return None
    rows = rows[rows["is_model_feature"].astype(bool)].dropna(subset="median")
    numbers = [name for name, kind in facts.speech.kinds.items() if kind == "number"]
    drawn = rows[rows["feature"].isin(facts.gold.columns.intersection(numbers))]
    if drawn.empty:
        return None
    strongest = drawn.groupby("feature")["importance"].max().sort_values(ascending=False)
    figures = [
        _figure(facts, str(name), records(drawn[drawn["feature"] == name]))
        for name in strongest.head(MOST_FEATURES).index
    ]
    lead = [
        "A box holds the middle half of a segment and its line the median; nine tenths of the"
        f" segment lie between the ends, drawn from {FEWEST_FOR_ENDS} members on."
    ]
    return Section("distributions", "How they are spread", lead, figures=figures)


def _figure(facts: Facts, feature: str, rows: list[dict[str, object]]) -> Figure:
    order = [int(i) for i in facts.segments["segment_id"]]
    rows = sorted(rows, key=lambda row: order.index(int(str(row["segment_id"]))))
    boxes = {int(str(row["segment_id"])): _box(facts, feature, row) for row in rows}
    low = min(box[0] for box in boxes.values())
    high = max(box[4] for box in boxes.values())
    room = (high - low) * 0.03 or 1.0
    height = TOP + ROW * len(boxes) + BOTTOM
    frame = Frame(height, (low - room, high + room), (0.0, 1.0), LEFT, TOP, 14.0, BOTTOM)
    parts = [_grid(facts, feature, frame)]
    for place, (segment_id, box) in enumerate(boxes.items()):
        parts.append(_drawn(facts, feature, segment_id, box, frame, TOP + ROW * (place + 0.5)))
    said = "; ".join(
        f"segment {segment_id}: {facts.value(feature, box[1])} to {facts.value(feature, box[3])}"
        for segment_id, box in boxes.items()
    )
    alternative = f"The middle half of {facts.called(feature)}. {said}"
    table = Table(
        ["segment", "lower quartile", "median", "upper quartile"],
        [
            [facts.title(segment_id), *(facts.value(feature, value) for value in box[1:4])]
            for segment_id, box in boxes.items()
        ],
    )
    key = f"spread-{feature}"
    whole = drawing(height, alternative, *parts)
    return Figure(key, facts.called(feature), whole, alternative, table=table)


def _box(facts: Facts, feature: str, row: dict[str, object]) -> tuple[float, ...]:
    lower, median, upper = (
        float(str(row[name])) for name in ("lower_quartile", "median", "upper_quartile")
    )
    own = facts.gold.loc[facts.gold["_segment_id"] == row["segment_id"], feature]
    known = known_numbers(own)
    if known.size < FEWEST_FOR_ENDS:
        return lower, lower, median, upper, upper
    low, high = np.quantile(known, ENDS)
    # Gold may have changed since the run: the ends never lie within the box.
    return min(float(low), lower), lower, median, upper, max(float(high), upper)


def _grid(facts: Facts, feature: str, frame: Frame) -> Markup:
    is_part = facts.value(feature, 0.5).endswith("%")
    foot = frame.height - frame.bottom
    return joined(
        joined(
            [
                tag("line", x1=frame.x(v), x2=frame.x(v), y1=frame.top, y2=foot, class_="grid"),
                label(frame.x(v), foot + 18, tick_text(v, is_part), "t middle"),
            ]
        )
        for v in ticks(*frame.x_range)
        if LEFT <= frame.x(v) <= WIDTH - 14
    )


def _drawn(
    facts: Facts, feature: str, segment_id: int, box: tuple[float, ...], frame: Frame, y: float
) -> Markup:
    low, lower, median, upper, high = (frame.x(value) for value in box)
    tip = (
        f"{facts.title(segment_id)}: median {facts.value(feature, box[2])},"
        f" half of them {facts.value(feature, box[1])} to {facts.value(feature, box[3])}"
    )
    parts = [
        label(LEFT - 12, y + 4.5, str(segment_id), "t end"),
        tag("line", x1=low, x2=high, y1=y, y2=y, class_="line"),
        tag("rect", x=lower, y=y - 8, width=max(upper - lower, 1.5), height=16, class_="box"),
        tag("line", x1=median, x2=median, y1=y - 8, y2=y + 8, class_="median"),
    ]
    colour = f"s{facts.colours[segment_id]}"
    return tag("g", *parts, class_=colour, data_of=segment_id, data_tip=tip)
