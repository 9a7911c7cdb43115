"""The winner of a real search, by each measure and by the rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from planted_gold import planted_study

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.base.progress import Silent
from models_py.clustering.algorithms import Request
from models_py.segmentation.choosing import Winner, choose_winner
from models_py.segmentation.search import Found, Space, search

GROUPS = np.repeat([0, 1, 2, 3], [60, 50, 40, 6])


@pytest.fixture(scope="module")
def points() -> FloatArray:
    """Three groups and a small fourth."""
    centres = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0], [30.0, 30.0]])
    noise = np.random.default_rng(2).normal(size=(len(GROUPS), 2))
    return np.ascontiguousarray(centres[GROUPS] + noise)


@pytest.fixture(scope="module")
def found(points: FloatArray) -> list[Found]:
    requests = [
        Request("kmeans", range(2, 7), {}),
        Request("gaussian_mixture", range(2, 7), {}),
    ]
    return search([Space("none", points)], points, requests, None, 1, Silent())


def choose(points: FloatArray, found: list[Found], refits: int = 4, **section: Any) -> Winner:
    study = planted_study(choose=section, stability={"refits": refits})
    return choose_winner([Space("none", points)], points, None, found, study, seed=1)


@pytest.mark.parametrize(
    ("by", "sign"),
    [
        ("silhouette", 1),
        ("common_silhouette", 1),
        ("calinski_harabasz", 1),
        ("davies_bouldin", -1),
    ],
)
def test_by_one_measure(points: FloatArray, found: list[Found], by: str, sign: int) -> None:
    winner = choose(points, found, by=by)
    figures = np.array([getattr(one.measures, by) for one in found])
    assert winner.position == int(np.argmax(sign * figures))
    assert f"{by.replace('_', ' ')} ({figures[winner.position]:.3f})" in winner.reason
    assert winner.jaccard.shape == (found[winner.position].candidate.k,)


def test_a_measure_that_no_candidate_has(points: FloatArray) -> None:
    alone = search([Space("none", points)], points, [Request("dbscan", [], {"eps": 500.0})],
                   None, 1, Silent())  # fmt: skip
    with pytest.raises(DataError, match=r"no candidate has the measure 'silhouette'"):
        choose(points, alone, by="silhouette")


def test_the_rule_keeps_to_the_smallest_share(points: FloatArray, found: list[Found]) -> None:
    small = choose(points, found, by="rule", min_share=0.01)
    large = choose(points, found, by="rule", min_share=0.2)
    assert small.position is not None
    assert large.position is not None
    assert found[small.position].measures.smallest_share == pytest.approx(6 / 156)
    assert found[large.position].measures.smallest_share >= 0.2
    assert (small.jaccard >= 0.6).all()


def test_rows_left_as_noise_count_nothing() -> None:
    # Two dense cores inside two wide groups: density finds the cores alone, far apart.
    generator = np.random.default_rng(3)
    spreads = np.repeat([0.05, 1.6], [60, 240])
    rows = generator.normal(size=(300, 2)) * spreads[:, None]
    rows[::2, 0] += 8.0
    rows = np.ascontiguousarray(rows)
    requests = [
        Request("kmeans", [2], {}),
        Request("dbscan", [], {"eps": 0.15, "min_samples": 8}),
    ]
    found = search([Space("none", rows)], rows, requests, None, 1, Silent())
    kmeans, dbscan = (one.measures for one in found)
    assert dbscan.common_silhouette > kmeans.common_silhouette
    assert dbscan.noise_share > 0.5

    assert choose(rows, found, by="rule", min_share=0.01, refits=0).position == 0
    alone = choose(rows, found[1:], by="rule", min_share=0.01, refits=0)
    counted = dbscan.common_silhouette * (1 - dbscan.noise_share)
    assert f"common-space silhouette {counted:.3f}" in alone.reason
    assert f"the {dbscan.noise_share:.0%} of the rows that are noise count 0" in alone.reason


def test_no_segment_is_large_enough(points: FloatArray, found: list[Found]) -> None:
    winner = choose(points, found, by="rule", min_share=0.95)
    assert winner.position is None
    assert winner.reason.startswith("one segment")


def test_within_the_tolerance_the_finest_wins(points: FloatArray, found: list[Found]) -> None:
    exact = choose(points, found, by="rule", min_share=0.01, min_stability=0.0)
    loose = choose(points, found, by="rule", min_share=0.01, min_stability=0.0, tolerance=0.6)
    assert exact.position is not None
    assert loose.position is not None
    assert found[loose.position].candidate.k > found[exact.position].candidate.k
    limit = 0.4 * found[exact.position].measures.common_silhouette
    assert found[loose.position].measures.common_silhouette >= limit


def test_the_same_seed_gives_the_same_winner(points: FloatArray, found: list[Found]) -> None:
    one, two = (choose(points, found, by="rule") for _ in range(2))
    assert (one.position, one.reason) == (two.position, two.reason)
    np.testing.assert_array_equal(one.jaccard, two.jaccard)


def test_without_refits_nothing_is_called_stable(points: FloatArray, found: list[Found]) -> None:
    winner = choose(points, found, refits=0, by="rule")
    assert np.isnan(winner.jaccard).all()
    assert winner.refitted == {}


@pytest.mark.parametrize("by", ["silhouette", "rule", "stability"])
def test_a_fixed_number_of_segments(points: FloatArray, found: list[Found], by: str) -> None:
    winner = choose(points, found, by=by, k=5, min_share=0.0)
    assert winner.position is not None
    assert found[winner.position].candidate.k == 5
    assert all(found[place].candidate.k == 5 for place in winner.refitted)


def test_a_fixed_number_that_no_candidate_has(points: FloatArray, found: list[Found]) -> None:
    with pytest.raises(DataError, match=r"choose.k = 9: no candidate has 9 segments .*2, 3"):
        choose(points, found, by="silhouette", k=9)
