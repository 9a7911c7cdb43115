import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.metrics import silhouette_samples as theirs, silhouette_score

from models_py.base import threads
from models_py.base.errors import DataError, UsageError
from models_py.segmentation.measures import silhouette
from models_py.segmentation.measures.silhouette import (
    silhouette_samples,
    silhouette_scores,
    simplified_silhouette,
)


def drawn(rows: int, features: int, ks: tuple[int, ...], seed: int = 0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(rows, features)) + 3.0 * rng.integers(2, size=(rows, 1))
    return points, np.stack([rng.integers(k, size=rows) for k in ks])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equal_to_scikit_learn_with_noise(metric: str) -> None:
    points, labelings = drawn(500, 7, (2, 3, 10, 200))
    labelings[1:] = np.where(np.random.default_rng(1).random((3, 500)) < 0.3, -1, labelings[1:])

    candidates = silhouette_samples(points, labelings, metric)

    for samples, labels in zip(candidates, labelings, strict=True):
        kept = labels >= 0
        expected = theirs(points[kept], labels[kept], metric=metric)
        np.testing.assert_allclose(samples[kept], expected, atol=1e-9)
        assert np.isnan(samples[~kept]).all()
    scores = silhouette_scores(points, labelings, metric)
    assert scores[0] == pytest.approx(silhouette_score(points, labelings[0], metric=metric))


def test_more_cells_than_one_group_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    points, labelings = drawn(300, 4, (4, 5, 6, 7, 8))
    together = silhouette_samples(points, labelings)
    monkeypatch.setattr(silhouette, "_MOST_CELLS", 20)

    apart = silhouette_samples(points, labelings)

    np.testing.assert_allclose(apart, together, atol=1e-13)
    np.testing.assert_allclose(
        apart, [theirs(points, labeling) for labeling in labelings], atol=1e-9
    )


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=30),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_small_tables_with_repeats_and_singletons(rows, seed: int) -> None:
    points = np.array(rows, dtype=float)
    labels = np.random.default_rng(seed).integers(-1, 4, size=len(points))
    kept = labels >= 0
    k = np.unique(labels[kept]).size

    candidates = silhouette_samples(points, labels)[0]

    if k < 2:
        assert np.isnan(candidates).all()
    elif k == kept.sum():
        np.testing.assert_array_equal(candidates[kept], 0.0)
    else:
        np.testing.assert_allclose(candidates[kept], theirs(points[kept], labels[kept]), atol=1e-6)


def test_by_hand() -> None:
    points = np.array([[0.0], [1.0], [5.0], [7.0]])

    candidates = silhouette_samples(points, [0, 0, 1, 1])[0]

    np.testing.assert_allclose(candidates, [5 / 6, 4 / 5, (4.5 - 2) / 4.5, (6.5 - 2) / 6.5])


def test_results_do_not_depend_on_threads_or_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    points, labelings = drawn(700, 5, (2, 9))
    before = silhouette_samples(points, labelings, block_rows=512)
    monkeypatch.setattr(threads, "thread_count", lambda: 1)

    np.testing.assert_array_equal(silhouette_samples(points, labelings, block_rows=64), before)


def test_simplified_by_its_definition() -> None:
    points, (labels,) = drawn(200, 3, (4,))
    means = np.stack([points[labels == cluster].mean(axis=0) for cluster in range(4)])
    to_means = np.linalg.norm(points[:, None] - means, axis=2)
    within = to_means[np.arange(200), labels]
    to_means[np.arange(200), labels] = np.inf
    nearest = to_means.min(axis=1)

    candidates = simplified_silhouette(points, labels)

    np.testing.assert_allclose(candidates, (nearest - within) / np.maximum(nearest, within))


def test_the_simplified_form_without_two_clusters() -> None:
    assert np.isnan(simplified_silhouette(np.eye(3), [0, 0, -1])).all()


def test_refusals() -> None:
    with pytest.raises(UsageError, match="metric 'manhattan'"):
        silhouette_samples(np.eye(3), [0, 1, 1], "manhattan")
    with pytest.raises(DataError, match="do not fit 3 rows"):
        silhouette_samples(np.eye(3), [0, 1])
