"""Tables with groups planted in them, so that a search can be held against the truth.

`shape_sets` draws groups of many shapes in the plane and above it; `planted_customers` draws a
customer table with skewed amounts, counts, shares and words, as gold tables have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.candidate import NOISE

Planted = tuple[FloatArray, IntArray]
ShapeSet = tuple[str, FloatArray, IntArray]
Generator = np.random.Generator


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str


_CUSTOMER_COLUMNS = (
    _Column("spend_amount", "amount"),
    _Column("visits_count", "count"),
    _Column("discount_share", "share"),
    _Column("basket_amount", "amount"),
    _Column("days_since_visit", "amount"),
    _Column("products_count", "count"),
    _Column("weekend_share", "share"),
    _Column("favourite_channel", "word"),
    _Column("fresh_share", "share"),
    _Column("has_loyalty_card", "flag"),
)
_CHANNELS = np.array(["store", "web", "app", "phone"])


def planted_customers(
    n: int,
    segments: int,
    features: int = 10,
    overlap: float = 0.2,
    noise: float = 0.05,
    seed: int = 0,
) -> tuple[pd.DataFrame, IntArray]:
    """Return a customer table with planted segments, and the segment of each row.

    Parameters
    ----------
    n
        Rows.
    segments
        Segments planted; their sizes differ up to about fivefold.
    features
        Columns beside the id: amounts (log-normal), counts (Poisson), shares (0..1), one word
        and one flag, repeated with numbered names past ten.
    overlap
        0 sets the segments far apart, 1 lays them nearly on each other.
    noise
        Share of rows, 0..1, that follow no segment; their truth is -1.
    seed
        The same seed gives the same table.

    Returns
    -------
    frame
        ``customer_id`` and `features` columns.
    truth
        Shape (n,): 0..segments-1, or -1 for noise.

    Raises
    ------
    DataError
        For settings out of range.
    """
    _check_customers(n, segments, features, overlap, noise)
    rng = np.random.default_rng(seed)
    sizes = rng.dirichlet(np.full(segments, 6.0))
    truth = rng.choice(segments, size=n, p=sizes).astype(np.int64)
    truth[:segments] = np.arange(segments)
    stray = rng.random(n) < noise
    centers = _spread_centers(rng, segments, features) * (1.0 - 0.85 * overlap)
    latent = centers[truth] + 0.45 * rng.standard_normal((n, features))
    reach = np.abs(centers).max() + 1.0
    latent[stray] = rng.uniform(-reach, reach, size=(int(stray.sum()), features))
    columns: dict[str, object] = {"customer_id": np.arange(1, n + 1)}
    for j in range(features):
        column = _CUSTOMER_COLUMNS[j % len(_CUSTOMER_COLUMNS)]
        turn = j // len(_CUSTOMER_COLUMNS)
        name = column.name if turn == 0 else f"{column.name}_{turn + 1}"
        columns[name] = _customer_column(rng, column.kind, latent[:, j])
    return pd.DataFrame(columns), np.where(stray, NOISE, truth)


def _check_customers(n: int, segments: int, features: int, overlap: float, noise: float) -> None:
    if segments < 1 or n < segments:
        raise DataError(
            f"planted customers: {segments} segments need at least as many rows as n={n}"
        )
    if features < 1:
        raise DataError(f"planted customers: features is {features}; ask for 1 or more")
    for name, value in (("overlap", overlap), ("noise", noise)):
        if not 0.0 <= value <= 1.0:
            raise DataError(f"planted customers: {name} is {value}; it must lie in 0..1")


def _spread_centers(rng: Generator, k: int, p: int) -> FloatArray:
    """Of 30 random layouts, the one whose two nearest centers lie farthest apart."""
    best, best_gap = np.zeros((k, p)), -1.0
    for _ in range(30):
        centers = rng.standard_normal((k, p)) * 1.4
        apart = np.linalg.norm(centers[:, None] - centers[None], axis=2)
        gap = float(apart[np.triu_indices(k, 1)].min()) if k > 1 else 0.0
        if gap > best_gap:
            best, best_gap = centers, gap
    return best


def _customer_column(rng: Generator, kind: str, latent: FloatArray) -> object:
    if kind == "amount":
        return np.round(np.exp(4.0 + 0.8 * latent), 2)
    if kind == "count":
        return rng.poisson(np.exp(2.5 + 0.6 * latent))
    if kind == "share":
        return np.round(1.0 / (1.0 + np.exp(-latent)), 4)
    if kind == "flag":
        return rng.random(latent.size) < 1.0 / (1.0 + np.exp(-2.0 * latent))
    cuts = np.searchsorted(np.array([-1.0, 0.0, 1.0]), latent)
    mixed = np.where(rng.random(latent.size) < 0.1, rng.integers(0, 4, latent.size), cuts)
    return _CHANNELS[mixed]


# Shapes: each draws its own settings from the generator it is handed.


def _stack(parts: list[FloatArray]) -> Planted:
    truth = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return np.vstack(parts), truth.astype(np.int64)


def _centers_apart(rng: Generator, k: int, p: int, gap: float) -> FloatArray:
    """Random centers no nearer to each other than `gap`, in a box that grows until they fit."""
    side = gap * max(1.5, k ** (1.0 / p) * 1.3)
    centers = np.empty((0, p))
    while len(centers) < k:
        for _ in range(200):
            point = rng.uniform(0, side, p)
            if not len(centers) or np.linalg.norm(centers - point, axis=1).min() >= gap:
                centers = np.vstack([centers, point])
                break
        else:
            side *= 1.15
    return centers


def _sizes(rng: Generator, k: int, total: int, evenness: float = 8.0) -> IntArray:
    shares = rng.dirichlet(np.full(k, evenness))
    return np.maximum(12, np.round(shares * total)).astype(np.int64)


def _rotation(rng: Generator, p: int) -> FloatArray:
    q, r = np.linalg.qr(rng.standard_normal((p, p)))
    return np.asarray(q * np.sign(np.diag(r)))


def balls(rng: Generator) -> Planted:
    """Round groups of one spread, 2 to 30 of them, from well apart to touching."""
    k, p = int(rng.integers(2, 31)), int(rng.integers(2, 9))
    centers = _centers_apart(rng, k, p, rng.uniform(3.3, 7.0))
    sizes = _sizes(rng, k, k * int(rng.integers(30, 80)), 30.0)
    return _stack([c + rng.standard_normal((m, p)) for c, m in zip(centers, sizes, strict=True)])


def unequal_sizes(rng: Generator) -> Planted:
    """Round groups where the largest holds many times the rows of the smallest."""
    k, p = int(rng.integers(2, 9)), int(rng.integers(2, 6))
    centers = _centers_apart(rng, k, p, rng.uniform(5.0, 8.0))
    sizes = _sizes(rng, k, int(rng.integers(300, 1400)), 0.9)
    return _stack([c + rng.standard_normal((m, p)) for c, m in zip(centers, sizes, strict=True)])


def unequal_densities(rng: Generator) -> Planted:
    """Round groups whose spreads differ up to sixfold."""
    k, p = int(rng.integers(2, 8)), int(rng.integers(2, 5))
    spreads = rng.uniform(0.25, 1.5, k)
    centers = _centers_apart(rng, k, p, rng.uniform(5.0, 8.0))
    sizes = _sizes(rng, k, k * int(rng.integers(60, 200)))
    return _stack(
        [
            c + s * rng.standard_normal((m, p))
            for c, s, m in zip(centers, spreads, sizes, strict=True)
        ]
    )


def ellipses(rng: Generator) -> Planted:
    """Long Gaussian groups, each turned its own way."""
    k, p = int(rng.integers(2, 13)), int(rng.integers(2, 7))
    centers = _centers_apart(rng, k, p, rng.uniform(3.8, 9.0))
    parts = []
    for center, size in zip(centers, _sizes(rng, k, k * int(rng.integers(60, 150))), strict=True):
        stretch = np.diag(rng.uniform(0.3, 2.2, p)) @ _rotation(rng, p)
        parts.append(center + rng.standard_normal((size, p)) @ stretch)
    return _stack(parts)


def parallel_strips(rng: Generator) -> Planted:
    """Long Gaussian strips side by side: nearer across than along."""
    k = int(rng.integers(2, 6))
    length, gap = rng.uniform(3.0, 10.0), rng.uniform(4.0, 8.0)
    turn = _rotation(rng, 2)
    parts = []
    for i, size in enumerate(_sizes(rng, k, k * int(rng.integers(80, 300)))):
        strip = rng.standard_normal((size, 2)) * [length, 1.0]
        offset = np.array([rng.uniform(-length, length), i * gap])
        parts.append((strip + offset) @ turn)
    return _stack(parts)


def rings(rng: Generator) -> Planted:
    """Circles around one center, sometimes with a ball in the middle."""
    k = int(rng.integers(2, 5))
    width = rng.uniform(0.03, 0.15)
    first = 0 if rng.random() < 0.4 else 1
    parts = []
    for i in range(first, first + k):
        size = int(rng.uniform(120, 220) * max(i, 1) ** rng.uniform(0.3, 1.0))
        angle = rng.uniform(0, 2 * np.pi, size)
        radius = i + width * rng.standard_normal(size)
        if i == 0:
            parts.append(2 * width * rng.standard_normal((size, 2)))
        else:
            parts.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    return _stack(parts)


def moons(rng: Generator) -> Planted:
    """Two half circles that reach into each other, or two such pairs."""
    noise = rng.uniform(0.03, 0.13)
    parts = []
    for pair in range(int(rng.integers(1, 3))):
        for flip, size in enumerate(rng.integers(120, 500, 2)):
            angle = rng.uniform(0, np.pi, int(size))
            arc = np.column_stack([np.cos(angle), np.sin(angle)])
            if flip:
                arc = np.array([1.0, 0.4]) - arc
            parts.append(arc + [pair * 4.0, 0.0] + noise * rng.standard_normal(arc.shape))
    return _stack(parts)


def chains(rng: Generator) -> Planted:
    """Linked hoops in space: each passes through the next."""
    k, width = int(rng.integers(2, 5)), rng.uniform(0.03, 0.1)
    parts = []
    for i in range(k):
        angle = rng.uniform(0, 2 * np.pi, int(rng.integers(200, 500)))
        flat, zero = np.column_stack([np.cos(angle), np.sin(angle)]), np.zeros(angle.size)
        hoop = (
            np.column_stack([flat, zero])
            if i % 2 == 0
            else np.column_stack([flat[:, 0], zero, flat[:, 1]])
        )
        parts.append(hoop + [i * 1.1, 0.0, 0.0] + width * rng.standard_normal(hoop.shape))
    return _stack(parts)


def spirals(rng: Generator) -> Planted:
    """Arms of one spiral, two to four."""
    k, turns = int(rng.integers(2, 5)), rng.uniform(0.6, 1.4)
    noise = rng.uniform(0.005, 0.02)
    parts = []
    for i in range(k):
        along = np.sqrt(rng.uniform(0.03, 1.0, int(rng.integers(150, 400))))
        angle = 2 * np.pi * (turns * along + i / k)
        arm = along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        parts.append(arm + noise * rng.standard_normal(arm.shape))
    return _stack(parts)


def boxes(rng: Generator) -> Planted:
    """Evenly filled boxes with a gap between neighbours."""
    k, p = int(rng.integers(2, 10)), int(rng.integers(2, 4))
    cells = np.array(np.unravel_index(rng.permutation(4**p)[:k], (4,) * p)).T
    gap = rng.uniform(0.05, 0.4)
    parts = []
    for cell, size in zip(cells, _sizes(rng, k, k * int(rng.integers(80, 250))), strict=True):
        parts.append(cell + (1.0 - gap) * rng.uniform(0, 1, (size, p)))
    return _stack(parts)


def bars(rng: Generator) -> Planted:
    """Long evenly filled bars and a disc, at right angles, as the letters of a sign stand."""
    parts = [
        rng.uniform(0, 1, (int(rng.integers(100, 300)), 2)) * [rng.uniform(0.6, 1.0), 4.0],
        [rng.uniform(1.4, 2.0), 0.0]
        + rng.uniform(0, 1, (int(rng.integers(100, 300)), 2)) * [4.0, rng.uniform(0.6, 1.0)],
    ]
    if rng.random() < 0.7:
        size = int(rng.integers(60, 300))
        angle, radius = rng.uniform(0, 2 * np.pi, size), np.sqrt(rng.uniform(0, 1, size))
        disc = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        parts.append(disc * rng.uniform(0.5, 1.0) + [3.5, 3.2])
    return _stack(parts)


def core_and_shell(rng: Generator) -> Planted:
    """Plant a dense ball inside a thin sphere, in three dimensions or more."""
    p = int(rng.integers(3, 6))
    size = int(rng.integers(250, 600))
    direction = rng.standard_normal((size, p))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    shell = direction * rng.uniform(0.9, 1.1, (size, 1))
    core = rng.uniform(0.05, 0.15) * rng.standard_normal((int(rng.integers(200, 600)), p))
    return _stack([shell, core])


def curves(rng: Generator) -> Planted:
    """Random smooth threads in the plane that keep clear of each other."""
    k, p = int(rng.integers(2, 9)), 2
    width = rng.uniform(0.03, 0.12)
    kept: list[FloatArray] = []
    span = 1.6 * k**0.5
    while len(kept) < k:
        thread = _thread(rng, span, p)
        near = [np.linalg.norm(thread[:, None] - other[None], axis=2).min() for other in kept]
        if near and min(near) < 0.9:
            span *= 1.02
            continue
        kept.append(thread)
    parts = []
    for thread in kept:
        rows = rng.choice(len(thread), int(rng.integers(100, 300)))
        parts.append(thread[rows] + width * rng.standard_normal((rows.size, p)))
    return _stack(parts)


def _thread(rng: Generator, span: float, p: int) -> FloatArray:
    steps = np.linspace(0, 1, 120)[:, None]
    bend = sum(
        rng.standard_normal(p) / (i * i) * np.sin(np.pi * i * steps + rng.uniform(0, 6.28))
        for i in (1, 2, 3)
    )
    return np.asarray(rng.uniform(0, span, p) + 1.2 * bend + rng.standard_normal(p) * steps)


def heavy_tails(rng: Generator) -> Planted:
    """Plant groups with Student's t (3 degrees) around their centers: rows stray far."""
    k, p = int(rng.integers(2, 9)), int(rng.integers(2, 6))
    centers = _centers_apart(rng, k, p, rng.uniform(8.0, 14.0))
    sizes = _sizes(rng, k, k * int(rng.integers(60, 150)))
    return _stack([c + rng.standard_t(3, (m, p)) for c, m in zip(centers, sizes, strict=True)])


