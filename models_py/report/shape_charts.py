"""Bars, heat maps, the tree of segments and the flows between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from models_py.base.arrays import FloatArray, IntArray
from models_py.report.drawing import WIDTH, drawing, label, outline, tag
from models_py.base.numbers import count, shortened

STRONGEST = 0.52
"""Opacity of the strongest cell of a heat map: letters stay legible on it."""


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes
    ----------
    title, text
        Its words, and its figure in words.
    length
        0..1 of the longest.
    colour
        1..12, 0 for the plain colour.
    second, second_text
        A lighter bar under it; None without.
    """

    title: str
    text: str
    length: float
    colour: int = 0
    second: float | None = None
    second_text: str = ""


@dataclass(frozen=True)
class Node:
    """A segment on one side of the flows."""

    key: int | None
    title: str
    colour: int
    size: int


def draw_bars(bars: Sequence[Bar], alternative: str) -> Markup:
    """Draw bars under each other as HTML, so that their words wrap on a phone."""
    rows = []
    for bar in bars:
        tracks = [_track(bar.length, bar.text, f"fill s{bar.colour}")]
        if bar.second is not None:
            tracks.append(_track(bar.second, bar.second_text, f"fill second s{bar.colour}"))
        rows.append(
            tag(
                "div",
                tag("div", bar.title, class_="bar-title"),
                tag("div", *tracks, class_="bar-tracks"),
                class_="bar-row",
            )
        )
    return tag("div", *rows, class_="bars", role="img", aria_label=alternative)


def draw_share_bar(shares: Sequence[tuple[str, int, float]], alternative: str) -> Markup:
    """Draw parts of a whole as one bar: the mark, the colour and the share of each."""
    parts = [
        tag(
            "span",
            tag("b", mark) if share >= 0.03 else "",
            class_=f"part s{colour}",
            style=f"flex-grow:{share * 1000:.0f}",
            data_tip=f"{mark}: {share:.0%}",
        )
        for mark, colour, share in shares
    ]
    return tag("div", *parts, class_="share-bar", role="img", aria_label=alternative)


def heat_style(value: float, limit: float) -> tuple[str, str]:
    """Return the class and the style of a heat map's cell.

    Parameters
    ----------
    value
        Negative is one colour, positive the other.
    limit
        The size that is drawn strongest.
    """
    if not np.isfinite(value):
        return "none", "--a:0"
    strength = min(abs(value) / limit, 1.0) * STRONGEST
    return ("up" if value >= 0 else "down"), f"--a:{strength:.2f}"


def draw_grid(values: FloatArray, titles: Sequence[str], alternative: str) -> Markup:
    """Draw a square of correlations; numbers stand along both sides and titles in the legend.

    Parameters
    ----------
    values
        Shape (n, n), -1..1.
    titles
        One a row; what a cell is called when it is pointed at.
    alternative
        What the drawing shows, in words.
    """
    n = len(titles)
    left = 30.0
    side = (WIDTH - left - 4.0) / n
    height = left + side * n + 4.0
    parts = []
    for place in range(n):
        at = left + side * (place + 0.5)
        kind = "t tiny" if n > 16 else "t small"
        if n <= 40:
            parts.append(label(at, left - 8, str(place + 1), f"{kind} middle"))
            parts.append(label(left - 6, at + 4, str(place + 1), f"{kind} end"))
    for row, column in np.ndindex(n, n):
        kind, style = heat_style(float(values[row, column]), 1.0)
        parts.append(
            tag(
                "rect",
                x=left + side * column,
                y=left + side * row,
                width=side - 0.6,
                height=side - 0.6,
                class_=f"cell {kind}",
                style=style,
                data_tip=f"{titles[row]} and {titles[column]}: {values[row, column]:.2f}",
            )
        )
    items = [tag("li", title) for title in titles]
    return drawing(height, alternative, *parts) + tag("ol", *items, class_="names")


def draw_tree(
    tree: FloatArray, titles: Sequence[str], colours: Sequence[int], alternative: str
) -> Markup:
    """Draw a dendrogram from left (all as one) to right (each for itself).

    Parameters
    ----------
    tree
        Shape (n - 1, 4): merges as SciPy's linkage has them.
    titles, colours
        One a leaf.
    alternative
        What the drawing shows, in words.
    """
    n = len(titles)
    row, top, leaf_x, root_x = 30.0, 12.0, 190.0, 12.0
    height = top * 2 + row * n
    order = leaf_order(tree, n)
    ys = np.empty(2 * n - 1)
    xs = np.full(2 * n - 1, leaf_x)
    ys[order] = top + row * (np.arange(n) + 0.5)
    highest = float(tree[-1, 2]) or 1.0
    parts = []
    for place, (left, other, distance, _) in enumerate(tree):
        first, second = int(left), int(other)
        x = leaf_x - float(distance) / highest * (leaf_x - root_x)
        path = outline(
            [xs[first], x, x, xs[second]], [ys[first], ys[first], ys[second], ys[second]]
        )
        parts.append(tag("path", d=path, class_="branch"))
        xs[n + place], ys[n + place] = x, (ys[first] + ys[second]) / 2
    parts += [
        label(
            leaf_x + 8,
            float(ys[leaf]) + 4.5,
            shortened(titles[leaf], 34),
            f"t s{colours[leaf]}",
            titles[leaf],
        )
        for leaf in range(n)
    ]
    return drawing(height, alternative, *parts)


