"""DBSCAN and HDBSCAN against scikit-learn, scipy's trees and hand-computed tables."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics import adjusted_rand_score

from models_py.base import threads
from models_py.base.errors import DataError, MemoryRefusedError
from models_py.clustering import density
from models_py.clustering.dbscan import dbscan, dbscan_peak_bytes
from models_py.clustering.density import (
    default_min_samples,
    density_hierarchy,
    hdbscan,
    hdbscan_peak_bytes,
    neighbour_distances,
)


def drawn_groups(n, p, groups=6, spread=3.0, seed=0):
    generator = np.random.default_rng(seed)
    centers = generator.normal(scale=spread, size=(groups, p))
    return centers[generator.integers(0, groups, n)] + generator.standard_normal((n, p))


def rival_hdbscan(points, **settings_of_rival):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return HDBSCAN(copy=True, **settings_of_rival).fit_predict(points)


def chosen_distances(points, count):
    return np.sort(cdist(points, points), axis=1)[:, count - 1]


@pytest.mark.parametrize(("n", "p", "spread"), [(400, 2, 3.0), (900, 4, 3.0), (900, 25, 1.0)])
def test_dbscan_labels_equal_scikit_learns(n, p, spread):
    points = drawn_groups(n, p, spread=spread)
    candidates = dbscan(points)
    eps, min_samples = candidates.parameters["eps"], candidates.parameters["min_samples"]
    assert min_samples == default_min_samples(n, p)
    for radius in (0.6 * eps, eps, 1.5 * eps):
        rival = DBSCAN(eps=radius, min_samples=min_samples).fit(points)
        ours = dbscan(points, eps=radius, min_samples=min_samples)
        assert (ours.labels == rival.labels_).all()
        assert len(ours.model.core_points) == len(rival.core_sample_indices_)


def test_dbscan_in_small_blocks_is_the_same(monkeypatch):
    points = drawn_groups(500, 3)
    whole = dbscan(points, eps=1.0, min_samples=5)
    monkeypatch.setattr(density, "NEIGHBOURS_AT_ONCE", 100)
    assert (dbscan(points, eps=1.0, min_samples=5).labels == whole.labels).all()


def test_dbscan_by_hand():
    """Three in a row are one cluster, the border row joins it, the far one is noise."""
    points = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    candidates = dbscan(points, eps=1.0, min_samples=3)
    assert candidates.labels.tolist() == [0, 0, 0, 0, -1]
    assert candidates.model.core_points[:, 0].tolist() == [1.0, 2.0]


def test_the_knee_lies_between_groups_and_noise():
    """Nine tenths of the rows have k-distances near 1, the rest rise to 11."""
    curve = np.concatenate([np.linspace(0.9, 1.0, 90), np.linspace(1.0, 11.0, 11)[1:]])
    assert curve[density._knee(curve)] == pytest.approx(1.0)


def test_the_knee_is_one_of_the_k_distances():
    points = drawn_groups(300, 2)
    eps = dbscan(points, min_samples=5).parameters["eps"]
    assert np.isclose(chosen_distances(points, 5), eps).any()


def test_the_knee_of_duplicates_is_above_zero():
    points = np.repeat([[0.0, 0.0], [3.0, 4.0], [0.0, 9.0]], 10, axis=0)
    candidates = dbscan(points, min_samples=4)
    assert candidates.parameters["eps"] == pytest.approx(5.0)
    assert candidates.k >= 1


@pytest.mark.parametrize("p", [2, 30])
def test_neighbour_distances_count_the_row_itself(p):
    points = drawn_groups(200, p)
    assert neighbour_distances(points, 1) == pytest.approx(np.zeros(200), abs=1e-6)
    assert neighbour_distances(points, 7) == pytest.approx(chosen_distances(points, 7))


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
    (candidates,) = hdbscan(points, min_cluster_size=size, selection=selection)
    rival = rival_hdbscan(points, min_cluster_size=size, cluster_selection_method=selection)
    floor = 0.97 if selection == "eom" else 0.9
    assert adjusted_rand_score(candidates.labels, rival) >= floor


def test_hdbscan_without_ties_equals_scikit_learns():
    points = drawn_groups(800, 2, spread=6.0)
    (candidates,) = hdbscan(points, min_cluster_size=15, min_samples=1)
    rival = rival_hdbscan(points, min_cluster_size=15, min_samples=1)
    assert adjusted_rand_score(candidates.labels, rival) == 1.0
    assert ((candidates.labels < 0) == (rival < 0)).all()


def test_one_tree_serves_every_size():
    points = drawn_groups(600, 3)
    several = hdbscan(points, min_cluster_size=[10, 25, 60], min_samples=8)
    for candidates in several:
        size = candidates.parameters["min_cluster_size"]
        (alone,) = hdbscan(points, min_cluster_size=size, min_samples=8)
        assert (alone.labels == candidates.labels).all()
        inside = candidates.labels[candidates.labels >= 0]
        assert np.bincount(inside).min(initial=size) >= size


def test_two_chains_and_a_stray_row_by_hand():
    points = np.array([[0.0], [1.0], [2.0], [3.0], [50.0], [51.0], [52.0], [53.0], [500.0]])
    (candidates,) = hdbscan(points, min_cluster_size=3, min_samples=1)
    assert candidates.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, -1]


def test_one_group_is_one_cluster_when_allowed():
    points = np.random.default_rng(0).uniform(size=(300, 2))
    (candidates,) = hdbscan(points, min_cluster_size=200, allow_single_cluster=True)
    assert candidates.k == 1
    (none,) = hdbscan(points, min_cluster_size=200)
    assert none.k == 0
    with pytest.raises(DataError, match="all rows are noise"):
        none.model.predict(points)


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_any_row_gets_the_nearest_cluster(method):
    points = drawn_groups(500, 2, spread=8.0)
    candidates = dbscan(points) if method == "dbscan" else hdbscan(points, min_cluster_size=20)[0]
    labels, distances = candidates.model.predict_with_distance(points)
    apart = cdist(points, candidates.model.core_points)
    assert distances == pytest.approx(apart.min(axis=1), abs=1e-9)
    assert (labels == candidates.model.labels[apart.argmin(axis=1)]).all()
    if method == "hdbscan":
        kept = candidates.labels >= 0
        assert (labels[kept] == candidates.labels[kept]).all()
    with pytest.raises(DataError, match="3 columns, the model was fitted on 2"):
        candidates.model.predict(np.zeros((2, 3)))


def test_same_labels_whatever_the_threads(monkeypatch):
    points = drawn_groups(700, 3)
    first = dbscan(points).labels, hdbscan(points, min_cluster_size=10)[0].labels
    for module in (threads, density):
        monkeypatch.setattr(module, "thread_count", lambda: 1)
    assert (dbscan(points).labels == first[0]).all()
    assert (hdbscan(points, min_cluster_size=10)[0].labels == first[1]).all()


@given(
    table=st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=2, max_size=40),
    min_samples=st.integers(1, 6),
    eps=st.sampled_from([0.5, 1.0, 1.5, 3.0]),
)
@settings(max_examples=60, deadline=None)
def test_any_small_table_with_duplicates(table, min_samples, eps):
    points = np.array(table, dtype=np.float64)
    min_samples = min(min_samples, len(points))
    rival = DBSCAN(eps=eps, min_samples=min_samples).fit(points)
    assert (dbscan(points, eps=eps, min_samples=min_samples).labels == rival.labels_).all()
    for candidates in hdbscan(points, min_cluster_size=[2, len(points)], min_samples=min_samples):
        assert set(candidates.labels) - {-1} == set(range(candidates.k))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: dbscan(x, eps=0.0), "eps: 0.0 is no radius"),
        (lambda x: dbscan(x, eps=float("nan")), "eps: nan is no radius"),
        (lambda x: dbscan(x, min_samples=100), "min_samples: 100 does not lie within 1..10"),
        (lambda x: dbscan(np.ones((10, 2))), "all rows are equal"),
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


def test_work_that_does_not_fit_is_refused_with_a_way_out():
    points = drawn_groups(200, 2)
    for call in (dbscan, hdbscan):
        extra = {"min_cluster_size": 5} if call is hdbscan else {}
        with pytest.raises(MemoryRefusedError, match=r"200 rows needs .* cluster a sample"):
            call(points, memory_limit=1000, **extra)


def test_memory_estimates_are_linear_in_rows():
    assert hdbscan_peak_bytes(100_000, 4) == 2 * hdbscan_peak_bytes(50_000, 4)
    assert dbscan_peak_bytes(2_000_000, 4) < 2.1 * dbscan_peak_bytes(1_000_000, 4)
