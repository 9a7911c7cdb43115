"""The surrogate: judged out of fold, and its SHAP values against those of the shap package."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from models_py.base import threads
from models_py.describe import surrogate
from models_py.describe.surrogate import FOLDS, ROUNDS, Surrogate, fit_surrogate

ROWS = 400
GENERATOR = np.random.default_rng(5)
VALUES = GENERATOR.normal(size=(ROWS, 4))
GROUPS = np.where(VALUES[:, 0] > 0.8, 2, (VALUES[:, 1] > 0).astype(np.int64))
VALUES[GENERATOR.random(VALUES.shape) < 0.05] = np.nan


@pytest.fixture(scope="module")
def result() -> Surrogate:
    result = fit_surrogate(VALUES, GROUPS, 3)
    assert result is not None
    return result


def test_f1_is_that_of_rows_not_fitted_on(result: Surrogate) -> None:
    parameters = {name: value for name, value in result.parameters.items() if name != "rounds"}
    values = np.empty(ROWS, dtype=np.int64)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=3)
    for fitted, tried in folds.split(VALUES, GROUPS):
        data = lightgbm.Dataset(VALUES[fitted], GROUPS[fitted])
        model = lightgbm.train(parameters, data, ROUNDS)
        values[tried] = np.asarray(model.predict(VALUES[tried])).argmax(axis=1)
    assert result.f1_weighted == pytest.approx(f1_score(GROUPS, values, average="weighted"))
    assert result.f1_macro == pytest.approx(f1_score(GROUPS, values, average="macro"))
    np.testing.assert_allclose(result.f1, f1_score(GROUPS, values, average=None))
    assert result.accuracy == pytest.approx((values == GROUPS).mean())
    assert 0.8 < result.f1_weighted < 1.0


def test_noise_is_not_explained() -> None:
    values = fit_surrogate(VALUES, np.random.default_rng(9).integers(0, 3, ROWS), 3)
    assert values is not None
    assert values.f1_weighted < 0.45


def expected_value(node: dict[str, Any], row: np.ndarray, known: set[int]) -> float:
    """A tree's value where only some features are known; others follow the fitted rows."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right = node["left_child"], node["right_child"]
    feature = node["split_feature"]
    if feature in known:
        value = row[feature]
        if np.isnan(value):
            value = 0.0 if node["missing_type"] == "None" else value
        goes_left = node["default_left"] if np.isnan(value) else value <= node["threshold"]
        return expected_value(left if goes_left else right, row, known)
    sizes = [child.get("leaf_count", child.get("internal_count")) for child in (left, right)]
    values = [expected_value(child, row, known) for child in (left, right)]
    return float(np.average(values, weights=sizes))


def test_shap_values_are_shapley_values_by_their_definition(result: Surrogate) -> None:
    trees = lightgbm.Booster(model_str=result.model).dump_model()["tree_info"]
    row = VALUES[result.sample[3]]
    subsets = [set(number) for size in range(5) for number in combinations(range(4), size)]
    for group in range(3):
        worth = {
            frozenset(known): sum(
                expected_value(tree["tree_structure"], row, known) for tree in trees[group::3]
            )
            for known in subsets
        }
        for feature in range(4):
            expected = sum(
                factorial(len(known))
                * factorial(3 - len(known))
                / factorial(4)
                * (worth[frozenset(known | {feature})] - worth[frozenset(known)])
                for known in subsets
                if feature not in known
            )
            assert result.shap[3, group, feature] == pytest.approx(expected, abs=1e-9)


def test_shap_values_are_those_of_tree_explainer(result: Surrogate) -> None:
    shap = pytest.importorskip("shap", reason="the extra 'dev' brings shap")
    model = lightgbm.Booster(model_str=result.model)
    expected = shap.TreeExplainer(model).shap_values(VALUES[result.sample])
    np.testing.assert_allclose(result.shap, np.moveaxis(expected, 2, 1), atol=1e-9)


def test_contributions_add_up_to_the_log_odds(result: Surrogate) -> None:
    model = lightgbm.Booster(model_str=result.model)
    rows = VALUES[result.sample]
    base = np.asarray(model.predict(rows, pred_contrib=True)).reshape(len(rows), 3, 5)[:, :, -1]
    raw = np.asarray(model.predict(rows, raw_score=True))
    np.testing.assert_allclose(result.shap.sum(axis=2) + base, raw, atol=1e-9)


def test_what_made_the_groups_speaks_for_them_and_in_its_direction(result: Surrogate) -> None:
    assert result.mean_shap[2].argmax() == 0
    assert result.mean_shap[0].argmax() == result.mean_shap[1].argmax() == 1
    direction = result.direction(VALUES)
    assert (direction[2, 0], direction[1, 1], direction[0, 1]) == (1, 1, -1)


@pytest.mark.parametrize("cores", [1, 3])
def test_the_same_whatever_the_threads(
    result: Surrogate, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(threads, "core_count", lambda: cores)
    again = fit_surrogate(VALUES, GROUPS, 3)
    assert again is not None
    assert again.f1_weighted == result.f1_weighted
    np.testing.assert_array_equal(again.shap, result.shap)


def test_small_groups_are_left_out() -> None:
    groups = np.where(np.arange(ROWS) < 7, 3, GROUPS)
    result = fit_surrogate(VALUES, groups, 3, smallest=8)
    assert result is not None
    assert result.classes.tolist() == [0, 1, 2]
    assert result.rows == ROWS - 7
    assert result.sample.min() >= 7
    assert fit_surrogate(VALUES, np.zeros(ROWS, dtype=np.int64), 3) is None


def test_many_rows_are_sampled_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surrogate, "FIT_ROWS", 200)
    monkeypatch.setattr(surrogate, "SHAP_ROWS", 50)
    result = fit_surrogate(VALUES, GROUPS, 3)
    assert result is not None
    assert (result.rows, result.sample.size, result.shap.shape) == (200, 50, (50, 3, 4))