def high_dimension(rng: Generator) -> Planted:
    """Plant groups in 15 to 50 columns, of which a few or all tell them apart."""
    k, p = int(rng.integers(2, 13)), int(rng.integers(15, 51))
    telling = int(rng.integers(4, p + 1))
    centers = np.zeros((k, p))
    centers[:, :telling] = _centers_apart(rng, k, telling, rng.uniform(4.0, 9.0))
    sizes = _sizes(rng, k, k * int(rng.integers(40, 120)))
    parts = [
        c + rng.uniform(0.6, 1.2) * rng.standard_normal((m, p))
        for c, m in zip(centers, sizes, strict=True)
    ]
    return _stack(parts)


def mixed_shapes(rng: Generator) -> Planted:
    """Plant a ring, a moon, a ball, a bar and a long ellipse, some or all, set side by side."""
    makers = [_ring_part, _moon_part, _ball_part, _bar_part, _ellipse_part]
    order = rng.permutation(len(makers))[: int(rng.integers(3, 6))]
    centers = _centers_apart(rng, len(order), 2, rng.uniform(3.0, 4.0))
    return _stack([makers[j](rng) + c for j, c in zip(order, centers, strict=True)])


def _ring_part(rng: Generator) -> FloatArray:
    angle = rng.uniform(0, 2 * np.pi, int(rng.integers(100, 250)))
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    return np.asarray(ring + 0.06 * rng.standard_normal(ring.shape))


