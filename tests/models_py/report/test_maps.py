"""Coordinates of the maps against a second way of computing them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models_py.base import settings
from models_py.base.arrays import FloatArray
from models_py.describe.surrogate import SHAP_ROWS
from models_py.report.maps import (
    MCA_ROWS,
    TSNE_ROWS,
    correspondence_map,
    neighbour_map,
    principal_map,
    sampled,
)


def blobs(rows: int = 240, columns: int = 5, seed: int = 3) -> FloatArray:
    generator = np.random.default_rng(seed)
    centers = generator.normal(size=(3, columns)) * 5
    return centers[np.arange(rows) % 3] + generator.normal(size=(rows, columns))


def test_principal_map_is_that_of_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    points = blobs()
    known = PCA(2).fit(points)
    result = principal_map(points)
    placed = known.transform(points)
    signs = np.sign((placed * result.points).sum(axis=0))
    np.testing.assert_allclose(result.points, placed * signs, atol=1e-9)
    np.testing.assert_allclose(result.shares, known.explained_variance_ratio_, rtol=1e-9)


def test_loadings_are_correlations() -> None:
    points = blobs()
    result = principal_map(points)
    expected = np.corrcoef(points.T, result.points.T)[:5, 5:]
    np.testing.assert_allclose(result.loadings, expected, atol=1e-9)


def test_one_feature_has_one_direction() -> None:
    result = principal_map(np.arange(10.0)[:, None])
    assert result.points.shape == (10, 2)
    assert result.shares.tolist() == [1.0, 0.0]


def test_neighbours_stay_together_and_come_back() -> None:
    points = blobs(150)
    placed = neighbour_map(points, seed=5)
    groups = np.arange(150) % 3
    middles = np.array([placed[groups == group].mean(axis=0) for group in range(3)])
    apart = np.linalg.norm(placed[:, None, :] - middles[None, :, :], axis=2)
    assert (apart.argmin(axis=1) == groups).mean() > 0.98
    np.testing.assert_array_equal(placed, neighbour_map(points, seed=5))


def test_correspondence_is_that_of_prince() -> None:
    prince = pytest.importorskip("prince")
    generator = np.random.default_rng(2)
    base = generator.integers(0, 3, 300)
    noise = generator.integers(0, 3, (300, 2))
    frame = pd.DataFrame(
        {
            "age": np.array(["young", "middle", "old"])[base],
            "home": np.array(["flat", "house", "farm"])[
                np.where(noise[:, 0] > 0, base, noise[:, 1])
            ],
            "car": np.array(["yes", "no"])[(base + noise[:, 1] > 2).astype(int)],
        }
    )
    known = prince.MCA(n_components=2, correction="benzecri", random_state=1).fit(frame)
    result = correspondence_map(frame)
    rows = known.row_coordinates(frame).to_numpy()
    signs = np.sign((rows * result.rows).sum(axis=0))
    np.testing.assert_allclose(result.rows, rows * signs, atol=1e-8)
    places = known.column_coordinates(frame).to_numpy()
    np.testing.assert_allclose(result.places, places * signs, atol=1e-8)
    np.testing.assert_allclose(result.shares * 100, known.percentage_of_variance_[:2], atol=1e-6)
    assert result.names[0] == "age: middle"


def test_the_readme_says_how_many_are_drawn() -> None:
    readme = (settings.repository() / "README.md").read_text(encoding="utf-8")
    assert f"t-SNE {TSNE_ROWS:,} rows, MCA {MCA_ROWS:,}, SHAP values {SHAP_ROWS:,}" in readme


def test_samples() -> None:
    assert sampled(5, 9, 1).tolist() == [0, 1, 2, 3, 4]
    drawn = sampled(1000, 50, 1)
    assert drawn.size == np.unique(drawn).size == 50
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, sampled(1000, 50, 1))
