from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.student import log_assignment
from models_py.features.encoders.catalog import EncoderSpec, build_encoder, load_encoder
from models_py.features.encoders.dec import (
    DeepEmbeddedClustering,
    target_assignment,
)

SMALL = {"k": 4, "layers": [16, 3], "epochs": 40, "learning_rate": 0.005, "refine_epochs": 15}


@pytest.fixture(scope="module")
def fitted(groups: tuple[FloatArray, IntArray]) -> DeepEmbeddedClustering:
    encoder = build_encoder(EncoderSpec("dec", SMALL)).fit(groups[0], seed=0)
    assert isinstance(encoder, DeepEmbeddedClustering)
    return encoder


def test_planted_groups_are_found(
    fitted: DeepEmbeddedClustering, groups: tuple[FloatArray, IntArray]
) -> None:
    points, truth = groups
    assert adjusted_rand_score(truth, fitted.cluster_labels_) > 0.95
    np.testing.assert_array_equal(fitted.predict(points), fitted.cluster_labels_)


def test_soft_assignments_are_shares(
    fitted: DeepEmbeddedClustering, groups: tuple[FloatArray, IntArray]
) -> None:
    assignment = fitted.soft_assignment(groups[0])
    assert assignment.shape == (600, 4)
    assert assignment.min() >= 0.0
    np.testing.assert_allclose(assignment.sum(axis=1), 1.0)


def test_its_own_clusters_are_a_candidate(
    fitted: DeepEmbeddedClustering, groups: tuple[FloatArray, IntArray]
) -> None:
    embedding = fitted.transform(groups[0])
    own = fitted.own_candidate(embedding)
    np.testing.assert_array_equal(own.labels, fitted.cluster_labels_)
    assert own.parameters == {"k": 4, "centers": "dec"}
    assert own.model is not None
    np.testing.assert_array_equal(own.model.predict(embedding), own.labels)
    soft = own.model.probabilities(embedding)  # type: ignore[attr-defined]
    np.testing.assert_allclose(soft, fitted.soft_assignment(groups[0]))


def test_refinement_sharpens_the_assignment(
    fitted: DeepEmbeddedClustering, groups: tuple[FloatArray, IntArray]
) -> None:
    points, _ = groups
    stages = [epoch["stage"] for epoch in fitted.history_]
    assert stages == sorted(stages)
    assert 1 <= stages.count(1.0) <= 15
    # A tolerance that every change is below stops after the first epoch of refinement.
    spec = EncoderSpec("dec", {**SMALL, "tolerance": 0.99})
    barely = build_encoder(spec).fit(points, seed=0)
    assert isinstance(barely, DeepEmbeddedClustering)
    assert [epoch["stage"] for epoch in barely.history_].count(1.0) == 1
    spec = EncoderSpec("dec", {**SMALL, "tolerance": 0.0})
    longest = build_encoder(spec).fit(points, seed=0)
    assert isinstance(longest, DeepEmbeddedClustering)
    assert [epoch["stage"] for epoch in longest.history_].count(1.0) == 15
    sharpened = longest.soft_assignment(points).max(axis=1).mean()
    assert sharpened > barely.soft_assignment(points).max(axis=1).mean() + 0.01


def test_what_was_saved_assigns_alike(
    fitted: DeepEmbeddedClustering, groups: tuple[FloatArray, IntArray], tmp_path: Path
) -> None:
    points, _ = groups
    fitted.save(tmp_path)
    loaded = load_encoder(tmp_path)
    assert isinstance(loaded, DeepEmbeddedClustering)
    np.testing.assert_array_equal(loaded.transform(points), fitted.transform(points))
    np.testing.assert_array_equal(loaded.soft_assignment(points), fitted.soft_assignment(points))
    np.testing.assert_array_equal(loaded.cluster_labels_, fitted.cluster_labels_)
    assert [layer.name for layer in loaded.network_.layers] == ["points", "encode_1", "embedding"]


def test_there_is_no_way_back(
    fitted: DeepEmbeddedClustering, groups: tuple[FloatArray, IntArray]
) -> None:
    with pytest.raises(DataError, match="no way back"):
        fitted.reconstruct(groups[0])


def test_more_clusters_than_distinct_rows_are_refused() -> None:
    points = np.repeat(np.eye(3), 10, axis=0)
    with pytest.raises(DataError, match="k = 5 clusters"):
        build_encoder(EncoderSpec("dec", {**SMALL, "k": 5, "epochs": 1})).fit(points, seed=0)


def test_assignments_against_numbers_worked_out_by_hand() -> None:
    # One row at 0, centers at 1 and 2: kernels 1/2 and 1/5 with one degree of freedom.
    assignment = np.exp(log_assignment(np, np.array([[0.0]]), np.array([[1.0], [2.0]]), 1.0))
    np.testing.assert_allclose(assignment, [[5 / 7, 2 / 7]])
    # Squares over column sums: (.64/1, .04/1) and (.04/1, .64/1), rows made to sum to one.
    target = target_assignment(np.array([[0.8, 0.2], [0.2, 0.8]]))
    np.testing.assert_allclose(target, [[16 / 17, 1 / 17], [1 / 17, 16 / 17]])
