"""k-means and its kin against scikit-learn, hand-computed tables and odd inputs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.cluster import BisectingKMeans, KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from models_py.base import threads
from models_py.base.errors import DataError
from models_py.clustering import kmeans, rows
from models_py.clustering.kmeans import kmeans_sweep, lloyd
from models_py.clustering.kmeans_variants import bisecting_kmeans_sweep, minibatch_kmeans_sweep

SWEEPS = (kmeans_sweep, minibatch_kmeans_sweep, bisecting_kmeans_sweep)


@pytest.fixture(autouse=True)
def _one_thread_for_scikit_learn():
    """Small tables on many threads only wait for each other."""
    with threadpool_limits(1):
        yield


def drawn_groups(n, p, groups=8, spread=1.0, seed=0):
    generator = np.random.default_rng(seed)
    centers = generator.normal(scale=spread, size=(groups, p))
    return centers[generator.integers(0, groups, n)] + generator.standard_normal((n, p))


def inertia_of(points, labels):
    return sum(
        ((points[labels == c] - points[labels == c].mean(axis=0)) ** 2).sum()
        for c in np.unique(labels)
    )


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_inertia_is_no_worse_than_scikit_learns_ten_starts(spread, seed):
    points = drawn_groups(1500, 6, spread=spread, seed=seed)
    for candidates in kmeans_sweep(points, range(2, 13, 2), seed=seed):
        rival = KMeans(candidates.k, n_init=10, random_state=seed).fit(points)
        assert candidates.model.inertia <= rival.inertia_ * 1.001
        assert candidates.model.inertia == pytest.approx(
            inertia_of(points, candidates.labels), rel=1e-9
        )


def test_bounded_passes_end_where_plain_ones_do():
    """Lloyd's algorithm written out, from the same start, gives the same labels."""
    points = drawn_groups(2000, 4, spread=0.5)
    start = points[:7]
    candidates = lloyd(points, start, 300, 0.0)
    centers, labels = start, None
    while True:
        nearest = ((points[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
        if labels is not None and (nearest == labels).all():
            break
        labels = nearest
        centers = np.array([points[labels == c].mean(axis=0) for c in range(7)])
    assert (candidates.labels == labels).all()
    assert candidates.centers == pytest.approx(centers, abs=1e-9)


def test_small_table_by_hand():
    points = np.array([[0.0], [1.0], [9.0], [11.0]])
    two, three = kmeans_sweep(points, [2, 3], seed=0)
    assert len(set(two.labels[:2])) == len(set(two.labels[2:])) == 1
    assert two.model.inertia == pytest.approx(0.5 + 2.0)
    assert three.model.inertia == pytest.approx(0.5)
    assert sorted(three.model.centers[:, 0]) == pytest.approx([0.5, 9.0, 11.0])


def test_scikit_learns_own_labels_on_request():
    points = drawn_groups(600, 5)
    ours = kmeans_sweep(
        points, [3, 5], seed=42, n_init=10, max_iter=100, implementation="scikit-learn"
    )
    for candidates in ours:
        rival = KMeans(candidates.k, random_state=42, n_init=10, max_iter=100).fit(points)
        assert (candidates.labels == rival.labels_).all()
        assert (candidates.model.predict(points) == rival.labels_).all()


@pytest.mark.parametrize("implementation", ["bounded", "scikit-learn"])
def test_a_seed_of_the_sweeps_own(implementation):
    points = drawn_groups(400, 5)
    asked = {"n_init": 1, "implementation": implementation}
    (own,) = kmeans_sweep(points, [7], seed=42, random_state=10, **asked)
    (same,) = kmeans_sweep(points, [7], seed=10, **asked)
    assert (own.labels == same.labels).all()
    assert own.parameters == {**same.parameters, "random_state": 10}


def test_samples_on_the_way_to_all_rows(monkeypatch):
    """A table beyond the limits is solved through two samples, as well as at once."""
    points = drawn_groups(20_000, 5, spread=2.0)
    whole = kmeans_sweep(points, [4, 8], seed=1)
    monkeypatch.setattr(kmeans, "WHOLE_ROWS", 2000)
    monkeypatch.setattr(kmeans, "SAMPLE_ROWS", 1000)
    monkeypatch.setattr(rows, "CHUNK_ROWS", 4096)
    for candidates, best in zip(kmeans_sweep(points, [4, 8], seed=1), whole, strict=True):
        assert candidates.model.inertia <= best.model.inertia * 1.001
        assert (candidates.model.predict(points) == candidates.labels).all()


def test_rare_rows_that_a_sample_lacks(monkeypatch):
    """Only three rows differ from the rest; the sample holds none of them."""
    monkeypatch.setattr(kmeans, "WHOLE_ROWS", 100)
    monkeypatch.setattr(kmeans, "SAMPLE_ROWS", 50)
    points = np.zeros((5000, 2))
    points[[10, 2000, 4999]] = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    (candidates,) = kmeans_sweep(points, [4], seed=0)
    assert candidates.k == 4
    assert candidates.model.inertia == 0.0


@pytest.mark.parametrize("sweep", SWEEPS)
def test_same_seed_same_labels_whatever_the_threads(sweep, monkeypatch):
    points = drawn_groups(1500, 4)
    first = sweep(points, [2, 5], seed=7)
    for module in (threads, kmeans):
        monkeypatch.setattr(module, "thread_count", lambda: 1)
    for item, other in zip(first, sweep(points, [2, 5], seed=7), strict=True):
        assert (item.labels == other.labels).all()
        assert (item.model.centers == other.model.centers).all()


@pytest.mark.parametrize("sweep", SWEEPS)
def test_models_predict_the_labels_they_were_fitted_with(sweep):
    points = drawn_groups(900, 3, spread=2.0)
    for candidates in sweep(points, [1, 2, 6], seed=3):
        assert (candidates.model.predict(points) == candidates.labels).all()
        assert candidates.labels.dtype == np.int64
        assert set(candidates.labels) == set(range(candidates.k))


def test_bisection_nests_and_matches_scikit_learns_inertia():
    points = drawn_groups(3000, 5, spread=2.0)
    candidates = bisecting_kmeans_sweep(points, range(2, 9), seed=0)
    for coarse, fine in pairwise(candidates):
        parents = {(int(f), int(c)) for f, c in zip(fine.labels, coarse.labels, strict=True)}
        assert len(parents) == fine.k
    rival = BisectingKMeans(8, n_init=3, random_state=0).fit(points)
    assert inertia_of(points, candidates[-1].labels) <= rival.inertia_ * 1.02
    means = [points[candidates[-1].labels == c].mean(axis=0) for c in range(8)]
    assert candidates[-1].model.centers == pytest.approx(np.array(means))


def test_minibatch_finds_separate_groups():
    points = drawn_groups(4000, 4, groups=5, spread=12.0)
    (candidates,) = minibatch_kmeans_sweep(points, [5], seed=0)
    (exact,) = kmeans_sweep(points, [5], seed=0)
    assert adjusted_rand_score(candidates.labels, exact.labels) > 0.99


@given(
    table=st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=1, max_size=40),
    k=st.integers(1, 6),
    seed=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_any_small_table_with_duplicates(table, k, seed):
    points = np.array(table, dtype=np.float64)
    distinct = len({tuple(row) for row in table})
    for sweep in (kmeans_sweep, bisecting_kmeans_sweep):
        if k > distinct:
            with pytest.raises(DataError, match=r"distinct row|clusters of"):
                sweep(points, [k], seed=seed)
            continue
        (candidates,) = sweep(points, [k], seed=seed)
        assert candidates.k == k
        for row in np.unique(points, axis=0):
            same = candidates.labels[(points == row).all(axis=1)]
            assert len(set(same)) == 1


@pytest.mark.parametrize(
    ("points", "ks", "said"),
    [
        (np.ones((5, 2)), [2], "1 distinct row"),
        (np.zeros((3, 2)), [4], "4 clusters of 3 rows"),
        (np.zeros((3, 2)), [0], "0 clusters"),
        (np.zeros((3, 2)), [], "no number of clusters"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), [1], "column 1 holds missing"),
        (np.zeros((0, 2)), [1], "rows and columns"),
        (np.zeros((4, 0)), [1], "rows and columns"),
    ],
)
@pytest.mark.parametrize("sweep", SWEEPS)
def test_bad_input_is_one_line(sweep, points, ks, said):
    with pytest.raises(DataError, match=said) as refused:
        sweep(points, ks, seed=0)
    assert "\n" not in str(refused.value)


def test_a_model_refuses_other_columns():
    (candidates,) = kmeans_sweep(drawn_groups(50, 3), [2], seed=0)
    with pytest.raises(DataError, match="2 columns, the model was fitted on 3"):
        candidates.model.predict(np.zeros((4, 2)))
