"""Detectors of outliers, held against the libraries themselves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from pyod.models.ecod import ECOD
from scipy.stats import chi2
from sklearn.covariance import MinCovDet
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.features.outliers import OutlierScores, find_outliers
from models_py.features.settings import Outliers

METHODS = ("isolation_forest", "local_outlier_factor", "ecod", "mahalanobis")
PLANTED = 6


@pytest.fixture(scope="module")
def points() -> FloatArray:
    """A cloud of correlated rows whose last six lie far off."""
    generator = np.random.default_rng(11)
    cloud = generator.normal(size=(300, 4)) @ generator.normal(size=(4, 4))
    cloud[-PLANTED:] = 12.0 + generator.normal(size=(PLANTED, 4))
    return cloud


def find(
    points: FloatArray, method: str, contamination: Any = "auto", seed: int = 5
) -> OutlierScores:
    section = Outliers.model_validate({"method": method, "contamination": contamination})
    return find_outliers(points, section, seed)


def test_isolation_forest(points: FloatArray) -> None:
    forest = IsolationForest(random_state=5).fit(points)
    result = find(points, "isolation_forest")
    np.testing.assert_allclose(result.scores, -forest.score_samples(points), rtol=1e-12)
    np.testing.assert_array_equal(result.is_outlier, forest.predict(points) == -1)


def test_local_outlier_factor(points: FloatArray) -> None:
    detector = LocalOutlierFactor()
    flagged = detector.fit_predict(points) == -1
    result = find(points, "local_outlier_factor")
    np.testing.assert_allclose(result.scores, -detector.negative_outlier_factor_, rtol=1e-12)
    np.testing.assert_array_equal(result.is_outlier, flagged)


def test_mahalanobis(points: FloatArray) -> None:
    squared = MinCovDet(random_state=5).fit(points).mahalanobis(points)
    result = find(points, "mahalanobis")
    np.testing.assert_allclose(result.scores, squared, rtol=1e-12)
    np.testing.assert_array_equal(result.is_outlier, squared > chi2.ppf(0.999, 4))


def test_ecod(points: FloatArray) -> None:
    scores = ECOD().fit(points).decision_scores_
    result = find(points, "ecod")
    np.testing.assert_allclose(result.scores, scores, rtol=1e-12)
    lower, upper = np.quantile(scores, [0.25, 0.75])
    np.testing.assert_array_equal(result.is_outlier, scores > upper + 3 * (upper - lower))


@pytest.mark.parametrize("method", METHODS)
def test_a_fixed_share_flags_the_strangest(points: FloatArray, method: str) -> None:
    result = find(points, method, PLANTED / len(points))
    assert result.method == method
    assert np.flatnonzero(result.is_outlier).tolist() == list(range(294, 300))
    assert result.scores[~result.is_outlier].max() <= result.scores[result.is_outlier].min()


@pytest.mark.parametrize("method", METHODS)
def test_the_automatic_threshold_finds_the_planted(points: FloatArray, method: str) -> None:
    result = find(points, method)
    assert result.is_outlier[-PLANTED:].all() or method == "local_outlier_factor"
    assert result.is_outlier.sum() < 0.3 * len(points)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_scores(points: FloatArray, method: str) -> None:
    np.testing.assert_array_equal(find(points, method).scores, find(points, method).scores)


def test_none_flags_nobody(points: FloatArray) -> None:
    result = find(points, "none", 0.5)
    assert result.method == "none"
    assert not result.is_outlier.any()
    assert not result.scores.any()


@pytest.mark.parametrize("method", METHODS)
def test_fewer_than_two_rows_left(method: str) -> None:
    rows = np.array([[0.0], [1.0], [5.0]])
    with pytest.raises(DataError, match=f"outliers: {method} leaves 1 of 3 rows; lower"):
        find(rows, method, 0.5)


def test_mahalanobis_needs_more_rows_than_features() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 8))
    with pytest.raises(DataError, match="mahalanobis needs more rows than features, got 5"):
        find(rows, "mahalanobis")


def test_mahalanobis_of_a_feature_where_most_rows_agree(points: FloatArray) -> None:
    flag = (np.arange(len(points)) % 40 == 0).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = find(np.column_stack([points, flag]), "mahalanobis", 0.05)
    assert np.isfinite(result.scores).all()
    assert result.is_outlier.sum() == 15


def test_incomplete_rows_stay_out_and_the_detector_does_not_see_them(points: FloatArray) -> None:
    incomplete = np.zeros(len(points), dtype=bool)
    incomplete[:10] = True
    section = Outliers(method="isolation_forest", contamination=0.02)

    result = find_outliers(points, section, 5, incomplete)

    alone = find_outliers(points[10:], section, 5)
    np.testing.assert_array_equal(result.is_outlier[10:], alone.is_outlier)
    np.testing.assert_array_equal(result.scores[10:], alone.scores)
    assert result.is_outlier[:10].all()
    assert result.methods.tolist() == ["incomplete"] * 10 + ["isolation_forest"] * 290


def test_incomplete_rows_without_a_detector(points: FloatArray) -> None:
    incomplete = np.arange(len(points)) % 2 == 0

    result = find_outliers(points, Outliers(method="none"), 5, incomplete)

    np.testing.assert_array_equal(result.is_outlier, incomplete)
    with pytest.raises(DataError, match=r"drop_after_scaling' leaves 1 of 300 rows; exclude"):
        find_outliers(points, Outliers(method="none"), 5, np.arange(300) > 0)
