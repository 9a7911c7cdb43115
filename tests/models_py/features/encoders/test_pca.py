from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from threadpoolctl import threadpool_limits

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.features.encoders.catalog import EncoderSpec, build_encoder, load_encoder
from models_py.features.encoders import storage
from models_py.features.encoders.pca import PcaEncoder
from models_py.features.encoders.settings import PcaSettings


def fitted(points: FloatArray, components: float) -> PcaEncoder:
    return PcaEncoder(PcaSettings(components=components)).fit(points, seed=0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(12, 90), st.integers(2, 7))
def test_components_are_the_singular_vectors(seed: int, rows: int, columns: int) -> None:
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(rows, columns)) * np.arange(1, columns + 1) ** 2 + 5.0
    count = min(rows, columns) - 1
    encoder = fitted(points, count)
    _, sizes, directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    strongest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(directions.shape[0]), strongest])[:, None]
    np.testing.assert_allclose(encoder.components_, directions[:count], atol=1e-7)
    np.testing.assert_allclose(
        encoder.explained_variance_ratio_, (sizes**2 / (sizes**2).sum())[:count], atol=1e-10
    )
    np.testing.assert_allclose(
        encoder.transform(points), (points - points.mean(axis=0)) @ directions[:count].T, atol=1e-6
    )


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1), (0.7, 2), (0.95, 3), (1.0, 4)])
def test_a_share_takes_the_fewest_components_that_explain_it(share: float, expected: int) -> None:
    # Orthogonal columns with variances in the ratio 16 : 9 : 4 : 1, cumulated .53 .83 .97 1.
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
    columns = np.column_stack([np.kron(signs, np.ones((2, 1))), np.tile([1.0, -1.0], 4)])
    points = np.tile(columns * [4.0, 3.0, 2.0, 1.0], (6, 1))
    assert fitted(points, share).transform(points).shape == (48, expected)


def test_all_components_give_the_points_back(groups: tuple[FloatArray, IntArray]) -> None:
    points, _ = groups
    encoder = fitted(points, 6)
    np.testing.assert_allclose(encoder.reconstruct(points), points, atol=1e-10)
    np.testing.assert_allclose(encoder.reconstruction_error(points), 0.0, atol=1e-18)


def test_reconstruction_error_is_the_variance_left_out(
    groups: tuple[FloatArray, IntArray],
) -> None:
    points, _ = groups
    encoder = fitted(points, 2)
    left_out = 1.0 - encoder.explained_variance_ratio_.sum()
    factor = points.shape[0] / (points.shape[0] - 1)
    assert encoder.reconstruction_error(points).mean() == pytest.approx(
        left_out * points.var(axis=0, ddof=1).mean() / factor
    )


def test_reconstruction_takes_noise_away(groups: tuple[FloatArray, IntArray]) -> None:
    clean, _ = groups
    noisy = clean + 0.3 * np.random.default_rng(0).normal(size=clean.shape)
    restored = fitted(noisy, 3).reconstruct(noisy)
    assert np.mean((restored - clean) ** 2) < 0.6 * np.mean((noisy - clean) ** 2)


def test_threads_do_not_change_the_result() -> None:
    points = np.random.default_rng(1).normal(size=(4000, 60))
    first = fitted(points, 0.8).transform(points)
    with threadpool_limits(1):
        second = fitted(points, 0.8).transform(points)
    np.testing.assert_array_equal(first, second)


def test_what_was_saved_transforms_alike(
    groups: tuple[FloatArray, IntArray], tmp_path: Path
) -> None:
    points, _ = groups
    encoder = fitted(points, 0.8)
    encoder.save(tmp_path)
    loaded = load_encoder(tmp_path)
    assert isinstance(loaded, PcaEncoder)
    assert loaded.settings == encoder.settings
    np.testing.assert_array_equal(loaded.transform(points), encoder.transform(points))
    np.testing.assert_array_equal(
        loaded.explained_variance_ratio_, encoder.explained_variance_ratio_
    )


def test_what_was_saved_before_in_skops_transforms_alike(
    groups: tuple[FloatArray, IntArray], tmp_path: Path
) -> None:
    import skops.io
    from sklearn.decomposition import PCA

    points, _ = groups
    encoder = fitted(points, 2)
    encoder.save(tmp_path)
    (tmp_path / "pca.npz").unlink()
    known = PCA(2, svd_solver="covariance_eigh").fit(points)
    skops.io.dump(known, tmp_path / "pca.skops")
    manifest = storage.Manifest(
        "pca", encoder.settings.model_dump(mode="json"), points.shape[1], []
    )
    storage.write_manifest(tmp_path, manifest, ("pca.skops",))
    np.testing.assert_array_equal(load_encoder(tmp_path).transform(points), known.transform(points))


@pytest.mark.parametrize("kind", ["none", "pca"])
@pytest.mark.parametrize(
    ("points", "text"),
    [
        (np.zeros((0, 3)), "a table with rows and columns is needed"),
        (np.zeros(3), "a table with rows and columns is needed"),
        (np.array([[1.0, 2.0], [np.inf, 0.0]]), "column 0 holds missing or infinite"),
        (np.array([[1.0, np.nan], [2.0, 0.0]]), "column 1 holds missing or infinite"),
    ],
)
def test_unusable_points_are_refused(kind: str, points: FloatArray, text: str) -> None:
    with pytest.raises(DataError, match=text):
        build_encoder(EncoderSpec(kind)).fit(points, seed=0)


def test_more_components_than_there_can_be_are_refused() -> None:
    points = np.random.default_rng(0).normal(size=(5, 8))
    with pytest.raises(DataError, match=r"6 components of 5 rows and 8 columns .* at most 5"):
        fitted(points, 6)


def test_rows_that_are_all_alike_are_refused() -> None:
    with pytest.raises(DataError, match="all alike"):
        fitted(np.ones((30, 3)), 2)


def test_other_columns_and_an_unfitted_encoder_are_refused(
    groups: tuple[FloatArray, IntArray], tmp_path: Path
) -> None:
    points, _ = groups
    encoder = fitted(points, 2)
    with pytest.raises(DataError, match="fitted on 6 columns, got 5"):
        encoder.transform(points[:, :5])
    with pytest.raises(DataError, match="fitted on 2 components, got 6"):
        encoder.inverse_transform(points)
    with pytest.raises(DataError, match="not fitted"):
        PcaEncoder().transform(points)
    with pytest.raises(DataError, match="not fitted"):
        PcaEncoder().save(tmp_path)


def test_no_encoding_hands_the_points_on(
    groups: tuple[FloatArray, IntArray], tmp_path: Path
) -> None:
    points, _ = groups
    build_encoder(EncoderSpec("none")).fit(points, seed=0).save(tmp_path)
    loaded = load_encoder(tmp_path)
    np.testing.assert_array_equal(loaded.transform(points), points)
    np.testing.assert_array_equal(loaded.reconstruction_error(points), np.zeros(600))
