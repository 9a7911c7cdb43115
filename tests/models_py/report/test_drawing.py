"""Drawings escape what they are given and draw it where it belongs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_py.report.drawing import Frame, drawing, label, tag, tick_text, ticks
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
    for one in drawn:
        assert "<b " not in one
        assert "&lt;b" in one
        assert "onload='" not in one


def test_attributes() -> None:
    assert tag("g", class_="a", stroke_width=1.25, x=None) == '<g class="a" stroke-width="1.2"></g>'


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-3, 1e6, allow_nan=False),
    st.integers(3, 8),
)
def test_ticks_are_inside_and_evenly_spaced(low: float, width: float, about: int) -> None:
    found = ticks(low, low + width, about)
    assert 1 <= len(found) <= about * 2.6 + 1
    assert all(low - width * 1e-6 <= one <= low + width * (1 + 1e-6) for one in found)
    if len(found) > 2:
        steps = np.diff(found)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6)


def test_short_numbers_on_axes() -> None:
    told = [tick_text(value) for value in (0.0, 0.25, 4000.0, 20000.0, 2.5e6, -1.5)]
    assert told == ["0", "0.25", "4,000", "20k", "2.5M", "\u22121.5"]


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
