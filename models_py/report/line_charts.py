"""Curves over the number of segments or the epochs, silhouettes, distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray
from models_py.base.rounding import is_constant
from models_py.report.drawing import Frame, drawing, joined, label, outline, padded, tag
from models_py.base.numbers import plain

DASHES = ("", "7 4", "2 4", "9 3 2 3", "1 6", "12 4")
"""Line styles, so that colour is not the only difference."""


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes
    ----------
    name
        As the legend has it.
    xs, ys
        Shape (points,).
    chosen
        Position of the point that won; None where none of this line did.
    """

    name: str
    xs: FloatArray
    ys: FloatArray
    chosen: int | None = None


@dataclass(frozen=True)
class Band:
    """A segment's silhouettes.

    Attributes
    ----------
    title, colour
        As the legend has it; 1..12.
    values
        Shape (members,): in any order.
    """

    title: str
    colour: int
    values: FloatArray


def draw_curves(
    curves: Sequence[Curve],
    x_title: str,
    y_title: str,
    alternative: str,
    whole_x: bool = False,
    x_name: str = "k",
) -> Markup:
    """Draw lines over one axis, with a legend and a ring round what was chosen.

    Parameters
    ----------
    curves
        At least one, each with a point.
    x_title, y_title
        Titles of the axes.
    alternative
        What the drawing shows, in words.
    whole_x
        Put a tick at every value of x; for few whole numbers.
    x_name
        What x is called when a point is pointed at.
    """
    all_x = np.concatenate([curve.xs for curve in curves])
    all_y = np.concatenate([curve.ys for curve in curves])
    frame = Frame(300.0, padded(all_x, 0.03), padded(all_y))
    x_ticks = [float(x) for x in np.unique(all_x)] if whole_x else None
    parts = [frame.axes(x_title, y_title, x_ticks)]
    for place, curve in enumerate(curves):
        colour = place % 12 + 1
        xs = [frame.x(float(x)) for x in curve.xs]
        ys = [frame.y(float(y)) for y in curve.ys]
        dash = DASHES[place % len(DASHES)] or None
        parts.append(
            tag("path", d=outline(xs, ys), class_=f"line s{colour}", stroke_dasharray=dash)
        )
        if len(xs) <= 40:
            parts += [
                tag(
                    "circle",
                    cx=x,
                    cy=y,
                    r=3.5,
                    class_=f"dot s{colour}",
                    data_tip=f"{curve.name}: {x_name} = {value_x:g}, {plain(float(value_y))}",
                )
                for x, y, value_x, value_y in zip(xs, ys, curve.xs, curve.ys, strict=True)
            ]
        if curve.chosen is not None:
            x, y = xs[curve.chosen], ys[curve.chosen]
            parts.append(tag("circle", cx=x, cy=y, r=8.0, class_="ring"))
            parts.append(label(x, y - 13 if y > 40 else y + 24, "chosen", "t strong middle"))
    return drawing(300.0, alternative, *parts) + legend([curve.name for curve in curves])


def legend(names: Sequence[str]) -> Markup:
    """Return the names of lines with their colours and styles; nothing for one line."""
    if len(names) < 2:
        return Markup("")
    items = [
        tag(
            "li",
            tag(
                "svg",
                tag(
                    "path",
                    d="M1 6L27 6",
                    class_=f"line s{place % 12 + 1}",
                    stroke_dasharray=DASHES[place % len(DASHES)] or None,
                ),
                viewBox="0 0 28 12",
                class_="swatch",
                aria_hidden="true",
            ),
            name,
        )
        for place, name in enumerate(names)
    ]
    return tag("ul", *items, class_="legend")


