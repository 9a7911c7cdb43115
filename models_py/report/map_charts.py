"""Maps of rows in two dimensions, and what draws features as swarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray, IntArray
from models_py.report.drawing import (
    WIDTH,
    Frame,
    dots,
    drawing,
    joined,
    label,
    padded,
    set_apart,
    tag,
)
from models_py.base.numbers import shortened, signed

HEIGHT = 400.0
CHIP = 10.0
"""Half the side of a number at the middle of a cloud."""

LETTER = 6.3
"""Width of a small letter, about, in a drawing's units."""

LEVELS = 5
"""Shades of a swarm, from the lowest fifth of the values to the highest."""


@dataclass(frozen=True)
class Cloud:
    """The points of one segment on a map.

    Attributes
    ----------
    title
        The segment's number and name.
    mark
        What stands at the cloud's middle.
    colour
        1..12.
    points
        Shape (n, 2).
    """

    title: str
    mark: str
    colour: int
    points: FloatArray


@dataclass(frozen=True)
class Place:
    """A named place on a map: a category of a column."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Swarm:
    """One row of a beeswarm.

    Attributes
    ----------
    title
        The feature in words.
    shifts
        Shape (n,): what the feature adds for each row.
    values
        Shape (n,): the feature's values; they shade the points.
    """

    title: str
    shifts: FloatArray
    values: FloatArray


def draw_map(
    clouds: Sequence[Cloud],
    x_title: str,
    y_title: str,
    alternative: str,
    places: Sequence[Place] = (),
) -> Markup:
    """Draw clouds of points with a number at the middle of each.

    Parameters
    ----------
    clouds
        At least one, each with a point.
    x_title, y_title
        What the directions tell.
    alternative
        What the map shows, in words.
    places
        Named places among the points.
    """
    every = np.concatenate([cloud.points for cloud in clouds])
    others = np.array([[place.x, place.y] for place in places]).reshape(-1, 2)
    seen = np.concatenate([_within(every), others])
    frame = Frame(
        HEIGHT, padded(seen[:, 0], 0.04), padded(seen[:, 1], 0.04), left=30.0, bottom=30.0
    )
    inside = [
        tag(
            "rect",
            x=frame.left,
            y=frame.top,
            width=WIDTH - frame.left - frame.right,
            height=HEIGHT - frame.top - frame.bottom,
            class_="plot",
        )
    ]
    inside += [_cloud(frame, cloud) for cloud in clouds]
    marked = [cloud for cloud in clouds if cloud.mark]
    middles = [np.median(cloud.points, axis=0) for cloud in marked]
    places_of = set_apart([(frame.x(float(x)), frame.y(float(y))) for x, y in middles])
    inside += _places(frame, places, places_of)
    inside += [_middle(cloud, *at) for cloud, at in zip(marked, places_of, strict=True)]
    parts = [
        joined(inside),
        label((frame.left + WIDTH - frame.right) / 2, HEIGHT - 8, x_title, "t quiet middle"),
        tag(
            "text",
            y_title,
            transform=f"translate(16 {(frame.top + HEIGHT - frame.bottom) / 2:.1f}) rotate(-90)",
            class_="t quiet middle",
        ),
    ]
    return drawing(HEIGHT, alternative, *parts, kind="chart map")


def draw_swarms(swarms: Sequence[Swarm], against: str, towards: str, alternative: str) -> Markup:
    """Draw a beeswarm: one row a feature, points where rows are pushed, shaded by value.

    Parameters
    ----------
    swarms
        Rows from top to bottom, each with a point.
    against, towards
        What the two directions tell.
    alternative
        What the drawing shows, in words.
    """
    row = 56.0
    height = row * len(swarms) + 52.0
    every = np.concatenate([swarm.shifts for swarm in swarms])
    frame = Frame(height, padded(every, 0.04), (0.0, 1.0), left=12.0, bottom=40.0)
    foot, zero = height - frame.bottom, frame.x(0.0)
    parts = [tag("line", x1=zero, x2=zero, y1=6, y2=foot, class_="base")]
    for place, swarm in enumerate(swarms):
        y = place * row + 36.0
        parts.append(label(frame.left, y - 21, swarm.title, "t"))
        xs = np.array([frame.x(float(shift)) for shift in swarm.shifts])
        ys = y + spread_apart(xs, 3.2) * 2.2
        parts += [
            dots(xs[fifth], ys[fifth], f"h{level + 1}")
            for level, fifth in enumerate(_fifths(swarm.values))
            if fifth.any()
        ]
    from models_py.report.drawing import tick_text, ticks

    parts += [
        label(frame.x(value), foot + 16, tick_text(value), "t middle")
        for value in ticks(*frame.x_range)
    ]
    parts.append(label(max(zero - 10, 130), height - 4, against, "t quiet end"))
    parts.append(label(min(max(zero + 10, 150), WIDTH - 110), height - 4, towards, "t quiet"))
    return drawing(height, alternative, *parts, kind="chart swarm")


def spread_apart(xs: FloatArray, reach: float) -> IntArray:
    """Return how many steps up (positive) or down each point goes to be seen beside others.

    Parameters
    ----------
    xs
        Shape (n,).
    reach
        Points nearer than this share a place; they are piled up round the line, five high.
    """
    steps = np.zeros(xs.size, dtype=np.int64)
    bins = np.floor(xs / reach).astype(np.int64)
    for bin_ in np.unique(bins):
        members = np.flatnonzero(bins == bin_)
        order = np.arange(members.size) % 11
        steps[members] = np.where(order % 2 == 0, order // 2, -(order + 1) // 2)
    return steps


def swarm_words(swarm: Swarm) -> str:
    """Return in words which values of a feature push which way."""
    low, high = swarm.values <= np.median(swarm.values), swarm.values > np.median(swarm.values)
    if not high.any() or not low.any():
        return f"{swarm.title}: the same for all"
    towards = swarm.shifts[high].mean() - swarm.shifts[low].mean()
    return f"{swarm.title}: higher values push {signed(float(towards))}"


def _fifths(values: FloatArray) -> list[FloatArray]:
    edges = np.quantile(values, np.linspace(0, 1, LEVELS + 1)[1:-1])
    level = np.searchsorted(edges, values, side="right")
    return [level == place for place in range(LEVELS)]


def _within(points: FloatArray) -> FloatArray:
    # A few far points would press all others into a corner; they are drawn at the edge.
    low, high = np.quantile(points, [0.003, 0.997], axis=0)
    return np.asarray(np.clip(points, low, high))


def _cloud(frame: Frame, cloud: Cloud) -> Markup:
    xs, ys = _on_page(frame, cloud.points)
    return dots(xs, ys, f"s{cloud.colour} of-{cloud.mark or 'all'}", cloud.title)


def _on_page(frame: Frame, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    xs = np.array([frame.x(float(x)) for x in np.clip(points[:, 0], *frame.x_range)])
    ys = np.array([frame.y(float(y)) for y in np.clip(points[:, 1], *frame.y_range)])
    return xs, ys


def _middle(cloud: Cloud, x: float, y: float) -> Markup:
    half = 9.0 + 3.5 * (len(cloud.mark) - 1)
    return tag(
        "g",
        tag(
            "rect",
            x=x - half,
            y=y - 9,
            width=half * 2,
            height=18,
            rx=9,
            class_=f"chip s{cloud.colour}",
        ),
        label(x, y + 4.5, cloud.mark, "t chip-text middle"),
        class_=f"middle-of of-{cloud.mark} s{cloud.colour}",
        data_tip=cloud.title,
    )


def _places(
    frame: Frame, places: Sequence[Place], chips: Sequence[tuple[float, float]]
) -> list[Markup]:
    """Return squares for all places and names for those whose name covers no other, nor a chip."""
    taken: list[tuple[float, float, float, float]] = [
        (frame.x(place.x) - 3, frame.y(place.y) - 3, frame.x(place.x) + 3, frame.y(place.y) + 3)
        for place in places
    ]
    taken += [(x - CHIP, y - CHIP, x + CHIP, y + CHIP) for x, y in chips]
    drawn = []
    for place in places:
        x, y = frame.x(place.x), frame.y(place.y)
        name = shortened(place.name, 30)
        square = tag("rect", x=x - 3, y=y - 3, width=6, height=6, class_="place")
        parts = [square]
        for box, at, kind in _sides(x, y, len(name) * LETTER):
            if _is_free(box, taken):
                taken.append(box)
                parts.append(label(*at, name, f"t small halo {kind}"))
                break
        drawn.append(tag("g", *parts, data_tip=place.name))
    return drawn


def _sides(
    x: float, y: float, width: float
) -> list[tuple[tuple[float, float, float, float], tuple[float, float], str]]:
    right = ((x + 5, y - 7, x + 8 + width, y + 7), (x + 7, y + 4), "")
    left = ((x - 8 - width, y - 7, x - 5, y + 7), (x - 7, y + 4), "end")
    above = ((x - width / 2, y - 19, x + width / 2, y - 5), (x, y - 8), "middle")
    below = ((x - width / 2, y + 5, x + width / 2, y + 19), (x, y + 16), "middle")
    return [right, left, above, below]


def _is_free(
    box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]
) -> bool:
    left, top, right, bottom = box
    if left < 22.0 or right > WIDTH - 6.0 or top < 4.0 or bottom > HEIGHT - 26.0:
        return False
    return all(
        left > other[2] or right < other[0] or top > other[3] or bottom < other[1]
        for other in taken
    )