def _moon_part(rng: Generator) -> FloatArray:
    angle = rng.uniform(0, np.pi, int(rng.integers(100, 250)))
    arc = np.column_stack([np.cos(angle), np.sin(angle)])
    return np.asarray(arc + 0.06 * rng.standard_normal(arc.shape))


def _ball_part(rng: Generator) -> FloatArray:
    return rng.uniform(0.15, 0.4) * rng.standard_normal((int(rng.integers(60, 250)), 2))


def _bar_part(rng: Generator) -> FloatArray:
    return rng.uniform(-0.5, 0.5, (int(rng.integers(60, 250)), 2)) * [0.4, 2.6]


def _ellipse_part(rng: Generator) -> FloatArray:
    flat = rng.standard_normal((int(rng.integers(60, 250)), 2)) * [0.12, 0.6]
    return np.asarray(flat @ _rotation(rng, 2))


def overlapping(rng: Generator) -> Planted:
    """Plant Gaussian groups that run into each other, each with its own covariance."""
    k, p = int(rng.integers(2, 17)), int(rng.integers(2, 13))
    return _overlapping(rng, k, p, rng.uniform(3.2, 5.0))


def overlapping_wide(rng: Generator) -> Planted:
    """Plant overlapping Gaussian groups in 13 to 40 columns."""
    k, p = int(rng.integers(2, 15)), int(rng.integers(13, 41))
    return _overlapping(rng, k, p, rng.uniform(3.8, 6.0))


