"""Planted tables are repeatable, of the promised form, and findable."""

import numpy as np
from sklearn.metrics import adjusted_rand_score
import pandas as pd
import pytest
from planted_data import (
    NOISY_SHAPES,
    SHAPES,
    one_group,
    planted_customers,
    shape_sets,
    with_noise,
)
from hypothesis import given, settings, strategies as st

from models_py.base.errors import DataError


def test_shape_sets_are_repeatable_and_differ_by_seed():
    first, again, other = shape_sets(3), shape_sets(3), shape_sets(4)
    assert [name for name, _, _ in first] == [*SHAPES, *(f"{s}_noise" for s in NOISY_SHAPES)]
    for (_, points, truth), (_, points_again, truth_again) in zip(first, again, strict=True):
        assert np.array_equal(points, points_again)
        assert np.array_equal(truth, truth_again)
    assert any(a[1].shape != b[1].shape for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_every_set_has_the_promised_form(seed):
    for name, points, truth in shape_sets(seed):
        groups = np.unique(truth[truth >= 0])
        assert points.dtype == np.float64, name
        assert points.flags.c_contiguous, name
        assert np.isfinite(points).all(), name
        assert truth.shape == (len(points),), name
        assert groups.tolist() == list(range(groups.size)), name
        assert 2 <= groups.size <= 30, name
        assert 100 <= len(points) <= 5000, name
        assert (truth < 0).any() == name.endswith("_noise"), name


def test_one_group_is_one():
    points, truth = one_group(np.random.default_rng(0))
    assert np.unique(truth).tolist() == [0]
    assert len(points) == truth.size


def test_noise_is_marked_and_counted():
    rng = np.random.default_rng(0)
    points, truth = SHAPES["moons"](rng)
    noisy, marked = with_noise((points, truth), 0.1, rng)
    assert (marked < 0).sum() == round(0.1 * len(points)) == len(noisy) - len(points)


@settings(max_examples=20, deadline=None)
@given(
    segments=st.integers(1, 8),
    features=st.integers(1, 23),
    noise=st.floats(0, 0.5),
    seed=st.integers(0, 99),
)
def test_customers_have_the_promised_form(segments, features, noise, seed):
    frame, truth = planted_customers(200, segments, features, 0.3, noise, seed)
    again, truth_again = planted_customers(200, segments, features, 0.3, noise, seed)
    assert frame.shape == (200, features + 1)
    assert frame["customer_id"].is_unique
    assert frame.notna().all().all()
    assert set(np.unique(truth)) <= set(range(-1, segments))
    pd.testing.assert_frame_equal(frame, again)
    assert np.array_equal(truth, truth_again)
    shares = frame.filter(like="share")
    assert ((shares >= 0) & (shares <= 1)).all().all()


def recovered(overlap):
    from sklearn.cluster import KMeans

    scores = []
    for seed in range(4):
        frame, truth = planted_customers(600, 4, 10, overlap, 0.0, seed)
        numbers = frame.drop(columns="customer_id").select_dtypes("number")
        logs = np.log1p(numbers.to_numpy(dtype=float))
        scaled = (logs - logs.mean(axis=0)) / logs.std(axis=0)
        labels = KMeans(4, n_init=5, random_state=0).fit_predict(scaled)
        scores.append(adjusted_rand_score(labels, truth))
    return float(np.mean(scores))


def test_overlap_makes_segments_harder_to_find():
    apart, near, onto = (recovered(overlap) for overlap in (0.0, 0.5, 1.0))
    assert apart > 0.9
    assert apart > near > onto
    assert onto < 0.3


@pytest.mark.parametrize(
    ("settings_given", "message"),
    [
        ({"n": 3, "segments": 4}, "at least as many rows"),
        ({"n": 30, "segments": 2, "features": 0}, "features is 0"),
        ({"n": 30, "segments": 2, "overlap": 1.2}, "overlap is 1.2"),
        ({"n": 30, "segments": 2, "noise": -0.1}, "noise is -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(settings_given, message):
    with pytest.raises(DataError, match=message):
        planted_customers(**settings_given)
