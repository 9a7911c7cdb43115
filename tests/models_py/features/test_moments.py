"""Features scaled, selected and projected by the moments of all rows, as if all were at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_py.features.encoders.pca import PcaEncoder
from models_py.features.encoders.settings import PcaSettings
from models_py.features.matrix import FeatureMatrix, Moments
from models_py.features.recipes import before_scaling
from models_py.features.selection import select_features
from models_py.features.settings import Features, Selection


def customers(rows: int = 600) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    spend = generator.gamma(2.0, 30.0, rows)
    shares = generator.dirichlet([2.0, 3.0, 1.0], rows)
    return pd.DataFrame(
        {
            "spend": spend,
            "visits": np.round(spend / 10 + generator.normal(size=rows) * 3),
            "channel": generator.choice(["web", "shop", "app"], rows, p=[0.5, 0.3, 0.2]),
            "is_member": generator.random(rows) < 0.3,
            **{f"part_{i}": shares[:, i] for i in range(3)},
        }
    )


def moments_of(matrix: FeatureMatrix, frame: pd.DataFrame) -> Moments:
    """Compute what a table says of features from its rows."""
    values = np.column_stack([before_scaling(r, frame[r.column]) for r in matrix.recipes_])
    return Moments(
        values.mean(axis=0),
        values.var(axis=0),
        values.min(axis=0),
        values.max(axis=0),
        np.corrcoef(values.T),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scale": "yeo_johnson"},
        {"scale": "none"},
        {"category_weight": None},
        {"compositions": {"parts": ["part_*"]}, "log1p": ["spend"]},
    ],
)
def test_a_matrix_of_a_sample_becomes_that_of_all_rows(changes: dict[str, Any]) -> None:
    frame = customers()
    features = Features.model_validate({"include": ["*"], **changes})
    sampled = FeatureMatrix(features).fit(frame.iloc[:150])
    # Powers are learned on the sample: those of all rows would be others.
    powers = {recipe.feature: recipe.power for recipe in sampled.recipes_}
    whole = FeatureMatrix(features).fit(frame)
    rescaled = sampled.rescaled(moments_of(sampled, frame), frame.iloc[:150])
    assert rescaled.names_ == whole.names_
    for got, expected in zip(rescaled.recipes_, whole.recipes_, strict=True):
        assert got.power == powers[got.feature]
        if got.power is not None:
            continue
        assert got.center == pytest.approx(expected.center, abs=1e-12)
        assert got.spread == pytest.approx(expected.spread, rel=1e-12)
        assert rescaled.unit_variances_[got.feature] == pytest.approx(
            whole.unit_variances_[got.feature], rel=1e-12
        )
    assert sampled.recipes_ != rescaled.recipes_ or features.scale == "none"


def test_selection_goes_by_the_correlation_that_is_given() -> None:
    frame = customers()
    matrix = FeatureMatrix(Features(include=["spend", "visits", "part_*"])).fit(frame)
    points, names = matrix.transform(frame), matrix.names_
    limits = Selection(max_correlation=0.8, max_vif=5.0)
    by_rows = select_features(points, names, matrix.unit_variances_, limits, 1)
    known = moments_of(matrix, frame).correlation
    few = points[:20]
    by_moments = select_features(few, names, matrix.unit_variances_, limits, 1, None, known)
    assert by_moments.kept.tolist() == by_rows.kept.tolist()
    np.testing.assert_allclose(by_moments.vif, by_rows.vif, rtol=1e-9)
    other = select_features(few, names, matrix.unit_variances_, limits, 1)
    assert other.kept.tolist() != by_rows.kept.tolist() or not np.allclose(other.vif, by_rows.vif)


@pytest.mark.parametrize("components", [0.8, 1.0, 2])
def test_principal_components_of_moments_are_those_of_the_rows(components: float) -> None:
    points = np.random.default_rng(5).normal(size=(400, 5)) @ np.diag([3.0, 2.0, 1.0, 0.5, 0.2])
    settings = PcaSettings(components=components)
    of_rows = PcaEncoder(settings).fit(points, 1)
    of_moments = PcaEncoder(settings).fit_moments(
        points.mean(axis=0), np.cov(points.T), len(points)
    )
    np.testing.assert_allclose(of_moments.components_, of_rows.components_, atol=1e-9)
    np.testing.assert_allclose(
        of_moments.explained_variance_ratio_, of_rows.explained_variance_ratio_, rtol=1e-9
    )
    np.testing.assert_allclose(of_moments.transform(points), of_rows.transform(points), atol=1e-9)
