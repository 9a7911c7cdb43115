"""Columns that tell groups apart: a date and copies do not, gains by regression."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from models_py.clustering.mixed_mixture import MixedPoints
from models_py.features.structure import _other_numbers, _own_number, _words, find_structure


def test_columns_of_the_groups_are_kept_and_a_date_is_not() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    centers = np.array([[0.0, 0.0, 0.0], [4.0, 0.0, 2.0], [0.0, 4.0, 2.0]])
    told = centers[truth] + rng.standard_normal((400, 3))
    date = rng.integers(0, 2_000, 400)
    together = rng.standard_normal(400)
    pair = together[:, None] + 0.4 * rng.standard_normal((400, 2))
    yes = rng.integers(0, 2, 400)
    numeric = np.column_stack([told, date, pair, yes]).astype(np.float64)
    plan = np.where(rng.random(400) < 0.8, truth, rng.integers(0, 3, 400))
    categorical = np.column_stack([plan, rng.integers(0, 4, 400)])

    structure = find_structure(numeric, categorical, 8, 0)
    assert list(structure.numeric > 0) == [True, True, True, False, False, False, False]
    assert list(structure.categorical > 0) == [True, False]
    assert structure.columns == 4
    assert structure.groups == 3
    assert structure.numeric_explained[0] > 0.4
    assert structure.numeric_explained[3] < 0.05


def test_columns_without_groups_say_nothing() -> None:
    rng = np.random.default_rng(1)
    numeric = rng.multivariate_normal(np.zeros(4), 0.5 + 0.5 * np.eye(4), 500)
    numeric = np.column_stack([numeric, rng.integers(0, 2_000, 500), np.ones(500)])

    structure = find_structure(numeric, rng.integers(0, 3, (500, 2)), 8, 0)
    assert structure.columns < 2
    assert np.isnan(structure.numeric[5])


def test_a_gain_is_the_likelihood_ratio_of_two_regressions() -> None:
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 3, 200)
    numbers = rng.standard_normal((200, 3)) + np.array([0.0, 1.0, 2.5])[groups, None]
    numbers[:, 1] += 0.8 * numbers[:, 0]
    numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    shares = np.eye(3)[groups]
    points = MixedPoints(numbers, np.zeros((200, 0)), np.zeros(0, dtype=np.int64))

    def left(predictors: np.ndarray) -> float:
        model = LinearRegression().fit(predictors, numbers[:, 1])
        return float(np.mean((numbers[:, 1] - model.predict(predictors)) ** 2))

    rest = numbers[:, [0, 2]]
    ratio = left(np.column_stack([rest, shares])) / left(rest)
    expected = -200 * np.log(ratio) - 2 * np.log(200)
    assert _own_number(points, 1, shares)[0] == pytest.approx(expected, rel=1e-3)
    assert _other_numbers(points, [0, 2], shares)[0][1] == pytest.approx(expected, rel=1e-3)


def test_words_gain_by_the_mutual_information() -> None:
    from sklearn.metrics import mutual_info_score

    rng = np.random.default_rng(3)
    groups, words = rng.integers(0, 3, 300), rng.integers(0, 4, 300)
    words[groups == 1] = 2
    points = MixedPoints(np.zeros((300, 0)), np.eye(4)[words], np.zeros(4, dtype=np.int64))

    gain, told = _words(points, 0, np.eye(3)[groups])
    mutual = mutual_info_score(groups, words)
    assert gain == pytest.approx(600 * mutual - 2 * 3 * np.log(300))
    assert told == pytest.approx(mutual / mutual_info_score(words, words))
