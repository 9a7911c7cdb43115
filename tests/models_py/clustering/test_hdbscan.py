"""HDBSCAN against scikit-learn, scipy's trees and hand-computed tables."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from planted_groups import chosen_distances, drawn_groups
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from models_py.base.errors import DataError
from models_py.clustering.hdbscan import density_hierarchy, hdbscan


def rival_hdbscan(points, **settings_of_rival):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return HDBSCAN(copy=True, **settings_of_rival).fit_predict(points)


@pytest.mark.parametrize("min_samples", [1, 5, 20])
@pytest.mark.parametrize("p", [3, 24])
def test_tree_has_the_lengths_of_scipys_spanning_tree(min_samples, p):
    points = drawn_groups(250, p)
    core = chosen_distances(points, min_samples)
    reach = np.maximum(np.maximum(cdist(points, points), core[:, None]), core)
    np.fill_diagonal(reach, 0.0)
    tree = density_hierarchy(points, min_samples)
    assert np.sort(minimum_spanning_tree(reach).data) == pytest.approx(tree.lengths)


def test_tree_of_distances_alone_is_single_linkage():
    points = drawn_groups(200, 2)
    tree = density_hierarchy(points, 1)
    by_scipy = linkage(points, "single")
    assert tree.lengths == pytest.approx(by_scipy[:, 2])
    assert (tree.sizes == by_scipy[:, 3]).all()
    assert (np.sort(tree.nodes, axis=1) == np.sort(by_scipy[:, :2], axis=1)).all()


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize(("n", "p", "size"), [(500, 2, 5), (1200, 4, 20), (1000, 8, 50)])
def test_hdbscan_agrees_with_scikit_learns(n, p, size, selection):
    """Rows at equal distances may be merged in another order, so nearly all must agree."""
    points = drawn_groups(n, p, seed=n)
    (candidate,) = hdbscan(points, min_cluster_size=size, selection=selection)
    rival = rival_hdbscan(points, min_cluster_size=size, cluster_selection_method=selection)
    floor = 0.97 if selection == "eom" else 0.9
    assert adjusted_rand_score(candidate.labels, rival) >= floor


def test_hdbscan_without_ties_equals_scikit_learns():
    points = drawn_groups(800, 2, spread=6.0)
    (candidate,) = hdbscan(points, min_cluster_size=15, min_samples=1)
    rival = rival_hdbscan(points, min_cluster_size=15, min_samples=1)
    assert adjusted_rand_score(candidate.labels, rival) == 1.0
    assert ((candidate.labels < 0) == (rival < 0)).all()


def test_one_tree_serves_every_size():
    points = drawn_groups(600, 3)
    several = hdbscan(points, min_cluster_size=[10, 25, 60], min_samples=8)
    for candidate in several:
        size = candidate.parameters["min_cluster_size"]
        (alone,) = hdbscan(points, min_cluster_size=size, min_samples=8)
        assert (alone.labels == candidate.labels).all()
        inside = candidate.labels[candidate.labels >= 0]
        assert np.bincount(inside).min(initial=size) >= size


def test_two_chains_and_a_stray_row_by_hand():
    points = np.array([[0.0], [1.0], [2.0], [3.0], [50.0], [51.0], [52.0], [53.0], [500.0]])
    (candidate,) = hdbscan(points, min_cluster_size=3, min_samples=1)
    assert candidate.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, -1]


def test_one_group_is_all_noise_and_predicts_nothing():
    points = np.random.default_rng(0).uniform(size=(300, 2))
    (none,) = hdbscan(points, min_cluster_size=200)
    assert none.k == 0
    with pytest.raises(DataError, match="all rows are noise"):
        none.model.predict(points)


@given(
    table=st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=2, max_size=40),
    min_samples=st.integers(1, 6),
)
@settings(max_examples=60, deadline=None)
def test_any_small_table_with_duplicates(table, min_samples):
    points = np.array(table, dtype=np.float64)
    min_samples = min(min_samples, len(points))
    for candidate in hdbscan(points, min_cluster_size=[2, len(points)], min_samples=min_samples):
        assert set(candidate.labels) - {-1} == set(range(candidate.k))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: hdbscan(x, min_cluster_size=1), "min_cluster_size: 1 does not lie within 2..10"),
        (lambda x: hdbscan(x, min_cluster_size=[]), "none was given"),
        (lambda x: density_hierarchy(x[:1], 1), "at least two rows"),
        (lambda x: hdbscan(x * np.inf, min_cluster_size=2), "missing or infinite"),
    ],
)
def test_bad_input_is_one_line(call, said):
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(DataError, match=said) as refused,
    ):
        call(drawn_groups(10, 2))
    assert "\n" not in str(refused.value)
