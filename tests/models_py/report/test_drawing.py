"""Drawings escape what they are given and draw it where it belongs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from models_py.base.arrays import FloatArray
from models_py.report import drawing as drawing_module, pictures
from models_py.report.drawing import (
    PALETTE,
    Frame,
    drawing,
    label,
    set_apart,
    tag,
    tick_text,
    ticks,
)
from models_py.report.line_charts import Band, Curve, draw_curves, draw_silhouettes
from models_py.report.map_charts import Cloud, Place, Swarm, draw_map, draw_swarms, spread_apart
from models_py.report.shape_charts import (
    Bar,
    Node,
    draw_bars,
    draw_flows,
    draw_grid,
    draw_tree,
    leaf_order,
)

AWKWARD = "<b onload='x'>\"&"


STYLE = Path(drawing_module.__file__).parent / "templates" / "style.css"
SIGHTS = (
    np.eye(3),
    np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
)
"""Common sight, deuteranopia, protanopia, tritanopia in linear RGB (Machado et al. 2009)."""


def seen(colours: list[str], sight: FloatArray) -> FloatArray:
    """The colours in CIELAB as that sight sees them."""
    rgb = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = np.clip(linear @ sight.T, 0, 1) @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    curved = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = curved.T
    return np.column_stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def palettes() -> list[list[str]]:
    """The palettes of the style: light, dark, paper."""
    names = re.findall(r"--s(\d+): (#[0-9a-f]{6});", STYLE.read_text(encoding="utf-8"))
    assert [int(place) for place, _ in names] == list(range(1, PALETTE + 1)) * 3
    colours = [colour for _, colour in names]
    return [colours[first : first + PALETTE] for first in range(0, 3 * PALETTE, PALETTE)]


@pytest.mark.parametrize(
    "sight", SIGHTS, ids=["common", "deuteranopia", "protanopia", "tritanopia"]
)
def test_colours_can_be_told_apart(sight: FloatArray) -> None:
    for colours in palettes():
        points = seen(colours, sight)
        apart = np.linalg.norm(points[:, None] - points[None, :], axis=2)
        np.fill_diagonal(apart, np.inf)
        assert apart[:6, :6].min() > 15
        assert apart.min() > 9


def test_pictures_have_the_colours_of_paper() -> None:
    assert list(pictures.PALETTE) == palettes()[0] == palettes()[2]


def test_everything_is_escaped() -> None:
    drawn = [
        label(1.0, 2.0, AWKWARD, tip=AWKWARD),
        drawing(10.0, AWKWARD),
        draw_bars([Bar(AWKWARD, AWKWARD, 0.5)], AWKWARD),
        draw_grid(np.eye(2), [AWKWARD, "b"], AWKWARD),
        draw_map(
            [Cloud(AWKWARD, "1", 1, np.eye(3)[:, :2])], AWKWARD, "", AWKWARD, [Place(AWKWARD, 0, 0)]
        ),
        draw_curves([Curve(AWKWARD, np.arange(3.0), np.arange(3.0))] * 2, AWKWARD, "y", AWKWARD),
    ]
    for item in drawn:
        assert "<b " not in item
        assert "&lt;b" in item
        assert "onload='" not in item


def test_attributes() -> None:
    assert tag("g", class_="a", stroke_width=1.25, x=None) == '<g class="a" stroke-width="1.2"></g>'


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-3, 1e6, allow_nan=False),
    st.integers(3, 8),
)
def test_ticks_are_inside_and_evenly_spaced(low: float, width: float, about: int) -> None:
    result = ticks(low, low + width, about)
    assert 1 <= len(result) <= about * 2.6 + 1
    assert all(low - width * 1e-6 <= candidate <= low + width * (1 + 1e-6) for candidate in result)
    if len(result) > 2:
        steps = np.diff(result)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6)


def test_short_numbers_on_axes() -> None:
    texts = [tick_text(value) for value in (0.0, 0.25, 4000.0, 20000.0, 2.5e6, -1.5)]
    assert texts == ["0", "0.25", "4,000", "20k", "2.5M", "\u22121.5"]


def test_scales() -> None:
    frame = Frame(100.0, (0.0, 10.0), (0.0, 1.0), left=40, right=0, top=0, bottom=0)
    assert (frame.x(0.0), frame.x(10.0)) == (40.0, 440.0)
    assert (frame.y(0.0), frame.y(1.0)) == (100.0, 0.0)


def test_the_chosen_point_wears_a_ring() -> None:
    curve = Curve("k-means", np.array([2.0, 3.0, 4.0]), np.array([0.2, 0.5, 0.3]), chosen=1)
    drawn = draw_curves([curve], "k", "silhouette", "a curve")
    ring = re.search(r'<circle cx="([\d.]+)"[^>]*class="ring"', drawn)
    dots = re.findall(r'<circle cx="([\d.]+)"[^>]*class="dot', drawn)
    assert ring is not None
    assert ring[1] == dots[1]


def test_silhouette_bands_are_as_thick_as_segments_are_large() -> None:
    bands = [Band("1 a", 1, np.linspace(0, 1, 300)), Band("2 b", 2, np.linspace(-0.2, 0.5, 100))]
    drawn = draw_silhouettes(bands, 0.4, "bands")
    tall = []
    for path in re.findall(r'd="M([^"]+)Z"', drawn):
        ys = [float(point.split(" ")[1]) for point in path.split("L")]
        tall.append(max(ys) - min(ys))
    assert tall[0] == pytest.approx(3 * tall[1], rel=0.01)


def test_flows_add_up() -> None:
    before = [Node(1, "1", 1, 60), Node(2, "2", 2, 40)]
    after = [Node(1, "1", 1, 50), Node(None, "gone", 8, 50)]
    flows = [(1, 1, 40), (1, None, 20), (2, 1, 10), (2, None, 30)]
    drawn = draw_flows(before, after, flows, "flows")
    assert drawn.count('class="flow') == 4
    assert "1 to gone: 20" in drawn
    nodes = [float(tall) for tall in re.findall(r'height="([\d.]+)" class="node', drawn)]
    np.testing.assert_allclose(nodes, np.array([60, 40, 50, 50]) * nodes[0] / 60, atol=0.11)


def test_branches_do_not_cross() -> None:
    tree = np.array([[0, 2, 1.0, 2], [1, 3, 2.0, 2], [4, 5, 3.0, 4]])
    assert leaf_order(tree, 4).tolist() == [0, 2, 1, 3]
    drawn = draw_tree(tree, list("abcd"), [1, 2, 3, 4], "tree")
    heights = {name: float(y) for y, name in re.findall(r'y="([\d.]+)"[^>]*>([abcd])<', drawn)}
    assert sorted(heights, key=heights.__getitem__) == ["a", "c", "b", "d"]


def test_a_swarm_draws_every_point_once() -> None:
    generator = np.random.default_rng(1)
    swarm = Swarm("spend", generator.normal(size=90), np.repeat([1.0, 5.0, 9.0], 30))
    drawn = draw_swarms([swarm], "against", "for", "swarm")
    assert sum(path.count("h0") for path in re.findall(r'd="([^"]+)"', drawn)) == 90


def test_crowded_points_step_aside() -> None:
    steps = spread_apart(np.array([1.0, 1.1, 1.2, 9.0]), 3.0)
    assert steps.tolist() == [0, -1, 1, 0]


def test_the_style_has_whole_rules_and_none_twice() -> None:
    lines = STYLE.read_text(encoding="utf-8").splitlines()
    depth = 0
    for number, line in enumerate(lines, start=1):
        for sign in line:
            depth += {"{": 1, "}": -1}.get(sign, 0)
            assert depth >= 0, f"line {number} ends what was not begun"
    assert depth == 0
    rules = [line for line in lines if "{" in line and "}" in line]
    assert sorted(set(rules)) == sorted(rules)


def test_ticks_under_a_thousandth_differ() -> None:
    assert [tick_text(value) for value in (0.0, 0.0002, 0.0004)] == ["0", "0.0002", "0.0004"]
    assert tick_text(-0.0002) == "\N{MINUS SIGN}0.0002"


def test_marks_that_would_cover_each_other_stand_side_by_side() -> None:
    placed = set_apart([(50.0, 10.0), (52.0, 12.0), (60.0, 11.0), (50.0, 90.0)])
    assert placed[0] == (50.0, 10.0)
    assert placed[3] == (50.0, 90.0)
    xs = sorted(x for x, _ in placed[:3])
    assert float(np.diff(xs).min()) >= 19.0
