"""Centres of groups, held against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestCentroid

from models_py.clustering.rows import centre_distances, group_centres, nearest_centres


def test_centres_and_nearest_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    points = generator.normal(size=(200, 5))
    groups = generator.integers(0, 4, 200)
    theirs = NearestCentroid().fit(points, groups)
    centres = group_centres(points, groups)
    np.testing.assert_allclose(centres, theirs.centroids_, rtol=1e-12)
    new = generator.normal(size=(50, 5))
    np.testing.assert_array_equal(nearest_centres(new, centres), theirs.predict(new))
    np.testing.assert_allclose(
        centre_distances(new, centres), pairwise_distances(new, centres), rtol=1e-10
    )


def test_one_group() -> None:
    points = np.array([[1.0, 2.0], [3.0, 6.0]])
    centres = group_centres(points, np.zeros(2, dtype=np.int64))
    np.testing.assert_array_equal(centres, [[2.0, 4.0]])
    np.testing.assert_array_equal(nearest_centres(points, centres), [0, 0])
