"""DBSCAN against scikit-learn and hand-computed tables."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from planted_groups import chosen_distances, drawn_groups
from sklearn.cluster import DBSCAN

from models_py.base.errors import DataError
from models_py.clustering import dbscan as module
from models_py.clustering.dbscan import dbscan
from models_py.clustering.density import default_min_samples


@pytest.mark.parametrize("in_pairs", [True, False])
@pytest.mark.parametrize(("n", "p", "spread"), [(400, 2, 3.0), (900, 4, 3.0), (900, 25, 1.0)])
def test_dbscan_labels_equal_scikit_learns(n, p, spread, in_pairs, monkeypatch):
    if not in_pairs:
        monkeypatch.setattr(module, "_close_pairs", lambda *_: None)
    points = drawn_groups(n, p, spread=spread)
    candidate = dbscan(points)
    eps, min_samples = candidate.parameters["eps"], candidate.parameters["min_samples"]
    assert min_samples == default_min_samples(n, p)
    for radius in (0.6 * eps, eps, 1.5 * eps):
        rival = DBSCAN(eps=radius, min_samples=min_samples).fit(points)
        ours = dbscan(points, eps=radius, min_samples=min_samples)
        assert (ours.labels == rival.labels_).all()
        assert len(ours.model.core_points) == len(rival.core_sample_indices_)


def test_dbscan_in_small_blocks_is_the_same(monkeypatch):
    points = drawn_groups(300, 3)
    assert module._close_pairs(points, 1.0) is not None
    whole = dbscan(points, eps=1.0, min_samples=5)
    monkeypatch.setattr(module, "NEIGHBOURS_AT_ONCE", 100)
    assert module._close_pairs(points, 1.0) is None
    assert (dbscan(points, eps=1.0, min_samples=5).labels == whole.labels).all()


def test_dbscan_by_hand():
    """Three in a row are one cluster, the border row joins it, the far one is noise."""
    points = np.array([[0.0], [1.0], [2.0], [3.0], [9.0]])
    candidate = dbscan(points, eps=1.0, min_samples=3)
    assert candidate.labels.tolist() == [0, 0, 0, 0, -1]
    assert candidate.model.core_points[:, 0].tolist() == [1.0, 2.0]


def test_the_knee_lies_between_groups_and_noise():
    """Nine tenths of the rows have k-distances near 1, the rest rise to 11."""
    curve = np.concatenate([np.linspace(0.9, 1.0, 90), np.linspace(1.0, 11.0, 11)[1:]])
    assert curve[module._knee(curve)] == pytest.approx(1.0)


def test_the_knee_is_one_of_the_k_distances():
    points = drawn_groups(300, 2)
    eps = dbscan(points, min_samples=5).parameters["eps"]
    assert np.isclose(chosen_distances(points, 5), eps).any()


def test_the_knee_of_duplicates_is_above_zero():
    points = np.repeat([[0.0, 0.0], [3.0, 4.0], [0.0, 9.0]], 10, axis=0)
    candidate = dbscan(points, min_samples=4)
    assert candidate.parameters["eps"] == pytest.approx(5.0)
    assert candidate.k >= 1


@pytest.mark.parametrize("in_pairs", [True, False])
@given(
    table=st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=2, max_size=40),
    min_samples=st.integers(1, 6),
    eps=st.sampled_from([0.5, 1.0, 1.5, 3.0]),
)
@settings(max_examples=60, deadline=None)
def test_any_small_table_with_duplicates(in_pairs, table, min_samples, eps):
    points = np.array(table, dtype=np.float64)
    min_samples = min(min_samples, len(points))
    rival = DBSCAN(eps=eps, min_samples=min_samples).fit(points)
    with pytest.MonkeyPatch.context() as patched:
        if not in_pairs:
            patched.setattr(module, "_close_pairs", lambda *_: None)
        assert (dbscan(points, eps=eps, min_samples=min_samples).labels == rival.labels_).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: dbscan(x, eps=0.0), "eps: 0.0 is no radius"),
        (lambda x: dbscan(x, eps=float("nan")), "eps: nan is no radius"),
        (lambda x: dbscan(x, min_samples=100), "min_samples: 100 does not lie within 1..10"),
        (lambda x: dbscan(np.ones((10, 2))), "all rows are equal"),
    ],
)
def test_bad_input_is_one_line(call, said):
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(DataError, match=said) as refused,
    ):
        call(drawn_groups(10, 2))
    assert "\n" not in str(refused.value)
