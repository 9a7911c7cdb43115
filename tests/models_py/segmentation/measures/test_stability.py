"""Stability under redrawn rows, agreement of labelings, and their consensus."""

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.cluster.hierarchy import average, fcluster
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from models_py.base.errors import DataError
from models_py.segmentation.measures import stability as stability_module
from models_py.segmentation.measures.agreement import segment_jaccard
from models_py.segmentation.measures.stability import UNSTABLE_BELOW, consensus, stability
from models_py.segmentation.measures.stability_kernels import weighted_average_tree

LABELS = st.lists(st.integers(-1, 4), min_size=2, max_size=60)


def apart_balls(sizes, rng):
    centers = np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0], [20.0, 20.0]])
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return centers[truth] + rng.standard_normal((truth.size, 2)), truth


def kmeans_model(k):
    return lambda rows, seed: KMeans(k, n_init=3, random_state=seed).fit(rows)


def kmeans_labels(k):
    return lambda rows, seed: KMeans(k, n_init=3, random_state=seed).fit_predict(rows)


def test_jaccard_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1])
    other = np.array([5, 5, 5, 9, 9, 9])
    assert segment_jaccard(labels, other) == pytest.approx([3 / 4, 2 / 3])


@pytest.mark.parametrize("share", [0.8, 0.5, "bootstrap"])
@pytest.mark.parametrize("fit", [kmeans_model(4), kmeans_labels(4)])
def test_groups_far_apart_come_back_whole(fit, share):
    points, truth = apart_balls([40, 50, 60, 70], np.random.default_rng(0))
    candidates = stability(fit, points, truth, refits=5, share=share, seed=1)
    assert candidates.segment_jaccard == pytest.approx(np.ones(4))
    assert candidates.adjusted_rand == pytest.approx(1.0)


def test_a_group_cut_in_two_is_unstable_and_the_others_are_not():
    rng = np.random.default_rng(2)
    points, truth = apart_balls([200, 60, 60], rng)
    angle = rng.uniform(0, np.pi)
    side = points @ [np.cos(angle), np.sin(angle)]
    labels = np.where(truth == 0, np.where(side > np.median(side[truth == 0]), 0, 3), truth)
    candidates = stability(kmeans_labels(3), points, labels, refits=6, seed=3)
    assert candidates.segments.tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(candidates.segment_jaccard < UNSTABLE_BELOW).tolist() == [0, 3]
    assert (candidates.segment_jaccard[[1, 2]] > 0.95).all()
    assert (candidates.segment_jaccard[[0, 3]] < UNSTABLE_BELOW).all()


def test_noise_is_no_segment_but_counts_against_one():
    points, truth = apart_balls([50, 50], np.random.default_rng(4))
    labels = truth.copy()
    labels[:25] = -1
    candidates = stability(kmeans_labels(2), points, labels, refits=4, share=1.0, seed=0)
    assert candidates.segments.tolist() == [0, 1]
    assert candidates.segment_jaccard == pytest.approx([0.5, 1.0])


def test_same_seed_same_figures():
    points = np.random.default_rng(0).standard_normal((120, 3))
    labels = kmeans_labels(5)(points, 0)
    runs = [stability(kmeans_labels(5), points, labels, refits=4, seed=9) for _ in range(2)]
    assert np.array_equal(runs[0].segment_jaccard, runs[1].segment_jaccard)
    assert runs[0].adjusted_rand == runs[1].adjusted_rand
    assert runs[0].adjusted_rand < 0.95


@pytest.mark.parametrize(
    ("change", "message"),
    [({"refits": 0}, "refits is 0"), ({"share": 1.5}, "share is 1.5"), ({"share": 0.0}, "share")],
)
def test_settings_out_of_range_are_refused(change, message):
    points, truth = apart_balls([5, 5], np.random.default_rng(0))
    with pytest.raises(DataError, match=message):
        stability(kmeans_labels(2), points, truth, seed=0, **change)
    with pytest.raises(DataError, match="3 labels for 10 rows"):
        stability(kmeans_labels(2), points, truth[:3], seed=0)


def test_weighted_tree_equals_scipy_on_repeated_rows():
    """A cell of m rows joins as m copies of it would: the same tree once copies are joined."""
    rng = np.random.default_rng(6)
    for u in (3, 12, 30):
        points = rng.standard_normal((u, 2))
        sizes = rng.integers(1, 5, u)
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        tree = weighted_average_tree(apart.copy(), sizes.astype(np.float64))
        copies = np.repeat(np.arange(u), sizes)
        expected = average(squareform(apart[np.ix_(copies, copies)], checks=False))
        assert np.allclose(np.sort(tree[:, 2]), np.sort(expected[:, 2])[-(u - 1) :])
        for k in (2, 3):
            ours = fcluster(tree, k, "maxclust")[copies]
            assert adjusted_rand_score(ours, fcluster(expected, k, "maxclust")) == pytest.approx(
                1.0
            )


def weak_labelings(points, k, count):
    """k-means stopped after one pass: right in most places, each wrong in its own."""
    return [
        KMeans(k, n_init=1, init="random", max_iter=2, random_state=seed).fit_predict(points)
        for seed in range(count)
    ]


@pytest.mark.parametrize("cells", [stability_module.CONSENSUS_CELLS, 3])
def test_consensus_beats_the_labelings_it_is_made_of(cells, monkeypatch):
    monkeypatch.setattr(stability_module, "CONSENSUS_CELLS", cells)
    points, truth = apart_balls([60, 60, 60, 60], np.random.default_rng(8))
    labelings = weak_labelings(points, 4, 25)
    alone = np.mean([adjusted_rand_score(labels, truth) for labels in labelings])
    assert alone < 0.95
    assert adjusted_rand_score(consensus(labelings), truth) == pytest.approx(1.0)


def test_consensus_names_and_noise():
    first = np.array([4, 4, 4, 9, 9, 9])
    stray = np.array([4, 4, 4, 9, 9, -1])
    assert consensus([first, stray, first]).tolist() == [0, 0, 0, 1, 1, 1]
    renamed = np.array([1, 1, 1, 0, 0, 0])
    assert consensus([renamed]).tolist() == [0, 0, 0, 1, 1, 1]


def test_consensus_refuses_what_does_not_fit():
    with pytest.raises(DataError, match="differ in length"):
        consensus([np.zeros(3, dtype=np.int64), np.zeros(4, dtype=np.int64)])
    with pytest.raises(DataError, match="no clusterings"):
        consensus([])
