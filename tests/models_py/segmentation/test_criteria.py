"""Choosing by measure, by rule and by evidence; the automatic search on shapes with known truth."""

from dataclasses import replace

import numpy as np
import pytest
from planted import auto_cluster
from planted_data import SHAPES
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score

from models_py.base.errors import DataError
from models_py.clustering import auto as proposing
from models_py.clustering.algorithms import FAMILIES
from models_py.clustering.auto import assign_noise, numbered
from models_py.clustering.candidate import Candidate
from models_py.segmentation.auto.evidence import EVIDENCE, measure_evidence, prepare_evidence
from models_py.segmentation.auto.weighing import ranks, shipped_weights
from models_py.segmentation.criteria import choose, elbow


def two_balls(rng):
    return np.vstack([rng.standard_normal((60, 2)), rng.standard_normal((40, 2)) + 9.0])


def candidate(labels, algorithm="kmeans", **parameters):
    return Candidate(algorithm, parameters, np.asarray(labels, dtype=np.int64), 0.0)


@pytest.fixture
def balls():
    points = two_balls(np.random.default_rng(0))
    truth = np.repeat([0, 1], [60, 40])
    halved = np.where(np.arange(100) < 30, 2, truth)
    lone = np.where(np.arange(100) == 0, 2, truth)
    return points, [candidate(truth), candidate(halved), candidate(lone)]


@pytest.mark.parametrize(
    ("by", "figures", "selected"),
    [
        ("silhouette", [0.3, 0.9, 0.2], 1),
        ("davies_bouldin", [0.3, 0.9, 0.2], 2),
        ("calinski_harabasz", [3.0, np.nan, 2.0], 0),
        ("stability", [0.3, 0.5, 0.9], 2),
        ("bic", [-10.0, -30.0, np.nan], 1),
    ],
)
def test_one_measure_in_its_own_direction(balls, by, figures, selected):
    points, candidates = balls
    results = choose(points, candidates, by=by, measures={by: np.array(figures)}, seed=0)
    assert results.index == selected
    assert f"{figures[selected]:.3f}" in results.reason
    assert [row.index for row in results.evidence] == [0, 1, 2]
    assert results.evidence[2].smallest_share == pytest.approx(0.01)


def test_dbcv_is_computed_where_it_is_missing(balls):
    points, candidates = balls
    results = choose(points, candidates[:2], by="dbcv", measures={}, seed=0)
    assert results.index == 0
    assert results.evidence[0].figures["dbcv"] > results.evidence[1].figures["dbcv"]


def test_bad_requests_are_refused(balls):
    points, candidates = balls
    with pytest.raises(DataError, match="no candidates"):
        choose(points, [], by="auto", measures={}, seed=0)
    with pytest.raises(DataError, match="did you mean 'silhouette'"):
        choose(points, candidates, by="silhouete", measures={}, seed=0)
    wrong = {"silhouette": np.zeros(2)}
    with pytest.raises(DataError, match="shape"):
        choose(points, candidates, by="silhouette", measures=wrong, seed=0)
    with pytest.raises(DataError, match="was not computed"):
        choose(points, candidates, by="stability", measures={}, seed=0)
    with pytest.raises(DataError, match="no candidate has"):
        choose(points, candidates, by="bic", measures={}, seed=0)


def test_elbow_by_hand():
    assert elbow([1, 2, 3, 4, 5], [100.0, 40.0, 10.0, 8.0, 6.0]) == 3
    assert elbow([2, 4, 6], [5.0, 5.0, 5.0]) == 2
    with pytest.raises(DataError, match="three or more"):
        elbow([1, 2], [2.0, 1.0])


def test_evidence_figures_equal_second_computations():
    rng = np.random.default_rng(3)
    points = np.vstack([rng.standard_normal((80, 3)), rng.standard_normal((50, 3)) + 4.0])
    labels = np.repeat([0, 1], [80, 50])
    mixed = numbered((points[:, 0] > points[:, 1]).astype(np.int64))
    rows = prepare_evidence(points, seed=0)
    candidates = measure_evidence(rows, [labels, mixed], ["kmeans", "ward"])
    figure = dict(zip(EVIDENCE, candidates[0], strict=True))
    assert figure["silhouette"] == pytest.approx(silhouette_score(points, labels))
    assert figure["segments"] == pytest.approx(np.log(2))
    nearest = np.argsort(cdist(points, points), axis=1)[:, 1:11]
    leaked = np.mean(labels[nearest] != labels[:, None])
    assert figure["leak"] == pytest.approx(np.log(leaked + 1e-3))
    assert figure["best_agreement"] == pytest.approx(adjusted_rand_score(labels, mixed))
    tight = davies_bouldin_score(points, labels)
    assert np.exp(figure["davies_bouldin"]) == pytest.approx(tight, rel=0.15)
    worse = dict(zip(EVIDENCE, candidates[1], strict=True))
    assert figure["bridge"] < 0.2 < worse["bridge"]
    assert figure["gaussian_bic"] > 0 > worse["gaussian_bic"]


def test_ranks_do_not_hang_on_order_and_weights_are_complete():
    values = np.array([[1.0], [3.0], [3.0], [2.0]])
    assert ranks(values).ravel().tolist() == pytest.approx([-0.5, 1 / 3, 1 / 3, -1 / 6])
    for columns in (2, 3, 4, 40):
        weights = shipped_weights(columns)
        assert set(weights.family) == set(FAMILIES)
        assert weights.raw.shape == (len(EVIDENCE),)
        assert (weights.deviation > 0).all()
    assert shipped_weights(3).raw.tolist() != shipped_weights(4).raw.tolist()


