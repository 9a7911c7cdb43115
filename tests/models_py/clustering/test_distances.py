import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial.distance import cdist, pdist
from sklearn.metrics import pairwise_distances

from models_py.errors import DataError, UsageError
from models_py.clustering.distances import (
    condensed_bytes,
    condensed_distances,
    distance_blocks,
    measurable_rows,
)

tables = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.floats(-1e3, 1e3, width=32),
)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("features", [1, 3, 4, 12])
def test_condensed_equals_scipy(metric: str, features: int) -> None:
    points = np.random.default_rng(features).normal(size=(150, features))

    found = condensed_distances(points, metric, dtype=np.float64)

    np.testing.assert_allclose(found, pdist(points, metric), rtol=1e-12, atol=1e-12)


def test_condensed_default_is_float32_of_the_stated_size() -> None:
    points = np.random.default_rng(0).normal(size=(70, 5))

    found = condensed_distances(points)

    assert found.dtype == np.float32
    assert found.nbytes == condensed_bytes(70)
    np.testing.assert_allclose(found, pdist(points), rtol=1e-6)


@given(tables)
@settings(max_examples=40, deadline=None)
def test_blocks_tile_the_square_matrix(points: np.ndarray) -> None:
    blocks = list(distance_blocks(points, block_rows=4))

    assert [first for first, _ in blocks] == list(range(0, len(points), 4))
    square = np.vstack([block for _, block in blocks])
    np.testing.assert_allclose(square, cdist(points, points), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(square, square.T)
    np.testing.assert_array_equal(np.diag(square), 0.0)


def test_far_from_the_origin_near_points_keep_their_distance() -> None:
    points = 1e8 + np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.0]])

    found = condensed_distances(points, dtype=np.float64)

    np.testing.assert_array_equal(found, [0.5, 0.5, 0.0])


def test_cosine_of_rows_of_zeros() -> None:
    points = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [-3.0, -4.0]])

    (_, found), *_ = distance_blocks(points, "cosine")

    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 2], [1, 1, 2, 0]]
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_cosine_of_huge_and_tiny_rows() -> None:
    points = np.random.default_rng(1).normal(size=(20, 4)) * np.logspace(-200, 200, 20)[:, None]

    found = condensed_distances(points, "cosine", dtype=np.float64)

    scaled = points / np.abs(points).max(axis=1, keepdims=True)
    square = pairwise_distances(scaled, metric="cosine")
    np.testing.assert_allclose(found, square[np.triu_indices(20, 1)], atol=1e-14)


def test_rows_are_padded_to_four_features() -> None:
    assert measurable_rows(np.ones((3, 5))).shape == (3, 8)
    assert measurable_rows(np.ones((3, 0))).shape == (3, 4)


def test_refusals() -> None:
    with pytest.raises(UsageError, match="did you mean 'cosine'"):
        condensed_distances(np.ones((3, 2)), "cosin")
    with pytest.raises(DataError, match="missing or infinite"):
        condensed_distances(np.array([[1.0], [np.nan]]))
    with pytest.raises(DataError, match="two dimensions"):
        condensed_distances(np.ones(3))
