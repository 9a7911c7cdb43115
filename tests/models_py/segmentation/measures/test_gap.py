"""The gap statistic finds planted numbers of groups, and one group where there is one."""

import numpy as np
import pytest

from models_py.base.errors import DataError
from models_py.segmentation.measures.gap import (
    GapStatistic,
    gap_statistic,
    inertia,
    kmeans_inertias,
)


def three_balls(rng):
    centers = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
    return np.vstack([c + rng.standard_normal((60, 2)) * 0.7 for c in centers])


def test_three_balls_are_three():
    candidates = gap_statistic(three_balls(np.random.default_rng(3)), range(1, 7), seed=0)
    assert candidates.chosen == 3
    assert candidates.ks == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("seed", range(4))
def test_one_group_is_one(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (200, 3))
    assert gap_statistic(points, range(1, 6), seed=seed).chosen == 1


def test_figures_follow_the_definition():
    """With inertias given, gap and error are mean and widened deviation of the logarithms."""
    own = np.array([100.0, 40.0])
    drawn = [np.array([90.0, 60.0]), np.array([110.0, 70.0]), np.array([100.0, 65.0])]
    calls = iter([own, *drawn])
    candidates = gap_statistic(
        np.random.default_rng(0).standard_normal((30, 2)),
        [1, 2],
        seed=0,
        references=3,
        inertias=lambda points, ks, seed: next(calls),
    )
    logs = np.log(drawn)
    assert candidates.gaps == pytest.approx(logs.mean(axis=0) - np.log(own))
    assert candidates.standard_errors == pytest.approx(logs.std(axis=0) * np.sqrt(1 + 1 / 3))
    assert isinstance(candidates, GapStatistic)
    assert candidates.chosen == 2


def test_same_seed_same_figures():
    points = three_balls(np.random.default_rng(1))
    first, second = (gap_statistic(points, [1, 2, 3], seed=7, references=3) for _ in range(2))
    assert np.array_equal(first.gaps, second.gaps)
    assert np.array_equal(first.standard_errors, second.standard_errors)


def test_inertia_is_summed_squared_distance_to_the_means():
    points = np.array([[0.0], [2.0], [10.0]])
    assert inertia(points, np.array([0, 0, 1])) == pytest.approx(2.0)
    assert kmeans_inertias(points, [1, 2, 3], 0) == pytest.approx([56.0, 2.0, 0.0])


@pytest.mark.parametrize(
    ("ks", "references", "message"),
    [
        ([0, 1], 5, "must lie in 1..3"),
        ([2, 4], 5, "distinct rows"),
        ([], 5, "must"),
        ([1], 1, "2 or"),
    ],
)
def test_bad_requests_are_refused(ks, references, message):
    points = np.array([[0.0], [2.0], [10.0], [10.0]])
    with pytest.raises(DataError, match=message):
        gap_statistic(points, ks, seed=0, references=references)