def _overlapping(rng: Generator, k: int, p: int, gap: float) -> Planted:
    centers = rng.standard_normal((k, p))
    apart = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    nearest = np.sort(apart + 99.0 * np.eye(k), axis=1)[:, 0]
    centers *= gap / np.median(nearest)
    sizes = _sizes(rng, k, k * int(rng.integers(40, 110)))
    longest = rng.uniform(1.0, 2.5)
    parts = []
    for center, size in zip(centers, sizes, strict=True):
        axes = np.exp(rng.uniform(-np.log(longest), np.log(longest), p))
        stretch = np.diag(axes / np.exp(np.log(axes).mean())) @ _rotation(rng, p)
        parts.append(center + rng.uniform(0.8, 1.25) * rng.standard_normal((size, p)) @ stretch)
    return _stack(parts)


def crowded(rng: Generator) -> Planted:
    """Plant 12 to 30 round groups close together in the plane or in space."""
    k, p = int(rng.integers(12, 31)), int(rng.integers(2, 4))
    centers = _centers_apart(rng, k, p, rng.uniform(2.9, 5.0))
    sizes = _sizes(rng, k, k * int(rng.integers(30, 60)), 40.0)
    spread = rng.uniform(0.6, 1.0, k)
    return _stack(
        [
            c + w * rng.standard_normal((m, p))
            for c, w, m in zip(centers, spread, sizes, strict=True)
        ]
    )


