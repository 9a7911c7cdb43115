"""The search over algorithms and encodings, held against scikit-learn's figures."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from models_py.base.arrays import FloatArray
from models_py.base.progress import Silent
from models_py.clustering.candidate import Request
from models_py.segmentation.measures import computing
from models_py.segmentation.measures.computing import silhouettes
from models_py.segmentation.search import EvaluatedCandidate, EncodedRows, search

KS = range(2, 6)


class RecordedSteps(Silent):
    """Keeps the steps that it was given."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, text: str) -> None:
        self.steps.append(text)


@pytest.fixture(scope="module")
def common() -> FloatArray:
    generator = np.random.default_rng(8)
    centers = generator.normal(0, 4, size=(4, 5))
    return np.ascontiguousarray(centers[np.arange(240) % 4] + generator.normal(size=(240, 5)))


@pytest.fixture(scope="module")
def candidates(common: FloatArray) -> list[EvaluatedCandidate]:
    spaces = [
        EncodedRows("none", common),
        EncodedRows("first two", np.ascontiguousarray(common[:, :2])),
    ]
    requests = [
        Request("kmeans", KS, {"n_init": 3}),
        Request("ward", KS, {}),
        Request("dbscan", [], {"eps": 2.0, "min_samples": 5}),
    ]
    return search(spaces, common, requests, None, 4, Silent())


def test_every_request_is_tried_in_every_space(candidates: list[EvaluatedCandidate]) -> None:
    tried = [(item.space, item.candidate.algorithm) for item in candidates]
    for space in (0, 1):
        assert tried.count((space, "kmeans")) == tried.count((space, "ward")) == len(KS)
        assert tried.count((space, "dbscan")) == 1


def test_figures_are_those_of_scikit_learn(
    candidates: list[EvaluatedCandidate], common: FloatArray
) -> None:
    for item in candidates:
        kept = item.candidate.labels >= 0
        labels = item.candidate.labels[kept]
        own = (common if item.space == 0 else common[:, :2])[kept]
        result = item.figures
        assert result["noise_share"] == pytest.approx(np.mean(~kept))
        assert result["smallest_share"] == pytest.approx(
            np.unique(labels, return_counts=True)[1].min() / len(kept)
        )
        if len(np.unique(labels)) < 2:
            assert np.isnan(result["silhouette"])
            continue
        for points, prefix in ((own, ""), (common[kept], "common_")):
            for name, score in (
                ("silhouette", silhouette_score),
                ("davies_bouldin", davies_bouldin_score),
                ("calinski_harabasz", calinski_harabasz_score),
            ):
                ours = result[prefix + name]
                assert ours == pytest.approx(score(points, labels), rel=1e-6, abs=1e-6)
        means = np.array([own[labels == g].mean(axis=0) for g in labels])
        assert result["inertia"] == pytest.approx(((own - means) ** 2).sum(), rel=1e-6)


def test_ward_gives_the_labels_of_scikit_learn(
    candidates: list[EvaluatedCandidate], common: FloatArray
) -> None:
    for item in candidates:
        if item.candidate.algorithm == "ward" and item.space == 0:
            theirs = AgglomerativeClustering(item.candidate.k).fit_predict(common)
            assert adjusted_rand_score(theirs, item.candidate.labels) == 1.0


def test_the_same_seed_gives_the_same_candidates(
    candidates: list[EvaluatedCandidate], common: FloatArray
) -> None:
    requests = [Request("kmeans", KS, {"n_init": 3})]
    again = search([EncodedRows("none", common)], common, requests, None, 4, Silent())
    first = [item for item in candidates if (item.space, item.candidate.algorithm) == (0, "kmeans")]
    for once, twice in zip(first, again, strict=True):
        np.testing.assert_array_equal(once.candidate.labels, twice.candidate.labels)
        assert once.figures == pytest.approx(twice.figures, rel=1e-12, nan_ok=True)


def test_progress_names_each_space(common: FloatArray) -> None:
    result = RecordedSteps()
    search([EncodedRows("pca", common)], common, [Request("kmeans", [2], {})], None, 4, result)
    assert result.steps[0] == "clustering 240 rows in pca"
    assert len(result.steps) == 3


def test_many_rows_get_the_simplified_silhouette(
    common: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = (np.arange(240) % 4)[None, :]
    exact = silhouettes(common, labels)
    monkeypatch.setattr(computing, "EXACT_SILHOUETTE_ROWS", 200)
    simplified = silhouettes(common, labels)
    centers = np.array([common[labels[0] == g].mean(axis=0) for g in range(4)])
    distances = np.linalg.norm(common[:, None] - centers, axis=2)
    own = distances[np.arange(240), labels[0]]
    distances[np.arange(240), labels[0]] = np.inf
    other = distances.min(axis=1)
    expected = ((other - own) / np.maximum(own, other)).mean()
    assert simplified == pytest.approx([expected], rel=1e-9)
    assert simplified[0] != exact[0]
    with_noise = np.where(np.arange(240) < 8, -1, labels)
    assert np.isfinite(silhouettes(common, with_noise)).all()
    assert np.isnan(silhouettes(common, labels * 0)).all()


def test_a_search_past_the_limit_of_exact_silhouettes(
    candidates: list[EvaluatedCandidate], common: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "EXACT_SILHOUETTE_ROWS", 200)
    requests = [Request("kmeans", KS, {"n_init": 3})]
    many = search([EncodedRows("none", common)], common, requests, None, 4, Silent())
    assert max(many, key=lambda item: item.figures["silhouette"]).candidate.k == 4


@pytest.fixture(scope="module")
def by_angle() -> FloatArray:
    """Rows in three directions, at lengths that tell nothing."""
    generator = np.random.default_rng(5)
    middles = np.eye(4)[np.repeat([0, 1, 2], 50)] * 6.0
    lengths = generator.uniform(0.2, 9.0, size=(150, 1))
    return np.ascontiguousarray((middles + generator.normal(size=(150, 4))) * lengths)


def test_candidates_are_measured_by_the_distance_they_were_found_by(by_angle: FloatArray) -> None:
    own = np.ascontiguousarray(by_angle[:, :3])
    spaces = [EncodedRows("none", by_angle), EncodedRows("first three", own)]
    requests = [
        Request("complete", [2, 3, 4], {"metric": "cosine"}),
        Request("complete", [2, 3, 4], {}),
    ]
    measured = search(spaces, by_angle, requests, None, 4, Silent())
    assert len(measured) == 12
    for item in measured:
        metric, labels = item.candidate.metric, item.candidate.labels
        points = spaces[item.space].points
        expected = {
            "silhouette": silhouette_score(points, labels, metric=metric),
            "metric_silhouette": silhouette_score(by_angle, labels, metric=metric),
            "common_silhouette": silhouette_score(by_angle, labels),
        }
        assert {n: item.figures[n] for n in expected} == pytest.approx(expected, rel=0, abs=1e-9)
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
        rows = points / lengths if metric == "cosine" else points
        davies_bouldin = davies_bouldin_score(rows, labels)
        assert item.figures["davies_bouldin"] == pytest.approx(davies_bouldin, rel=1e-9)
        assert item.figures["common_davies_bouldin"] == pytest.approx(
            davies_bouldin_score(by_angle, labels), rel=1e-9
        )