def draw_silhouettes(bands: Sequence[Band], mean: float, alternative: str) -> Markup:
    """Draw every segment's silhouettes, the highest first, one band under the other.

    Parameters
    ----------
    bands
        One a segment.
    mean
        Over all rows; drawn as a line.
    alternative
        What the drawing shows, in words.
    """
    total = sum(band.values.size for band in bands)
    low = min(0.0, *(float(band.values.min()) for band in bands))
    high = max(float(band.values.max()) for band in bands)
    gap, top = 8.0, 10.0
    height = max(260.0, 34.0 * len(bands) + 60.0)
    frame = Frame(height, (low - 0.02, high + 0.02), (0.0, 1.0), left=30.0, top=top)
    usable = height - top - frame.bottom - gap * (len(bands) - 1)
    foot = height - frame.bottom
    parts = [_silhouette_axis(frame, foot, low, high)]
    y = top
    for band in bands:
        thick = usable * band.values.size / total
        parts += [_band(frame, band, y, thick), _band_number(band, y + thick / 2)]
        y += thick + gap
    at = frame.x(mean)
    parts.append(tag("line", x1=at, x2=at, y1=top - 4, y2=foot, class_="mean"))
    return drawing(height, alternative, *parts)


def drawn_range(values: FloatArray) -> tuple[float, float]:
    """Return the range without the outer hundredth at either end."""
    low, high = (float(edge) for edge in np.quantile(values, [0.01, 0.99]))
    # A column whose values differ by rounding alone is drawn as one bar.
    return (low - 0.5, high + 0.5) if is_constant(np.array([low, high])) else (low, high)


def draw_distribution(values: FloatArray, edges: tuple[str, str], alternative: str) -> Markup:
    """Draw how the values of one column are spread, without its outer hundredths.

    Parameters
    ----------
    values
        Shape (rows,): known values only, at least one.
    edges
        The ends of the drawn range in words.
    alternative
        What is drawn, in words.
    """
    low, high = drawn_range(values)
    counts, _ = np.histogram(values, bins=24, range=(low, high))
    width, height, foot = 200.0, 92.0, 74.0
    step = width / counts.size
    bars = [
        tag(
            "rect",
            x=place * step + 0.5,
            y=foot - tall,
            width=step - 1.0,
            height=tall,
            class_="bar",
        )
        for place, tall in enumerate(counts / counts.max() * 68.0)
        if tall > 0
    ]
    middle = float(np.median(values))
    at = float(np.clip((middle - low) / (high - low), 0, 1)) * width
    parts = [
        *bars,
        tag("line", x1=0, x2=width, y1=foot, y2=foot, class_="base"),
        tag("line", x1=at, x2=at, y1=2, y2=foot, class_="mean"),
        label(0, 88, edges[0], "t small"),
        label(width, 88, edges[1], "t small end"),
    ]
    return drawing(height, alternative, *parts, width=width, kind="spark")


def _silhouette_axis(frame: Frame, foot: float, low: float, high: float) -> Markup:
    from models_py.report.drawing import tick_text, ticks

    lines: list[Markup] = []
    for value in ticks(low, high):
        x = frame.x(value)
        lines.append(tag("line", x1=x, x2=x, y1=frame.top, y2=foot, class_="grid"))
        lines.append(label(x, foot + 18, tick_text(value), "t middle"))
    middle = (frame.left + frame.width - frame.right) / 2
    title = label(middle, frame.height - 6, "silhouette of each row", "t quiet middle")
    return joined([*lines, title])


def _band(frame: Frame, band: Band, y: float, thick: float) -> Markup:
    ordered = np.sort(band.values)[::-1]
    if ordered.size > 120:
        ordered = np.quantile(ordered, np.linspace(1, 0, 120))
    down = np.linspace(y, y + max(thick, 1.0), ordered.size)
    xs = [frame.x(float(value)) for value in ordered]
    zero = frame.x(0.0)
    path = outline([zero, *xs, zero], [y, *down, y + max(thick, 1.0)]) + "Z"
    tip = f"{band.title}: mean {float(band.values.mean()):.2f}"
    return tag("path", d=path, class_=f"area s{band.colour}", data_tip=tip)


def _band_number(band: Band, y: float) -> Markup:
    return label(24.0, y + 4.5, band.title.split(" ")[0], f"t strong end s{band.colour}")