def crescents(rng: Generator) -> Planted:
    """Plant two facing arcs, one several times as dense as the other."""
    width, shift = rng.uniform(0.05, 0.11), rng.uniform(0.3, 0.7)
    arcs = []
    for flip, size in enumerate((int(rng.integers(60, 150)), int(rng.integers(200, 500)))):
        angle = rng.uniform(0.05, 0.95, size) * np.pi
        arc = np.column_stack([np.cos(angle), np.sin(angle)])
        arc *= 1.0 + width * rng.standard_normal((size, 1))
        arcs.append(np.array([1.0, shift]) - arc if flip else arc)
    return _stack(arcs)


def face(rng: Generator) -> Planted:
    """Plant a ring that holds two or three dense balls and an arc."""
    angle = rng.uniform(0, 2 * np.pi, int(rng.integers(200, 500)))
    radius = 5.0 + rng.uniform(0.1, 0.3) * rng.standard_normal(angle.size)
    parts = [np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])]
    for x in (-1.8, 1.8) if rng.random() < 0.5 else (-2.0, 0.0, 2.0):
        ball = rng.uniform(0.15, 0.4) * rng.standard_normal((int(rng.integers(60, 150)), 2))
        parts.append(ball + np.array([x, rng.uniform(1.0, 2.2)]))
    bend = rng.uniform(1.2, 1.8, int(rng.integers(80, 200))) * np.pi
    mouth = 2.8 * np.column_stack([np.cos(bend), np.sin(bend)])
    parts.append(mouth + 0.12 * rng.standard_normal(mouth.shape))
    return _stack(parts)


def touching(rng: Generator) -> Planted:
    """Plant evenly filled diamonds or triangles that meet at corners, a thin gap between."""
    gap, corner = rng.uniform(0.0, 0.08), rng.random() < 0.5
    parts = []
    for i in range(int(rng.integers(2, 5))):
        filled = rng.uniform(-1, 1, (int(rng.integers(400, 900)), 2))
        inside = np.abs(filled).sum(axis=1) < 1 if corner else filled.sum(axis=1) < 0
        shift = [(2.0 if corner else 2.1) * i + gap * i, rng.uniform(-0.2, 0.2) * (not corner)]
        parts.append(filled[inside] + shift)
    return _stack(parts)


def nested(rng: Generator) -> Planted:
    """Plant three rings or discs inside each other whose densities differ widely."""
    parts = []
    for i in range(int(rng.integers(2, 4))):
        size = int(rng.integers(100, 600))
        angle = rng.uniform(0, 2 * np.pi, size)
        low = i * 1.6 - 0.35 if i else 0.0
        radius = np.sqrt(rng.uniform(low**2, (i * 1.6 + 0.45) ** 2, size))
        parts.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    return _stack(parts)


