"""Segments beside known labels, held against scikit-learn's figures and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from models_py.describe.labels import agreement, supervised_score

groupings = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=60)


@given(groupings)
def test_as_scikit_learn_measures_it(pairs: list[tuple[int, int]]) -> None:
    segments, labels = np.array(pairs).T
    result = agreement(segments, labels)
    assert result.adjusted_rand == pytest.approx(adjusted_rand_score(labels, segments))
    if len(set(segments)) > 1 and len(set(labels)) > 1:
        wanted = normalized_mutual_info_score(labels, segments)
        assert result.mutual_information == pytest.approx(wanted, abs=1e-9)


def test_purity_by_hand() -> None:
    segments = np.array([0, 0, 0, 1, 1, 1, 1])
    labels = np.array([5, 5, 6, 6, 6, 7, 5])
    assert agreement(segments, labels).purity == pytest.approx((2 + 2) / 7)


def test_one_group_tells_nothing() -> None:
    alone = np.zeros(6, dtype=np.int64)
    for labels in (np.array([0, 0, 1, 1, 2, 2]), alone):
        assert agreement(alone, labels).mutual_information == 0.0


def test_a_supervised_model_learns_what_the_points_tell() -> None:
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1], 150)
    points = np.column_stack(
        [labels * 6.0 + generator.normal(size=300), generator.normal(size=300)]
    )
    result = supervised_score(points, labels, seed=1)
    guessed = supervised_score(generator.normal(size=(300, 2)), labels, seed=1)
    assert result is not None
    assert guessed is not None
    assert result.accuracy > 0.97
    assert guessed.accuracy < 0.65
    assert supervised_score(points, labels, seed=1) == result


def test_too_few_of_a_label_for_the_folds() -> None:
    labels = np.array([0] * 20 + [1] * 4)
    assert supervised_score(np.arange(24.0)[:, None], labels, seed=1) is None
    assert supervised_score(np.arange(24.0)[:, None], np.zeros(24, dtype=np.int64), seed=1) is None
