"""The kernels under every pairwise distance, held against scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances

from models_py.base.errors import DataError, UsageError
from models_py.clustering.distances import TILE, load_tile, measurable_rows, tile_squares

tables = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.floats(-1e3, 1e3, width=32),
)


def distances(points: np.ndarray, metric: str = "euclidean") -> np.ndarray:
    """All pairs, tile by tile."""
    vectors = measurable_rows(points, metric)
    n = len(vectors)
    squares = np.empty((n, -(-n // TILE) * TILE))
    tile = np.empty((vectors.shape[1], TILE))
    for first in range(0, n, TILE):
        load_tile(vectors, first, tile)
        for row in range(n):
            tile_squares(tile, vectors[row], squares[row, first : first + TILE])
    return squares[:, :n] / 2 if metric == "cosine" else np.sqrt(squares[:, :n])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("features", [1, 3, 4, 12])
def test_distances_are_scipys(metric: str, features: int) -> None:
    points = np.random.default_rng(features).normal(size=(150, features))

    candidates = distances(points, metric)

    np.testing.assert_allclose(candidates, cdist(points, points, metric), rtol=1e-12, atol=1e-12)


@given(tables)
@settings(max_examples=40, deadline=None)
def test_distances_are_symmetric_to_the_last_bit(points: np.ndarray) -> None:
    candidates = distances(points)

    np.testing.assert_allclose(candidates, cdist(points, points), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(candidates, candidates.T)
    np.testing.assert_array_equal(np.diag(candidates), 0.0)


def test_far_from_the_origin_near_points_keep_their_distance() -> None:
    points = 1e8 + np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.0]])

    candidates = distances(points)

    np.testing.assert_array_equal(candidates[np.triu_indices(3, 1)], [0.5, 0.5, 0.0])


def test_cosine_of_rows_of_zeros() -> None:
    points = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [-3.0, -4.0]])

    candidates = distances(points, "cosine")

    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 2], [1, 1, 2, 0]]
    np.testing.assert_allclose(candidates, expected, atol=1e-15)


def test_cosine_of_huge_and_tiny_rows() -> None:
    points = np.random.default_rng(1).normal(size=(20, 4)) * np.logspace(-200, 200, 20)[:, None]

    candidates = distances(points, "cosine")

    scaled = points / np.abs(points).max(axis=1, keepdims=True)
    np.testing.assert_allclose(candidates, pairwise_distances(scaled, metric="cosine"), atol=1e-14)


def test_rows_are_padded_to_four_features() -> None:
    assert measurable_rows(np.ones((3, 5))).shape == (3, 8)
    assert measurable_rows(np.ones((3, 0))).shape == (3, 4)


def test_refusals() -> None:
    with pytest.raises(UsageError, match="did you mean 'cosine'"):
        measurable_rows(np.ones((3, 2)), "cosin")
    with pytest.raises(DataError, match="missing or infinite"):
        measurable_rows(np.array([[1.0], [np.nan]]))
    with pytest.raises(DataError, match="a table with rows and columns"):
        measurable_rows(np.ones(3))
