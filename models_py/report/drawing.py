"""Pieces of SVG and HTML; whatever comes from data is escaped here.

A drawing is 440 units wide, so that its letters stay legible at the width of a phone. Colours
are classes: the page's style gives them another shade in the dark and on paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from models_py.base.arrays import FloatArray
from models_py.base.numbers import MINUS, plain, share

WIDTH = 440.0
PALETTE = 12
"""Colours that a colour-blind reader can mostly tell apart; numbers stand beside them."""


def tag(name: str, *content: str | Markup, **attributes: object) -> Markup:
    """Return an element; attribute names end in ``_`` where Python has the word.

    Parameters
    ----------
    name
        The element.
    content
        Text, escaped unless it is markup.
    attributes
        Values, escaped; floats with one digit, None left out, ``_`` in a name becomes ``-``.
    """
    text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(str(escape(part)) for part in content)
    return Markup(f"<{name}{text}>{inner}</{name}>")


def joined(parts: Iterable[str | Markup]) -> Markup:
    """Return markup one after the other."""
    return Markup("").join(parts)


def drawing(
    height: float, alternative: str, *parts: Markup, width: float = WIDTH, kind: str = "chart"
) -> Markup:
    """Return a whole SVG drawing with its text for those who cannot see it."""
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=alternative,
        class_=kind,
        preserveAspectRatio="xMidYMid meet",
    )


def label(x: float, y: float, text: str, kind: str = "t", tip: str | None = None) -> Markup:
    """Return a line of text; ``kind`` holds classes such as ``t end``."""
    return tag("text", text, x=x, y=y, class_=kind, data_tip=tip)


def set_apart(
    places: Sequence[tuple[float, float]], reach: float = 19.0
) -> list[tuple[float, float]]:
    """Return places of marks, moved to the right where one would cover an earlier one.

    Examples
    --------
    >>> set_apart([(10.0, 10.0), (12.0, 11.0)])
    [(10.0, 10.0), (29.0, 11.0)]
    """
    kept: list[tuple[float, float]] = []
    for wanted, y in places:
        x = wanted
        for other in sorted(at for at, height in kept if abs(height - y) < reach):
            if abs(other - x) < reach:
                x = other + reach
        kept.append((x, y))
    return kept


def dots(xs: FloatArray, ys: FloatArray, kind: str, tip: str | None = None) -> Markup:
    """Return points as one path of round strokes: a tenth of the size of as many circles."""
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(xs, ys, strict=True))
    return tag("path", d=path, class_=f"dots {kind}", data_tip=tip)


def outline(xs: Sequence[float] | FloatArray, ys: Sequence[float] | FloatArray) -> str:
    """Return the path through points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers between two numbers, at steps of 1, 2 or 5 times a power of ten."""
    if not np.isfinite([low, high]).all() or high <= low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(power * m) for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [round(step * i, 12) for i in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """A plotting area with straight scales.

    Attributes
    ----------
    height
        Of the whole drawing.
    x_range, y_range
        The values at the area's edges.
    left, top, right, bottom
        Margins.
    """

    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    left: float = 66.0
    top: float = 14.0
    right: float = 14.0
    bottom: float = 44.0
    width: float = WIDTH

    def x(self, value: float) -> float:
        """Return where a value stands from left to right."""
        low, high = self.x_range
        span = self.width - self.left - self.right
        return self.left + (value - low) / ((high - low) or 1.0) * span

    def y(self, value: float) -> float:
        """Return where a value stands from top to bottom."""
        low, high = self.y_range
        span = self.height - self.top - self.bottom
        return self.height - self.bottom - (value - low) / ((high - low) or 1.0) * span

    def axes(
        self,
        x_title: str,
        y_title: str,
        x_ticks: Sequence[float] | None = None,
        x_is_share: bool = False,
        y_is_share: bool = False,
    ) -> Markup:
        """Return grid lines, tick labels and titles."""
        lines: list[Markup] = []
        foot = self.height - self.bottom
        for value in ticks(*self.y_range, about=4):
            y = self.y(value)
            lines.append(
                tag("line", x1=self.left, x2=self.width - self.right, y1=y, y2=y, class_="grid")
            )
            lines.append(label(self.left - 7, y + 4.5, tick_text(value, y_is_share), "t end"))
        lines += [
            label(self.x(value), foot + 18, tick_text(value, x_is_share), "t middle")
            for value in (x_ticks if x_ticks is not None else ticks(*self.x_range))
        ]
        middle = (self.left + self.width - self.right) / 2
        lines.append(label(middle, self.height - 6, x_title, "t quiet middle"))
        if y_title:
            lines.append(
                tag(
                    "text",
                    y_title,
                    transform=f"translate(12 {(self.top + foot) / 2:.1f}) rotate(-90)",
                    class_="t quiet middle",
                )
            )
        return joined(lines)


def tick_text(value: float, is_share: bool = False) -> str:
    """Return a short number for an axis."""
    if is_share:
        return share(value)
    if abs(value) >= 1e6:
        return f"{plain(value / 1e6).rstrip('0').rstrip('.')}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:.0f}k"
    if 0.0 < abs(value) < 0.001:
        return f"{value:.7f}".rstrip("0").replace("-", MINUS)
    text = plain(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def padded(values: FloatArray, part: float = 0.06) -> tuple[float, float]:
    """Return the range of values with some room at either end."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    room = (high - low) * part or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _value(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
