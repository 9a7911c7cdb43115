"""Centers of groups, held against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestCentroid

from models_py.clustering.rows import center_distances, group_centers, nearest_centers


def test_centers_and_nearest_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    points = generator.normal(size=(200, 5))
    groups = generator.integers(0, 4, 200)
    theirs = NearestCentroid().fit(points, groups)
    centers = group_centers(points, groups)
    np.testing.assert_allclose(centers, theirs.centroids_, rtol=1e-12)
    new = generator.normal(size=(50, 5))
    np.testing.assert_array_equal(nearest_centers(new, centers), theirs.predict(new))
    np.testing.assert_allclose(
        center_distances(new, centers), pairwise_distances(new, centers), rtol=1e-10
    )


def test_one_group() -> None:
    points = np.array([[1.0, 2.0], [3.0, 6.0]])
    centers = group_centers(points, np.zeros(2, dtype=np.int64))
    np.testing.assert_array_equal(centers, [[2.0, 4.0]])
    np.testing.assert_array_equal(nearest_centers(points, centers), [0, 0])
