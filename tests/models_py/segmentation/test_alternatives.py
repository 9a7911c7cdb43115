"""Other groupings of the same rows: the next best that say something else."""

from __future__ import annotations

import numpy as np
import pytest
from planted_gold import planted_study

from models_py.base.arrays import IntArray
from models_py.base.errors import DataError
from models_py.base.progress import Silent
from models_py.clustering.candidate import Request
from models_py.segmentation.alternatives import (
    DISTINCT_BELOW,
    MOST,
    cross_counts,
    distinct_alternatives,
)
from models_py.segmentation.choosing import choose_candidate
from models_py.segmentation.search import EncodedRows, EvaluatedCandidate, search

GROUPS = np.repeat([0, 1, 2, 3], [60, 50, 40, 30])
CENTERS = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 20.0], [6.0, 20.0]])
NOISE = np.random.default_rng(2).normal(size=(len(GROUPS), 2))
POINTS = np.ascontiguousarray(CENTERS[GROUPS] + NOISE)
SPACES = [EncodedRows("none", POINTS)]


@pytest.fixture(scope="module")
def candidates() -> list[EvaluatedCandidate]:
    requests = [Request("kmeans", range(2, 7), {}), Request("ward", range(2, 7), {})]
    return search(SPACES, POINTS, requests, None, 1, Silent())


def test_they_differ_from_the_answer_and_from_each_other(
    candidates: list[EvaluatedCandidate],
) -> None:
    from sklearn.metrics import adjusted_rand_score

    study = planted_study(choose={"by": "silhouette"}, stability={"refits": 0})
    choice = choose_candidate(SPACES, POINTS, None, candidates, study, seed=1)
    assert choice.position is not None
    answer = candidates[choice.position].candidate.labels
    others = distinct_alternatives(candidates, choice, answer)
    assert 1 < len(others) <= MOST
    labels = [answer, *(other.labels for other in others)]
    for place, first in enumerate(labels):
        for second in labels[:place]:
            assert adjusted_rand_score(first, second) < DISTINCT_BELOW
    for other in others:
        assert other.agreement == pytest.approx(adjusted_rand_score(answer, other.labels))
    figures = [candidates[other.position].figures["silhouette"] for other in others]
    assert figures == sorted(figures, reverse=True)


def test_where_one_segment_is_the_answer_the_best_splits_are_named(
    candidates: list[EvaluatedCandidate],
) -> None:
    study = planted_study(
        choose={"by": "rule", "min_stability": 1.0, "when_unstable": "one_segment"},
        stability={"refits": 2, "share": 0.3},
    )
    few = candidates[4:5]
    choice = choose_candidate(SPACES, POINTS, None, few, study, seed=1)
    assert choice.position is None
    [other] = distinct_alternatives(few, choice, np.zeros(len(POINTS), dtype=np.int64))
    assert other.position == 0
    assert np.isnan(other.agreement)


@pytest.mark.parametrize("place", [0, 3])
def test_a_named_candidate_is_taken(candidates: list[EvaluatedCandidate], place: int) -> None:
    own = candidates[place].candidate
    section = {"by": "silhouette", "candidate": place, "algorithm": own.algorithm, "k": own.k}
    study = planted_study(choose=section, stability={"refits": 2})
    choice = choose_candidate(SPACES, POINTS, None, candidates, study, seed=1)
    assert choice.position == place
    assert "taken in place of the study's own answer" in choice.reason


@pytest.mark.parametrize("section", [{"candidate": 0, "k": 5}, {"candidate": 99, "k": 2}])
def test_a_candidate_that_is_now_another_is_refused(
    candidates: list[EvaluatedCandidate], section: dict[str, int]
) -> None:
    study = planted_study(choose=section, stability={"refits": 0})
    with pytest.raises(DataError, match=r"choose.candidate = .* no longer"):
        choose_candidate(SPACES, POINTS, None, candidates, study, seed=1)


def test_rows_are_counted_without_noise() -> None:
    groups: IntArray = np.array([0, 0, 1, 1, 1])
    labels: IntArray = np.array([1, 0, 0, -1, 0])
    assert cross_counts(groups, labels).tolist() == [[1, 1], [2, 0]]
