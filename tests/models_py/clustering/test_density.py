"""Neighbours and the model that DBSCAN and HDBSCAN share, against all distances."""

import numpy as np
import pytest
from planted_groups import chosen_distances, drawn_groups
from scipy.spatial.distance import cdist

from models_py.base import threads
from models_py.base.errors import DataError
from models_py.clustering import density
from models_py.clustering.dbscan import dbscan
from models_py.clustering.density import neighbour_distances
from models_py.clustering.hdbscan import hdbscan


@pytest.mark.parametrize("p", [2, 30])
def test_neighbour_distances_count_the_row_itself(p):
    points = drawn_groups(200, p)
    assert neighbour_distances(points, 1) == pytest.approx(np.zeros(200), abs=1e-6)
    assert neighbour_distances(points, 7) == pytest.approx(chosen_distances(points, 7))


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_any_row_gets_the_nearest_cluster(method):
    points = drawn_groups(500, 2, spread=8.0)
    candidate = dbscan(points) if method == "dbscan" else hdbscan(points, min_cluster_size=20)[0]
    labels, distances = candidate.model.predict_with_distance(points)
    apart = cdist(points, candidate.model.core_points)
    assert distances == pytest.approx(apart.min(axis=1), abs=1e-9)
    assert (labels == candidate.model.labels[apart.argmin(axis=1)]).all()
    if method == "hdbscan":
        kept = candidate.labels >= 0
        assert (labels[kept] == candidate.labels[kept]).all()
    with pytest.raises(DataError, match="3 columns, the model was fitted on 2"):
        candidate.model.predict(np.zeros((2, 3)))


def test_neighbour_distances_in_blocks_are_the_same(monkeypatch):
    points = drawn_groups(900, 30)
    whole = neighbour_distances(points, 9)
    monkeypatch.setattr(density, "DISTANCES_AT_ONCE", 300 * 9)
    assert (neighbour_distances(points, 9) == whole).all()


def test_same_labels_whatever_the_threads(monkeypatch):
    points = drawn_groups(700, 3)
    first = dbscan(points).labels, hdbscan(points, min_cluster_size=10)[0].labels
    for module in (threads, density):
        monkeypatch.setattr(module, "thread_count", lambda: 1)
    assert (dbscan(points).labels == first[0]).all()
    assert (hdbscan(points, min_cluster_size=10)[0].labels == first[1]).all()
