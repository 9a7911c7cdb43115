"""Genie against the paper read literally; the chopped tree against cuts of a line by hand."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from models_py.base.errors import DataError
from models_py.clustering.genie import (
    chopped,
    chopped_labels,
    genie,
    genie_labels,
    minimum_spanning_tree,
)


def test_genie_at_threshold_one_is_single_linkage_and_lower_is_fairer():
    points = np.random.default_rng(1).standard_normal((300, 3))
    tree = minimum_spanning_tree(points)
    single = linkage(points, "single")
    assert np.allclose(tree.weights, single[:, 2])
    ks = [2, 5, 9]
    for k, labels in zip(ks, genie_labels(tree, ks, threshold=1.0), strict=True):
        assert adjusted_rand_score(labels, fcluster(single, k, "maxclust")) == pytest.approx(1.0)
    largest = [np.bincount(genie_labels(tree, [5], threshold=t)[0]).max() for t in (1.0, 0.5, 0.1)]
    assert largest[0] > largest[1] >= largest[2]


def literal_genie(points, k, threshold):
    """The paper's algorithm on the full distance matrix."""
    apart = cdist(points, points)
    clusters = [[i] for i in range(len(points))]
    while len(clusters) > k:
        sizes = np.sort([len(c) for c in clusters])
        order = np.arange(1, sizes.size + 1)
        gini = ((2 * order - sizes.size - 1) * sizes).sum() / ((sizes.size - 1) * sizes.sum())
        smallest = min(len(c) for c in clusters)
        best = min(
            (apart[np.ix_(a, b)].min(), i, j)
            for i, a in enumerate(clusters)
            for j, b in enumerate(clusters[:i])
            if gini <= threshold or smallest in (len(a), len(b))
        )
        clusters[best[2]] = clusters[best[2]] + clusters.pop(best[1])
    labels = np.zeros(len(points), dtype=np.int64)
    for c, rows in enumerate(clusters):
        labels[rows] = c
    return labels


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.6])
def test_genie_equals_the_paper_read_literally(threshold):
    points = np.random.default_rng(2).standard_normal((50, 2))
    for candidate in genie(points, [2, 4], threshold=threshold):
        expected = literal_genie(points, candidate.k, threshold)
        assert adjusted_rand_score(candidate.labels, expected) == pytest.approx(1.0)


def test_chopping_keeps_sides_large_and_needs_a_gap():
    points = np.concatenate([np.arange(20.0), 40 + np.arange(20.0), [90.0]])[:, None]
    tree = minimum_spanning_tree(points)
    labelings = chopped_labels(tree, [2, 3, 30], min_cluster_size=5)
    assert labelings[2].tolist() == [0] * 20 + [1] * 21
    assert np.bincount(labelings[3]).min() >= 5
    assert 30 not in labelings


def test_chopping_down_to_one_row_is_single_linkage():
    points = np.random.default_rng(4).standard_normal((120, 2))
    single = linkage(points, "single")
    for candidate in chopped(points, [2, 6, 15], min_cluster_size=1):
        expected = fcluster(single, candidate.k, "maxclust")
        assert adjusted_rand_score(candidate.labels, expected) == pytest.approx(1.0)


def test_the_tree_under_mutual_reachability_is_scipys():
    points = np.random.default_rng(5).standard_normal((90, 3))
    apart = cdist(points, points)
    core = np.sort(apart, axis=1)[:, 4]
    reach = np.maximum(np.maximum(apart, core[:, None]), core)
    np.fill_diagonal(reach, 0.0)
    condensed = reach[np.triu_indices(90, 1)]
    tree = minimum_spanning_tree(points, neighbours=4)
    assert tree.weights == pytest.approx(linkage(condensed, "single")[:, 2])


def test_a_threshold_outside_its_range_is_refused():
    tree = minimum_spanning_tree(np.arange(4.0)[:, None])
    with pytest.raises(DataError, match=r"threshold is 1.5; it must lie in 0..1"):
        genie_labels(tree, [2], threshold=1.5)
