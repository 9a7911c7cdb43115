"""Selection of features, held against statsmodels' variance inflation factors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.tools import add_constant

from models_py.base.arrays import FloatArray
from models_py.features.selection import (
    Selected,
    feature_importance,
    select_features,
    variance_inflation,
)
from models_py.features.settings import Selection

OFF: dict[str, Any] = {"min_variance": 0.0, "max_correlation": None, "max_vif": None}


def select(matrix: FloatArray, variances: list[float] | None = None, **limits: Any) -> Selected:
    names = [f"x{i}" for i in range(matrix.shape[1])]
    units = dict(zip(names, variances or [0.1] * len(names), strict=True))
    return select_features(matrix, names, units, Selection(**{**OFF, **limits}), seed=3)


def by_regression(matrix: FloatArray) -> FloatArray:
    with_constant = add_constant(matrix, has_constant="add")
    columns = range(1, with_constant.shape[1])
    return np.array([variance_inflation_factor(with_constant, i) for i in columns])


def related(rows: int, columns: int, noise: float, seed: int) -> FloatArray:
    """Columns that are noisy mixtures of half as many factors, at odd scales and places."""
    generator = np.random.default_rng(seed)
    factors = generator.normal(size=(rows, columns // 2))
    mixture = factors @ generator.normal(size=(columns // 2, columns))
    matrix = mixture + noise * generator.normal(size=(rows, columns))
    return matrix * generator.uniform(0.1, 100, columns) + generator.normal(0, 50, columns)


@settings(max_examples=15, deadline=None)
@given(st.integers(4, 10), st.floats(0.1, 1.0), st.integers(0, 1000))
def test_inflation_is_that_of_statsmodels(columns: int, noise: float, seed: int) -> None:
    matrix = related(150, columns, noise, seed)
    np.testing.assert_allclose(variance_inflation(matrix), by_regression(matrix), rtol=1e-8)


def test_inflation_after_each_removal_is_that_of_statsmodels() -> None:
    matrix = related(300, 14, 0.15, seed=5)
    selected = select(matrix, max_vif=3.0)
    left = list(range(14))
    assert len(selected.dropped) >= 5
    for dropped_feature in selected.dropped:
        factors = by_regression(matrix[:, left])
        worst = int(factors.argmax())
        assert dropped_feature.step == "vif"
        assert dropped_feature.feature == f"x{left[worst]}"
        assert dropped_feature.vif == pytest.approx(factors[worst], rel=1e-8)
        assert dropped_feature.reason == f"variance inflation {factors[worst]:.1f}, over 3"
        del left[worst]
    assert selected.kept.tolist() == left
    np.testing.assert_allclose(selected.vif, by_regression(matrix[:, left]), rtol=1e-8)
    assert selected.vif.max() <= 3.0


def test_rank_deficient_columns() -> None:
    generator = np.random.default_rng(0)
    free = generator.normal(size=(200, 4))
    matrix = np.column_stack([free, free[:, 0] + 2 * free[:, 1], free[:, 2] * -3])
    factors = variance_inflation(matrix)
    assert np.isinf(factors[[0, 1, 2, 4, 5]]).all()
    assert factors[3] == pytest.approx(by_regression(matrix[:, [0, 1, 2, 3]])[3], rel=1e-8)
    selected = select(matrix, max_vif=10.0)
    assert len(selected.kept) == 4
    assert np.linalg.matrix_rank(matrix[:, selected.kept]) == 4
    assert [dropped_feature.reason for dropped_feature in selected.dropped] == [
        "other features determine it exactly"
    ] * 2
    assert [dropped_feature.vif for dropped_feature in selected.dropped] == [np.inf, np.inf]
    assert np.isfinite(selected.vif).all()


def test_more_columns_than_rows() -> None:
    matrix = np.random.default_rng(1).normal(size=(5, 9))
    selected = select(matrix, max_vif=1e6)
    assert 1 <= len(selected.kept) <= 4
    assert np.isfinite(selected.vif).all()
    assert len(selected.kept) + len(selected.dropped) == 9


def test_every_category_as_a_column_is_rank_deficient() -> None:
    ones = np.eye(3)[np.arange(90) % 3]
    selected = select(ones, max_vif=5.0)
    assert len(selected.kept) == 2


def test_one_and_no_column() -> None:
    matrix = np.random.default_rng(1).normal(size=(20, 1))
    selected = select(matrix, max_correlation=0.9, max_vif=2.0)
    assert (selected.kept.tolist(), selected.vif.tolist()) == ([0], [pytest.approx(1.0)])
    assert variance_inflation(matrix[:, :0]).shape == (0,)
    gone = select(matrix, variances=[0.0], min_variance=0.1, max_correlation=0.9, max_vif=2.0)
    assert (gone.kept.size, gone.vif.size, len(gone.dropped)) == (0, 0, 1)


def test_nearly_constant_features_go() -> None:
    matrix = np.random.default_rng(1).normal(size=(50, 3))
    selected = select(matrix, variances=[0.2, 1e-5, 1e-3], min_variance=1e-4)
    assert selected.kept.tolist() == [0, 2]
    (first,) = selected.dropped
    assert (first.feature, first.step, first.variance) == ("x1", "variance", 1e-5)
    assert (
        first.reason == "nearly constant: variance 1e-05 of the column scaled to 0..1, under 0.0001"
    )


def test_of_a_correlated_pair_the_one_tied_to_the_rest_goes() -> None:
    generator = np.random.default_rng(2)
    shared = generator.normal(size=400)
    alone = np.tile([1.0, -1.0], 200)
    first = shared + 0.1 * generator.normal(size=400)
    second = shared + 0.1 * generator.normal(size=400)
    third = second + 0.6 * generator.normal(size=400)
    matrix = np.column_stack([first, second, third, alone])
    strength = np.abs(np.corrcoef(matrix, rowvar=False)) - np.eye(4)
    selected = select(matrix, max_correlation=0.9)
    (item,) = selected.dropped
    assert (item.feature, item.step) == ("x1", "correlation")
    assert selected.kept.tolist() == [0, 2, 3]
    means = strength.sum(axis=1) / 3
    assert item.reason == (
        f"correlates {strength[1, 0]:.2f} with x0, and with the rest {means[1]:.2f} on average"
        f" against {means[0]:.2f}"
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 9), st.floats(0.3, 0.95), st.integers(0, 1000))
def test_no_kept_pair_correlates_beyond_the_limit(columns: int, limit: float, seed: int) -> None:
    matrix = related(80, columns, 0.5, seed)
    selected = select(matrix, max_correlation=limit)
    kept = np.abs(np.atleast_2d(np.corrcoef(matrix[:, selected.kept], rowvar=False)))
    assert (kept - np.eye(len(kept)) <= limit + 1e-12).all()
    assert len(selected.kept) + len(selected.dropped) == columns


def test_importance_keeps_what_is_tied_together() -> None:
    generator = np.random.default_rng(4)
    group = np.repeat([0.0, 4.0], 200)
    tied = group[:, None] + generator.normal(size=(400, 3))
    matrix = np.column_stack([generator.normal(size=(400, 2)), tied])
    importance = feature_importance(matrix, seed=3)
    assert importance.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(importance, feature_importance(matrix, seed=3))
    selected = select(matrix, max_features=3)
    assert selected.kept.tolist() == [2, 3, 4]
    assert [
        (dropped_feature.feature, dropped_feature.step) for dropped_feature in selected.dropped
    ] == [
        ("x0", "importance"),
        ("x1", "importance"),
    ]
    assert all(
        dropped_feature.reason.endswith("by importance, past 3")
        for dropped_feature in selected.dropped
    )


def test_steps_follow_each_other_and_record_every_drop() -> None:
    generator = np.random.default_rng(6)
    free = generator.normal(size=(300, 5))
    copy = free[:, 0] + 0.01 * generator.normal(size=300)
    total = free[:, 1] + free[:, 2] + free[:, 3] + 0.1 * generator.normal(size=300)
    matrix = np.column_stack([free, copy, total])
    limits = {"min_variance": 0.01, "max_correlation": 0.95, "max_vif": 10.0, "max_features": 2}
    selected = select(matrix, variances=[0.1] * 4 + [0.001] + [0.1] * 2, **limits)
    steps = [dropped_feature.step for dropped_feature in selected.dropped]
    assert steps == ["variance", "correlation", "vif", "importance", "importance"]
    names = {dropped_feature.feature for dropped_feature in selected.dropped} | {
        f"x{i}" for i in selected.kept
    }
    assert names == {f"x{i}" for i in range(7)}


def test_parts_of_a_whole_stay_and_nothing_goes_because_of_them() -> None:
    first = np.random.default_rng(0).normal(size=80)
    matrix = np.column_stack([first, -first, first, np.random.default_rng(1).normal(size=80)])
    limits = Selection(**{**OFF, "max_correlation": 0.9})
    names, units = ["a", "b", "c", "d"], dict.fromkeys("abcd", 0.1)

    selected = select_features(matrix, names, units, limits, 3, np.array([0, 1]))

    assert selected.kept.tolist() == [0, 1, 2, 3]
    assert select_features(matrix, names, units, limits, 3).kept.size == 2
