"""How clearly a row belongs to its segment."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.rows import group_centers
from models_py.segmentation.measures.confidence import confidences


def confidences_of(points: FloatArray, groups: IntArray) -> FloatArray:
    return confidences(points, groups, group_centers(points, groups))


def test_confidence_is_one_minus_the_ratio_of_distances() -> None:
    points = np.array([[0.0], [0.0], [2.0], [10.0], [10.0]])
    groups = np.array([0, 0, 0, 1, 1])
    own, other = 2 / 3, 10 - 2 / 3
    expected = [1 - own / 10, 1 - own / 10, 1 - (2 - own) / 8, 1.0, 1.0]
    assert other > own
    np.testing.assert_allclose(confidences_of(points, groups), expected)


def test_confidence_never_leaves_zero_to_one() -> None:
    points = np.array([[0.0], [9.0], [10.0], [11.0]])
    values = confidences_of(points, np.array([0, 0, 1, 1]))
    assert values[1] == 0.0
    assert ((values >= 0) & (values <= 1)).all()
    np.testing.assert_array_equal(confidences_of(points, np.zeros(4, dtype=np.int64)), 1.0)


def test_centers_in_one_place_give_no_confidence() -> None:
    points = np.array([[-1.0], [1.0], [-2.0], [2.0]])
    np.testing.assert_array_equal(confidences_of(points, np.array([0, 0, 1, 1])), 0.0)
    np.testing.assert_array_equal(confidences_of(points * 0, np.array([0, 0, 1, 1])), 0.0)


def test_cosine_confidence_is_of_angles() -> None:
    generator = np.random.default_rng(4)
    points = generator.normal(size=(60, 3)) + np.array([4.0, 0.0, 1.0])
    points[30:] = points[30:, ::-1] * 7.0
    groups = np.repeat([0, 1], 30)
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    middles = np.array([units[groups == group].mean(axis=0) for group in (0, 1)])
    apart = pairwise_distances(points, middles, metric="cosine")
    own, other = apart[np.arange(60), groups], apart[np.arange(60), 1 - groups]
    measured = confidences(units, groups, group_centers(units, groups), "cosine")
    np.testing.assert_allclose(measured, np.clip(1.0 - own / other, 0.0, 1.0), atol=1e-9)