def leaf_order(tree: FloatArray, n: int) -> IntArray:
    """Return the leaves so that no two branches cross."""
    stack, order = [2 * n - 2], []
    while stack:
        node = stack.pop()
        if node < n:
            order.append(node)
        else:
            stack += [int(tree[node - n, 1]), int(tree[node - n, 0])]
    return np.array(order, dtype=np.int64)


def draw_flows(
    before: Sequence[Node],
    after: Sequence[Node],
    flows: Sequence[tuple[int | None, int | None, int]],
    alternative: str,
) -> Markup:
    """Draw who went from which segment to which: bands as thick as their customers are many.

    Parameters
    ----------
    before, after
        The segments of either run; key None for those who were not there, or are gone.
    flows
        Keys of either side and the customers between them.
    alternative
        What the drawing shows, in words.
    """
    total = max(sum(node.size for node in before), sum(node.size for node in after), 1)
    most = max(len(before), len(after))
    gap, top = 14.0, 26.0
    height = max(280.0, most * 46.0 + top)
    scale = (height - top - 10.0 - gap * (most - 1)) / total
    left, right = _placed(before, top, gap, scale), _placed(after, top, gap, scale)
    parts = [label(96, 14, "before", "t quiet end"), label(344, 14, "now", "t quiet")]
    used_left, used_right = dict.fromkeys(left, 0.0), dict.fromkeys(right, 0.0)
    colours = {node.key: node.colour for node in before}
    for source, target, entities in sorted(flows, key=lambda flow: -flow[2]):
        thick = entities * scale
        y1, y2 = left[source] + used_left[source], right[target] + used_right[target]
        used_left[source] += thick
        used_right[target] += thick
        tip = f"{_side(source, 'new')} to {_side(target, 'gone')}: {count(entities)}"
        parts.append(_flow(y1, y2, thick, colours[source], tip, (source, target, entities)))
    parts += [_node(node, left[node.key], scale, is_left=True) for node in before]
    parts += [_node(node, right[node.key], scale, is_left=False) for node in after]
    return drawing(height, alternative, *parts, kind="chart flows")


def _track(length: float, text: str, kind: str) -> Markup:
    width = f"width:{max(min(length, 1.0), 0.0) * 100:.1f}%"
    return tag(
        "div",
        tag("span", tag("span", class_=kind, style=width), class_="track"),
        tag("span", text, class_="bar-text"),
        class_="bar-track",
    )


def _placed(nodes: Sequence[Node], top: float, gap: float, scale: float) -> dict[int | None, float]:
    places, y = {}, top
    for node in nodes:
        places[node.key] = y
        y += node.size * scale + gap
    return places


def _side(key: int | None, missing: str) -> str:
    return missing if key is None else str(key)


def _flow(
    y1: float,
    y2: float,
    thick: float,
    colour: int,
    tip: str,
    move: tuple[int | None, int | None, int],
) -> Markup:
    x1, x2, middle = 116.0, 324.0, 220.0
    down = max(thick, 0.8)
    path = (
        f"M{x1} {y1:.1f}C{middle} {y1:.1f} {middle} {y2:.1f} {x2} {y2:.1f}"
        f"V{y2 + down:.1f}C{middle} {y2 + down:.1f} {middle} {y1 + down:.1f} {x1} {y1 + down:.1f}Z"
    )
    source, target, entities = move
    return tag(
        "path",
        d=path,
        class_=f"flow s{colour}",
        data_from=_side(source, "new"),
        data_to=_side(target, "gone"),
        data_n=entities,
        data_tip=tip,
    )


def _node(node: Node, y: float, scale: float, is_left: bool) -> Markup:
    tall = max(node.size * scale, 1.5)
    x = 106.0 if is_left else 324.0
    text = f"{node.title}  {count(node.size)}"
    return tag(
        "g",
        tag("rect", x=x, y=y, width=10, height=tall, class_=f"node s{node.colour}"),
        label(
            x - 8 if is_left else x + 18,
            y + tall / 2 + 4.5,
            text,
            "t end" if is_left else "t",
        ),
    )