def test_noise_goes_to_the_nearest_segment():
    points = np.array([[0.0], [1.0], [10.0], [9.0]])
    assert assign_noise(points, np.array([0, -1, 1, -1])).tolist() == [0, 0, 1, 1]
    assert assign_noise(points, np.full(4, -1)).tolist() == [-1] * 4


@pytest.mark.parametrize(
    ("shape", "seed", "at_least"),
    [("moons", 3, 0.9), ("ellipses", 1, 0.8), ("rings", 2, 0.9), ("unequal_densities", 1, 0.9)],
)
def test_auto_finds_groups_of_several_shapes(shape, seed, at_least):
    points, truth = SHAPES[shape](np.random.default_rng(seed))
    rows = np.random.default_rng(0).permutation(len(points))[:600]
    results = auto_cluster(np.ascontiguousarray(points[rows]), seed=0, k_max=12)
    assert adjusted_rand_score(results.labels, truth[rows]) >= at_least
    assert results.k == len(np.unique(results.labels))
    assert (np.diff(np.bincount(results.labels)) <= 0).all()
    assert f"of {len(results.evidence)} candidates" in results.reason


def test_auto_finds_groups_that_overlap_in_several_columns():
    """Groups of one covariance, whose longest axis splits what k-means finds."""
    rng = np.random.default_rng(5)
    spread = np.diag([3.0, 1.0, 0.5, 1.0, 0.7]) @ np.linalg.qr(rng.standard_normal((5, 5)))[0]
    truth = np.repeat(np.arange(4), [140, 120, 80, 60])
    points = 2.2 * rng.standard_normal((4, 5))[truth] + rng.standard_normal((400, 5)) @ spread
    results = auto_cluster((points - points.mean(axis=0)) / points.std(axis=0), seed=0)
    assert results.k == 4
    assert adjusted_rand_score(results.labels, truth) >= 0.8


def test_auto_answers_one_segment_for_most_single_groups():
    rng = np.random.default_rng(7)
    clouds = [rng.standard_normal((250, p)) for p in (2, 3, 5)]
    clouds += [rng.standard_t(6, size=(250, p)) for p in (2, 4)]
    candidates = [auto_cluster(points, seed=1, k_max=8) for points in clouds]
    single = [candidate for candidate in candidates if candidate.k == 1]
    assert len(single) >= 4
    for item in single:
        assert item.reason.startswith("one segment")
        assert "chance that all is one group" in item.reason


def test_auto_is_repeatable_and_copies_of_rows_are_one_segment():
    points = np.random.default_rng(5).standard_normal((250, 3))
    candidates, again = (auto_cluster(points, seed=1, k_max=8) for _ in range(2))
    assert candidates.reason == again.reason
    assert [row.score for row in candidates.evidence] == [row.score for row in again.evidence]
    copies = np.repeat(np.eye(3), 20, axis=0)
    assert auto_cluster(copies, seed=0).k == 1


def test_large_tables_are_judged_on_a_sample(monkeypatch):
    monkeypatch.setattr(proposing, "WEIGHED_ROWS", 150)
    rng = np.random.default_rng(0)
    points = np.vstack([rng.standard_normal((150, 2)), rng.standard_normal((150, 2)) + 12.0])
    candidates = auto_cluster(points, seed=0, k_max=5)
    assert adjusted_rand_score(candidates.labels, np.repeat([0, 1], 150)) == pytest.approx(1.0)
    assert "150 of 300 rows" in candidates.reason


def test_the_lowest_icl_wins_unless_one_group_is_likelier(balls):
    points, candidates = balls
    first, second = (
        replace(candidate, bic=bic, icl=icl, one_group_bic=100.0)
        for candidate, bic, icl in zip(candidates[:2], (50.0, 60.0), (90.0, 70.0), strict=True)
    )
    assert choose(points, [first, second], by="icl", measures={}, seed=0).index == 1
    worse = [replace(one, bic=90.0, icl=120.0) for one in (first, second)]
    choice = choose(points, worse, by="icl", measures={}, seed=0)
    assert choice.index is None
    assert choice.reason.startswith("one segment: no groups here")
    assert "an ICL 20 above that of one group" in choice.reason


def test_a_gain_that_few_rows_of_one_group_have_by_chance_is_none(balls):
    points, candidates = balls
    asked = []

    def chance() -> float:
        asked.append(1)
        return 12.0

    few = [replace(c, bic=80.0, icl=90.0, one_group_bic=100.0, chance_gain=chance)
           for c in candidates[:2]]  # fmt: skip
    choice = choose(points, few, by="icl", measures={}, seed=0)
    assert choice.index is None
    assert "10 below that of one group: so few rows of one group get 12 below" in choice.reason
    assert asked == [1]
    clear = [replace(candidate, icl=80.0) for candidate in few]
    assert choose(points, clear, by="icl", measures={}, seed=0).index == 0
    barely = [replace(candidate, icl=99.9) for candidate in few]
    reason = choose(points, barely, by="icl", measures={}, seed=0).reason
    assert "only just below that of one group" in reason
    above = [replace(candidate, icl=101.0) for candidate in few]
    assert choose(points, above, by="icl", measures={}, seed=0).index is None
    assert asked == [1, 1, 1]
