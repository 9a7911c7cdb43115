"""What segments do: lines over time, and where each stands between two measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray
from models_py.report.drawing import (
    WIDTH,
    Frame,
    drawing,
    joined,
    label,
    outline,
    padded,
    set_apart,
    tag,
    tick_text,
    ticks,
)

HEIGHT = 300.0
MOST_DATES = 5
MOST_TICKS = 8
LETTERS = 14.0
"""Height of a line of letters."""

SKEWED = 12.0
"""Largest over smallest value from which on steps are drawn by factors."""

ROUND = [0.0, *(step * 10.0**power for power in range(-2, 10) for step in (1, 3))]


@dataclass(frozen=True)
class Series:
    """A segment's values by period.

    Attributes
    ----------
    segment_id, title, colour
        Whose they are.
    values
        Shape (periods,): nan where one is withheld.
    texts
        The values in words.
    """

    segment_id: int
    title: str
    colour: int
    values: FloatArray
    texts: Sequence[str]


@dataclass(frozen=True)
class Cross:
    """A segment's quartiles in two measures.

    Attributes
    ----------
    across, upwards
        Lower quartile, median and upper quartile of either.
    tip
        The same in words.
    """

    segment_id: int
    colour: int
    across: tuple[float, float, float]
    upwards: tuple[float, float, float]
    tip: str


def draw_series(
    series: Sequence[Series], dates: Sequence[str], y_title: str, alternative: str
) -> Markup:
    """Draw a line a segment over periods, its number at the end of it.

    Parameters
    ----------
    series
        At least one, each with a known value.
    dates
        One a period, as the axis and who points at a value has it.
    y_title
        Title of the axis.
    alternative
        What the drawing shows, in words.
    """
    known = np.concatenate([one.values[np.isfinite(one.values)] for one in series])
    top = padded(np.append(known, 0.0))[1]
    # Room for the title beside the longest figure of the axis.
    left = 32.0 + 8.5 * max(len(tick_text(value)) for value in ticks(0.0, top))
    frame = Frame(HEIGHT, (0.0, float(len(dates) - 1)), (0.0, top), left, right=28.0, bottom=30.0)
    step = max(1, -(-len(dates) // MOST_DATES))
    foot = HEIGHT - frame.bottom + 18
    parts = [frame.axes("", y_title, x_ticks=[])]
    parts += [
        label(frame.x(float(place)), foot, dates[place], "t middle")
        for place in range(0, len(dates), step)
    ]
    ends = _apart([frame.y(float(one.values[np.isfinite(one.values)][-1])) for one in series])
    for one, end in zip(series, ends, strict=True):
        parts.append(_line(frame, one, dates, end))
    return drawing(HEIGHT, alternative, *parts)


def draw_crosses(crosses: Sequence[Cross], x_title: str, y_title: str, alternative: str) -> Markup:
    """Draw where each segment stands: its number at the medians, arms to the quartiles.

    Parameters
    ----------
    crosses
        One a segment.
    x_title, y_title
        Titles of the axes.
    alternative
        What the drawing shows, in words.
    """
    x_scale = _Scale([cross.across for cross in crosses])
    y_scale = _Scale([cross.upwards for cross in crosses])
    frame = Frame(HEIGHT + 40.0, x_scale.range, y_scale.range)
    parts = [_axes(frame, x_scale, y_scale, x_title, y_title)]
    arms = [_arms(frame, cross, x_scale, y_scale) for cross in crosses]
    middles = [
        (frame.x(x_scale(cross.across[1])), frame.y(y_scale(cross.upwards[1]))) for cross in crosses
    ]
    chips = [_chip(cross, *at) for cross, at in zip(crosses, set_apart(middles), strict=True)]
    return drawing(frame.height, alternative, *parts, *arms, *chips)


class _Scale:
    """Steps of equal size, or of equal factors where the values are far apart."""

    def __init__(self, quartiles: Sequence[tuple[float, float, float]]) -> None:
        values = np.array(quartiles)
        positive = values[values > 0]
        self.is_by_factors = bool(
            values.min() >= 0 and positive.size and values.max() / positive.min() > SKEWED
        )
        self.range = padded(np.array([self(value) for value in values.ravel()]))
        low, high = float(values.min()), float(values.max())
        round_ones = ROUND if self.is_by_factors else ticks(*self.range)
        room = (self.range[1] - self.range[0]) / MOST_TICKS
        self.ticks: list[float] = []
        for one in reversed(round_ones):
            at = self(one)
            if self.range[0] <= at <= self.range[1] and (
                not self.ticks or self(self.ticks[-1]) - at >= room
            ):
                self.ticks.append(one)
        self.ticks = self.ticks or [low, high]

    def __call__(self, value: float) -> float:
        return log1p(value) if self.is_by_factors else value


def _axes(frame: Frame, x_scale: _Scale, y_scale: _Scale, x_title: str, y_title: str) -> Markup:
    foot, right = frame.height - frame.bottom, WIDTH - frame.right
    lines: list[Markup] = []
    for value in y_scale.ticks:
        y = frame.y(y_scale(value))
        lines.append(tag("line", x1=frame.left, x2=right, y1=y, y2=y, class_="grid"))
        lines.append(label(frame.left - 7, y + 4.5, tick_text(value), "t end"))
    for value in x_scale.ticks:
        x = frame.x(x_scale(value))
        lines.append(tag("line", x1=x, x2=x, y1=frame.top, y2=foot, class_="grid"))
        lines.append(label(x, foot + 18, tick_text(value), "t middle"))
    turned = f"translate(12 {(frame.top + foot) / 2:.1f}) rotate(-90)"
    lines.append(label((frame.left + right) / 2, frame.height - 6, x_title, "t quiet middle"))
    lines.append(tag("text", y_title, transform=turned, class_="t quiet middle"))
    return joined(lines)


def _arms(frame: Frame, cross: Cross, x_scale: _Scale, y_scale: _Scale) -> Markup:
    x1, x, x2 = (frame.x(x_scale(value)) for value in cross.across)
    y1, y, y2 = (frame.y(y_scale(value)) for value in cross.upwards)
    arms = [
        tag("line", x1=x1, x2=x2, y1=y, y2=y, class_="line"),
        tag("line", x1=x, x2=x, y1=y1, y2=y2, class_="line"),
    ]
    return tag("g", *arms, **_of(cross))


def _chip(cross: Cross, x: float, y: float) -> Markup:
    colour, number = f"s{cross.colour}", str(cross.segment_id)
    half = 9.0 + 3.5 * (len(number) - 1)
    chip = [
        tag("rect", x=x - half, y=y - 9, width=half * 2, height=18, rx=9, class_=f"chip {colour}"),
        label(x, y + 4.5, number, "t chip-text middle"),
    ]
    return tag("g", *chip, **_of(cross))


def _of(cross: Cross) -> dict[str, object]:
    return {"class_": f"s{cross.colour}", "data_of": cross.segment_id, "data_tip": cross.tip}


def _line(frame: Frame, one: Series, dates: Sequence[str], end: float) -> Markup:
    known = [int(place) for place in np.flatnonzero(np.isfinite(one.values))]
    xs = [frame.x(float(place)) for place in known]
    ys = [frame.y(float(one.values[place])) for place in known]
    # A period that is withheld is a gap: no line says what it was.
    runs = np.split(np.arange(len(known)), np.flatnonzero(np.diff(known) > 1) + 1)
    path = "".join(outline([xs[i] for i in run], [ys[i] for i in run]) for run in runs)
    parts = [tag("path", d=path, class_="line")]
    parts += [
        tag(
            "circle",
            cx=x,
            cy=y,
            r=3.0,
            class_="dot",
            data_tip=f"{one.title}, {dates[place]}: {one.texts[place]}",
        )
        for x, y, place in zip(xs, ys, known, strict=True)
    ]
    parts.append(label(WIDTH - frame.right + 8, end + 4.5, str(one.segment_id), "t strong"))
    return tag("g", *parts, class_=f"s{one.colour}", data_of=one.segment_id)


def _apart(ys: Sequence[float]) -> list[float]:
    """Return the places moved so far that no two lines of letters overlap."""
    order = np.argsort(ys)
    placed = np.asarray(ys, dtype=np.float64)[order]
    for place in range(1, placed.size):
        placed[place] = max(placed[place], placed[place - 1] + LETTERS)
    placed[-1] = min(placed[-1], HEIGHT - 34.0)
    for place in range(placed.size - 2, -1, -1):
        placed[place] = min(placed[place], placed[place + 1] - LETTERS)
    return [float(placed[place]) for place in np.argsort(order)]
