"""The chosen candidate of a real search, by each measure and by the rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from planted_gold import planted_study

from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError
from models_py.base.progress import Silent
from models_py.clustering.candidate import Request
from models_py.segmentation.choosing import ChosenCandidate, choose_candidate
from models_py.segmentation.search import EvaluatedCandidate, EncodedRows, search
from models_py.studies.measures import MEASURES

GROUPS = np.repeat([0, 1, 2, 3], [60, 50, 40, 6])


@pytest.fixture(scope="module")
def points() -> FloatArray:
    """Three groups and a small fourth."""
    centers = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0], [30.0, 30.0]])
    noise = np.random.default_rng(2).normal(size=(len(GROUPS), 2))
    return np.ascontiguousarray(centers[GROUPS] + noise)


@pytest.fixture(scope="module")
def candidates(points: FloatArray) -> list[EvaluatedCandidate]:
    requests = [
        Request("kmeans", range(2, 7), {}),
        Request("gaussian_mixture", range(2, 7), {}),
    ]
    return search([EncodedRows("none", points)], points, requests, None, 1, Silent())


def choose(
    points: FloatArray, candidates: list[EvaluatedCandidate], refits: int = 4, **section: Any
) -> ChosenCandidate:
    study = planted_study(choose=section, stability={"refits": refits})
    return choose_candidate([EncodedRows("none", points)], points, None, candidates, study, seed=1)


@pytest.mark.parametrize(
    ("by", "sign"),
    [
        ("silhouette", 1),
        ("common_silhouette", 1),
        ("calinski_harabasz", 1),
        ("davies_bouldin", -1),
    ],
)
def test_by_one_measure(
    points: FloatArray, candidates: list[EvaluatedCandidate], by: str, sign: int
) -> None:
    chosen = choose(points, candidates, by=by)
    figures = np.array([candidate.figures[by] for candidate in candidates])
    assert chosen.position == int(np.argmax(sign * figures))
    digits = 0 if by == "calinski_harabasz" else 3
    assert f"{MEASURES[by].words} ({figures[chosen.position]:,.{digits}f})" in chosen.reason
    assert chosen.jaccard.shape == (candidates[chosen.position].candidate.k,)


def test_a_measure_that_no_candidate_has(points: FloatArray) -> None:
    alone = search([EncodedRows("none", points)], points, [Request("dbscan", [], {"eps": 500.0})],
                   None, 1, Silent())  # fmt: skip
    with pytest.raises(DataError, match=r"no candidate has the measure 'silhouette'"):
        choose(points, alone, by="silhouette")


def test_the_rule_keeps_to_the_smallest_share(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    small = choose(points, candidates, by="rule", min_share=0.01)
    large = choose(points, candidates, by="rule", min_share=0.2)
    assert small.position is not None
    assert large.position is not None
    assert candidates[small.position].figures["smallest_share"] == pytest.approx(6 / 156)
    assert candidates[large.position].figures["smallest_share"] >= 0.2
    assert (small.jaccard >= 0.6).all()


def test_rows_left_as_noise_count_nothing() -> None:
    # Two dense cores inside two wide groups: density finds the cores alone, far apart.
    generator = np.random.default_rng(3)
    spreads = np.repeat([0.05, 1.6], [60, 240])
    rows = generator.normal(size=(300, 2)) * spreads[:, None]
    rows[::2, 0] += 8.0
    rows = np.ascontiguousarray(rows)
    requests = [
        Request("kmeans", [2], {}),
        Request("dbscan", [], {"eps": 0.15, "min_samples": 8}),
    ]
    candidates = search([EncodedRows("none", rows)], rows, requests, None, 1, Silent())
    kmeans, dbscan = (candidate.figures for candidate in candidates)
    assert dbscan["common_silhouette"] > kmeans["common_silhouette"]
    assert dbscan["noise_share"] > 0.5

    assert choose(rows, candidates, by="rule", min_share=0.01, refits=0).position == 0
    alone = choose(rows, candidates[1:], by="rule", min_share=0.01, refits=0)
    counted = dbscan["common_silhouette"] * (1 - dbscan["noise_share"])
    assert f"common-space silhouette {counted:.3f}" in alone.reason
    assert f"the {dbscan['noise_share']:.0%} of the rows that are noise count 0" in alone.reason


def test_no_segment_is_large_enough(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    chosen = choose(points, candidates, by="rule", min_share=0.95)
    assert chosen.position is None
    assert chosen.reason.startswith("one segment")


def test_within_the_tolerance_the_finest_wins(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    exact = choose(points, candidates, by="rule", min_share=0.01, min_stability=0.0)
    loose = choose(points, candidates, by="rule", min_share=0.01, min_stability=0.0, tolerance=0.6)
    assert exact.position is not None
    assert loose.position is not None
    assert candidates[loose.position].candidate.k > candidates[exact.position].candidate.k
    limit = 0.4 * candidates[exact.position].figures["common_silhouette"]
    assert candidates[loose.position].figures["common_silhouette"] >= limit


def test_the_same_seed_gives_the_same_winner(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    first, two = (choose(points, candidates, by="rule") for _ in range(2))
    assert (first.position, first.reason) == (two.position, two.reason)
    np.testing.assert_array_equal(first.jaccard, two.jaccard)


def test_without_refits_nothing_is_called_stable(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    chosen = choose(points, candidates, refits=0, by="rule")
    assert np.isnan(chosen.jaccard).all()
    assert chosen.refitted == {}


@pytest.mark.parametrize("by", ["silhouette", "rule", "stability"])
def test_a_fixed_number_of_segments(
    points: FloatArray, candidates: list[EvaluatedCandidate], by: str
) -> None:
    chosen = choose(points, candidates, by=by, k=5, min_share=0.0)
    assert chosen.position is not None
    assert candidates[chosen.position].candidate.k == 5
    assert all(candidates[place].candidate.k == 5 for place in chosen.refitted)


def test_a_fixed_number_that_no_candidate_has(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    with pytest.raises(DataError, match=r"choose.k = 9: no candidate has 9 segments .*2, 3"):
        choose(points, candidates, by="silhouette", k=9)


def test_a_preset_algorithm_and_number_of_segments(
    points: FloatArray, candidates: list[EvaluatedCandidate]
) -> None:
    section = {"by": "silhouette", "algorithm": "gaussian_mixture", "k": 5}
    study = planted_study(
        choose=section,
        algorithms=[{"name": "kmeans", "k": 2}, {"name": "gaussian_mixture", "k": [2, 6]}],
    )

    chosen = choose_candidate([EncodedRows("none", points)], points, None, candidates, study, 1)

    assert chosen.position is not None
    preset = candidates[chosen.position].candidate
    assert (preset.algorithm, preset.k) == ("gaussian_mixture", 5)
    of_kmeans = [item for item in candidates if item.candidate.algorithm == "kmeans"]
    with pytest.raises(DataError, match=r"choose.algorithm = .gaussian_mixture.: it has no cand"):
        choose_candidate([EncodedRows("none", points)], points, None, of_kmeans, study, 1)


@pytest.fixture(scope="module")
def by_angle() -> tuple[FloatArray, list[EvaluatedCandidate]]:
    """Three directions at lengths that mislead, and one row far out."""
    generator = np.random.default_rng(5)
    middles = np.eye(4)[np.repeat([0, 1, 2], 50)] * 6.0
    lengths = generator.uniform(0.5, 3.0, size=(150, 1))
    lengths[0] = 60.0
    rows = np.ascontiguousarray((middles + generator.normal(size=(150, 4))) * lengths)
    requests = [
        Request("complete", [2, 3, 4], {"metric": "cosine"}),
        Request("single", [2, 3, 4], {"metric": "cosine"}),
        Request("single", [2], {}),
    ]
    return rows, search([EncodedRows("none", rows)], rows, requests, None, 1, Silent())


@pytest.mark.parametrize("by", ["silhouette", "rule"])
def test_cosine_candidates_are_chosen_by_cosine(
    by_angle: tuple[FloatArray, list[EvaluatedCandidate]], by: str
) -> None:
    rows, measured = by_angle
    of_cosine = [item for item in measured if item.candidate.metric == "cosine"]
    chosen = choose(rows, of_cosine, by=by, min_share=0.0, tolerance=0.0)
    assert chosen.position is not None
    figures = [item.figures["metric_silhouette"] for item in of_cosine]
    assert chosen.position == int(np.argmax(figures))
    assert of_cosine[chosen.position].candidate.k == 3
    assert "cosine silhouette" in chosen.reason


def test_candidates_of_two_distances_compare_in_the_common_space(
    by_angle: tuple[FloatArray, list[EvaluatedCandidate]],
) -> None:
    rows, measured = by_angle
    chosen = choose(rows, measured, by="silhouette")
    # The row far out alone has the highest Euclidean silhouette, the three directions the cosine.
    best = {
        metric: max(
            (item for item in measured if item.candidate.metric == metric),
            key=lambda item: item.figures["silhouette"],
        )
        for metric in ("cosine", "euclidean")
    }
    assert chosen.position is not None
    stable = measured[chosen.position]
    assert stable in best.values()
    for metric, item in best.items():
        assert f"{metric} {item.figures['common_silhouette']:.3f}" in chosen.reason
    alone = choose(rows, measured, refits=0, by="common_silhouette")
    assert alone.position is not None
    assert measured[alone.position].candidate.metric == "euclidean"


def test_where_no_split_comes_back_the_rows_are_one_segment() -> None:
    rows = np.random.default_rng(9).normal(size=(90, 6))
    requests = [Request("complete", [2, 3, 4], {})]
    measured = search([EncodedRows("none", rows)], rows, requests, None, 1, Silent())
    section = {"by": "rule", "min_share": 0.0, "min_stability": 0.95}
    split = choose(rows, measured, **section)
    assert split.position is not None
    assert (split.jaccard < 0.95).any()
    honest = choose(rows, measured, when_unstable="one_segment", **section)
    assert honest.position is None
    assert honest.reason.startswith("one segment: no split comes back in refits; the most stable")
    assert honest.reason.endswith("where 0.95 is asked for")
    assert honest.refitted == split.refitted


def test_a_candidate_that_the_study_names_is_ranked(
    by_angle: tuple[FloatArray, list[EvaluatedCandidate]],
) -> None:
    rows, measured = by_angle
    study = planted_study(
        algorithms=[{"name": "complete", "k": [2, 4], "parameters": {"metric": "cosine"}}],
        choose={"by": "silhouette", "algorithm": "complete", "k": 2},
    )
    spaces = [EncodedRows("none", rows)]
    chosen = choose_candidate(spaces, rows, None, measured, study, seed=1)
    assert chosen.position == 0
    figures = [i.figures["silhouette"] for i in measured if i.candidate.metric == "cosine"]
    rank = sorted(figures, reverse=True).index(figures[0]) + 1
    assert chosen.reason == (
        f"complete with 2 segments is what the study names (cosine silhouette {figures[0]:.3f},"
        f" rank {rank} of 6 candidates, the best {max(figures):.3f})"
    )