def waves(rng: Generator) -> Planted:
    """Plant long waves above each other with balls and bars beside them."""
    parts = []
    for i in range(int(rng.integers(2, 4))):
        along = rng.uniform(0, 12, int(rng.integers(200, 450)))
        height = 2.2 * np.sin(0.8 * along) + 3.6 * i
        parts.append(np.column_stack([along, height + 0.3 * rng.standard_normal(along.size)]))
    parts.append(
        rng.uniform(0.5, 1.2) * rng.standard_normal((int(rng.integers(80, 300)), 2)) + [17, 1]
    )
    bar = rng.uniform(0, 1, (int(rng.integers(80, 300)), 2)) * [6.0, 1.2]
    parts.append(bar + np.array([14.5, 6.0]))
    return _stack(parts)


def one_group(rng: Generator) -> Planted:
    """No groups: a single Gaussian or an evenly filled box."""
    n, p = int(rng.integers(200, 1000)), int(rng.integers(2, 8))
    if rng.random() < 0.5:
        stretch = np.diag(rng.uniform(0.4, 2.0, p)) @ _rotation(rng, p)
        return rng.standard_normal((n, p)) @ stretch, np.zeros(n, dtype=np.int64)
    return rng.uniform(0, 1, (n, p)), np.zeros(n, dtype=np.int64)


def with_noise(planted: Planted, share: float, rng: Generator) -> Planted:
    """Add evenly scattered rows of truth -1, `share` of the rows given."""
    points, truth = planted
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.05 * (high - low)
    count = round(share * len(points))
    scattered = rng.uniform(low - margin, high + margin, (count, points.shape[1]))
    return np.vstack([points, scattered]), np.concatenate([truth, np.full(count, NOISE)])


SHAPES: dict[str, Callable[[Generator], Planted]] = {
    "balls": balls,
    "unequal_sizes": unequal_sizes,
    "unequal_densities": unequal_densities,
    "ellipses": ellipses,
    "parallel_strips": parallel_strips,
    "rings": rings,
    "moons": moons,
    "chains": chains,
    "spirals": spirals,
    "boxes": boxes,
    "bars": bars,
    "core_and_shell": core_and_shell,
    "curves": curves,
    "heavy_tails": heavy_tails,
    "high_dimension": high_dimension,
    "mixed_shapes": mixed_shapes,
    "overlapping": overlapping,
    "overlapping_wide": overlapping_wide,
    "crowded": crowded,
    "crescents": crescents,
    "face": face,
    "touching": touching,
    "nested": nested,
    "waves": waves,
}
NOISY_SHAPES = ("balls", "ellipses", "moons", "rings", "mixed_shapes", "waves")


def shape_sets(seed: int) -> list[ShapeSet]:
    """Return one draw of every shape, plus some with 5 to 15% of scattered rows.

    Parameters
    ----------
    seed
        The same seed gives the same sets; another one draws other settings.

    Returns
    -------
    list of (name, points, truth)
        Points of shape (n, p), rows in random order; truth of shape (n,) with -1 for scattered
        rows, which are to be left out of the scoring.
    """
    return list(_shape_sets(seed))


def _shape_sets(seed: int) -> Iterator[ShapeSet]:
    for position, (name, draw) in enumerate(SHAPES.items()):
        rng = np.random.default_rng((seed, position))
        yield _shuffled(name, draw(rng), rng)
    for position, name in enumerate(NOISY_SHAPES):
        rng = np.random.default_rng((seed, 100 + position))
        noisy = with_noise(SHAPES[name](rng), float(rng.uniform(0.05, 0.15)), rng)
        yield _shuffled(f"{name}_noise", noisy, rng)


def _shuffled(name: str, planted: Planted, rng: Generator) -> ShapeSet:
    points, truth = planted
    order = rng.permutation(len(truth))
    return name, np.ascontiguousarray(points[order], dtype=np.float64), truth[order]


SHOP_TABLE = "gold.shop_customers"
SHOP_STUDY: dict[str, object] = {
    "name": "shop",
    "title": "Shop customers",
    "table": SHOP_TABLE,
    "entity": "customer_id",
    "features": {
        "include": ["*_amount", "*_count", "*_share", "days_since_visit", "favourite_channel"],
        "log1p": "auto",
        "winsorise": 0.01,
    },
    "encoding": [{"kind": "pca", "parameters": {"components": 0.9}}],
    "algorithms": [{"name": "kmeans", "k": 6}],
    "stability": {"refits": 0},
    "choose": {"by": "silhouette"},
}
"""The study that benchmarks of a whole run share, on planted customers."""
