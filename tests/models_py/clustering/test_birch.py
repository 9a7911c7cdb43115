"""BIRCH against scikit-learn's own global step, Ward linkage and planted groups."""

import numpy as np
import pytest
from planted_groups import drawn_groups
from sklearn.cluster import AgglomerativeClustering, Birch
from sklearn.metrics import adjusted_rand_score

from models_py.base.errors import DataError
from models_py.clustering import birch
from models_py.clustering.birch import birch_sweep


def test_labels_equal_scikit_learns_at_the_same_threshold():
    points = drawn_groups(900, 4, spread=4.0)
    for candidate in birch_sweep(points, [2, 6]):
        threshold = candidate.parameters["threshold"]
        rival = Birch(threshold=threshold, n_clusters=candidate.k).fit_predict(points)
        assert adjusted_rand_score(rival, candidate.labels) == pytest.approx(1.0)
        assert 6 <= len(candidate.model.centers) <= birch.MOST_SUBCLUSTERS


def test_few_rows_are_clustered_by_ward_itself():
    points = drawn_groups(200, 3)
    for candidate in birch_sweep(points, [2, 5, 9]):
        rival = AgglomerativeClustering(candidate.k).fit_predict(points)
        assert adjusted_rand_score(rival, candidate.labels) == pytest.approx(1.0)


def test_groups_are_found_and_new_rows_join_them():
    generator = np.random.default_rng(0)
    centers = 12.0 * np.eye(5)
    truth = generator.integers(0, 5, 4_000)
    points = centers[truth] + generator.standard_normal((4_000, 5))
    (candidate,) = birch_sweep(points[:3_000], [5])
    assert adjusted_rand_score(truth[:3_000], candidate.labels) == 1.0
    assert (candidate.model.predict(points[:3_000]) == candidate.labels).all()
    assert adjusted_rand_score(truth[3_000:], candidate.model.predict(points[3_000:])) == 1.0


def test_a_threshold_that_leaves_too_many_subclusters_is_raised():
    points = drawn_groups(600, 3)
    (candidate,) = birch_sweep(points, [3], threshold=0.05)
    assert candidate.parameters["threshold"] > 0.05
    assert len(candidate.model.centers) <= birch.MOST_SUBCLUSTERS


def test_a_k_beyond_the_subclusters_gives_no_candidate():
    points = np.repeat(np.arange(40.0), 20)[:, None]
    assert [each.k for each in birch_sweep(points, [2, 30], threshold=9.0)] == [2]


def test_more_clusters_than_distinct_rows_are_refused():
    with pytest.raises(DataError, match="3 clusters need 3 distinct rows"):
        birch_sweep(np.repeat([[0.0], [1.0]], 5, axis=0), [3])
