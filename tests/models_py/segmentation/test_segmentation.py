"""From gold rows to segments, without a database."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_gold import gold_customers, planted_study
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from models_py.base.errors import DataError, StudyError
from models_py.base.progress import Silent
from models_py.clustering.mixture import MixtureModel
from models_py.segmentation.prepare import check_encoders, prepare_rows
from models_py.segmentation.segmentation import row_silhouettes, segment_rows
from models_py.segmentation.studied import segment_partitions
from models_py.studies.study import Study

FEATURES = planted_study().features.include


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return gold_customers()


def quick(**changes: Any) -> Study:
    content = {"algorithms": [{"name": "kmeans", "k": 3}], "stability": {"refits": 0}, **changes}
    return planted_study(**content)


def prepare(customers: pd.DataFrame, **changes: Any) -> Any:
    return prepare_rows(customers[FEATURES], quick(**changes), "all", 1, Silent())


def test_prepared_rows(customers: pd.DataFrame) -> None:
    prepared = prepare(customers)
    assert prepared.common.shape == (240, 5)
    assert prepared.fitted_rows.size == 235
    assert prepared.reconstruction is None
    assert [dropped_feature.feature for dropped_feature in prepared.dropped] == ["own_label_share"]
    (space,) = prepared.spaces
    assert space.name == "pca"
    assert len(space.points) == 235
    np.testing.assert_array_equal(prepared.matrix.transform(customers), prepared.common)


def test_values_reconstructed_by_components(customers: pd.DataFrame) -> None:
    outliers = {
        "method": "mahalanobis",
        "reconstruct": "pca",
        "reconstruct_parameters": {"components": 2},
    }
    prepared = prepare(customers, outliers=outliers, encoding={"kind": "none"})
    kept = prepared.common[prepared.fitted_rows]
    theirs = PCA(2).fit(kept)
    expected = theirs.inverse_transform(theirs.transform(prepared.common))
    np.testing.assert_allclose(prepared.encoded[0], expected, atol=1e-9)
    # Encoders see the reconstruction; what they are compared in stays as it was.
    np.testing.assert_array_equal(prepared.common, prepare(customers).common)


def test_segments_of_reconstructed_values(customers: pd.DataFrame) -> None:
    outliers = {"method": "none", "reconstruct": "pca"}
    study = quick(outliers=outliers)
    candidates = segment_rows(customers[FEATURES], study, "all", 1, Silent())
    assert adjusted_rand_score(customers["planted"], candidates.groups) == 1.0


def test_values_reconstructed_by_a_network(customers: pd.DataFrame) -> None:
    outliers = {
        "method": "none",
        "reconstruct": "denoising_autoencoder",
        "reconstruct_parameters": {"epochs": 2, "layers": [4, 3], "batch_size": 64},
    }
    prepared = prepare(customers, outliers=outliers, encoding={"kind": "none"})
    assert prepared.reconstruction is not None
    assert prepared.reconstruction.kind == "denoising_autoencoder"
    np.testing.assert_array_equal(
        prepared.encoded[0], prepared.reconstruction.reconstruct(prepared.common)
    )
    assert prepared.encoded[0].shape == prepared.common.shape


def test_segments_are_numbered_by_size_and_cover_every_row(customers: pd.DataFrame) -> None:
    candidates = segment_rows(customers[FEATURES], quick(), "all", 1, Silent())
    sizes = np.bincount(candidates.groups)
    assert sizes.tolist() == [120, 80, 40]
    assert adjusted_rand_score(customers["planted"], candidates.groups) == 1.0
    assert candidates.confidence.min() > 0
    assert candidates.silhouette.shape == (240,)
    assert candidates.importance.shape == (5,)
    assert len(candidates.jaccard) == 3


def test_far_rows_are_assigned_and_do_not_pull_the_segments(customers: pd.DataFrame) -> None:
    frame = customers[FEATURES].copy()
    frame.loc[0, ["baskets_per_week", "basket_spend_mean"]] = [90.0, 900.0]
    candidates = segment_rows(frame, quick(), "all", 1, Silent())
    assert candidates.prepared.outlier_scores.is_outlier[0]
    assert 0 not in candidates.prepared.fitted_rows
    assert adjusted_rand_score(customers["planted"][1:], candidates.groups[1:]) == 1.0


def test_two_encodings_are_compared(customers: pd.DataFrame) -> None:
    study = quick(encoding=[{"kind": "none"}, {"kind": "pca", "parameters": {"components": 2}}])
    candidates = segment_rows(customers[FEATURES], study, "all", 1, Silent())
    assert [candidate.space for candidate in candidates.candidates] == [0, 1]
    assert [encoder.kind for encoder in candidates.prepared.encoders] == ["none", "pca"]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"selection": {"min_variance": 0.9}}, DataError, r"^YF: no feature passes the selection"),
        ({"algorithms": [{"name": "ward", "k": 300}]}, DataError, r"^YF: ward: k up to 300"),
        ({"features": {"include": ["own_label_share"]}}, StudyError, r"^YF: no usable feature"),
    ],
)
def test_errors_name_the_partition(
    customers: pd.DataFrame, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    study = quick(**changes)
    with pytest.raises(error, match=message):
        segment_rows(customers[study.features.include], study, "YF", 1, Silent())


def test_encoders_are_checked_before_anything_is_fitted() -> None:
    check_encoders(quick())
    wrong = quick(encoding={"kind": "pca", "parameters": {"components": 0}})
    with pytest.raises(StudyError, match=r"study planted: encoding\[0\]: encoder 'pca': compon"):
        check_encoders(wrong)


def test_silhouettes_of_one_group_are_unknown(customers: pd.DataFrame) -> None:
    points = customers[["weekend_share"]].to_numpy()
    assert np.isnan(row_silhouettes(points, np.zeros(240, dtype=np.int64))).all()


def test_rows_that_show_too_little_are_assigned_but_shape_nothing(customers: pd.DataFrame) -> None:
    enough = np.arange(len(customers)) % 2 == 0
    prepared = prepare_rows(customers[FEATURES], quick(), "all", 1, Silent(), enough)
    assert enough[prepared.fitted_rows].all()
    few = np.arange(len(customers)) < 50
    all_fitted = prepare_rows(customers[FEATURES], quick(), "all", 1, Silent(), few).fitted_rows
    assert all_fitted.size == 235

    segmentation = segment_rows(customers[FEATURES], quick(), "all", 1, Silent(), enough)
    assert segmentation.groups.shape == (len(customers),)
    assert set(segmentation.groups[~enough]) == set(segmentation.groups[enough])


def test_a_mixture_says_how_probable_each_segment_is(customers: pd.DataFrame) -> None:
    mixture = {"name": "gaussian_mixture", "k": 3}
    found = segment_rows(customers[FEATURES], quick(algorithms=[mixture]), "all", 1, Silent())
    assert found.membership is not None
    np.testing.assert_allclose(found.membership.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.membership.argmax(axis=1), found.groups)
    np.testing.assert_array_equal(found.confidence, found.membership.max(axis=1))
    assert found.choice.position is not None
    model = found.candidates[found.choice.position].candidate.model
    assert isinstance(model, MixtureModel)
    density = np.stack(
        [
            share * multivariate_normal(mean, covariance).pdf(found.points)
            for share, mean, covariance in zip(
                model.weights, model.means, _full(model.covariances), strict=True
            )
        ],
        axis=1,
    )
    expected = np.sort(density / density.sum(axis=1, keepdims=True), axis=1)
    np.testing.assert_allclose(np.sort(found.membership, axis=1), expected, atol=1e-9)
    hard = segment_rows(customers[FEATURES], quick(), "all", 1, Silent())
    assert hard.membership is None


def _full(covariances: np.ndarray) -> list[np.ndarray]:
    return [each if each.ndim == 2 else np.diag(each) for each in covariances]


def test_a_label_draws_the_validation_rows_and_is_no_feature() -> None:
    network = {"layers": [2], "epochs": 1, "batch_size": 256, "stratify_by": "planted"}
    study = planted_study(
        label="planted",
        encoding={"kind": "autoencoder", "parameters": network},
        algorithms=[{"name": "kmeans", "k": 2}],
        stability={"refits": 0},
    )
    frame = gold_customers()
    (by_label,) = segment_partitions(study, frame, 1, Silent())
    (one_label,) = segment_partitions(study, frame.assign(planted="one"), 1, Silent())
    encoders = [found.prepared.encoders[0] for found in (by_label, one_label)]
    assert encoders[0].history_ != encoders[1].history_
    names = by_label.prepared.matrix.names_
    assert "planted" not in names
    assert encoders[0].columns_ == len(names)
