import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from models_py.base.errors import DataError
from models_py.segmentation.measures.indices import (
    all_moments,
    calinski_harabasz_scores,
    checked_labelings,
    davies_bouldin_scores,
    inertias,
)

RNG = np.random.default_rng(7)
POINTS = RNG.normal(size=(400, 6)) * [1, 2, 3, 1, 5, 1]
LABELINGS = np.stack([RNG.integers(k, size=400) for k in (2, 3, 7, 60)])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (davies_bouldin_scores, davies_bouldin_score),
        (calinski_harabasz_scores, calinski_harabasz_score),
    ],
)
def test_equal_to_scikit_learn(ours, theirs) -> None:
    noisy = np.where(RNG.random(LABELINGS.shape) < 0.2, -1, LABELINGS)

    np.testing.assert_allclose(
        ours(all_moments(POINTS, LABELINGS)),
        [theirs(POINTS, labeling) for labeling in LABELINGS],
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        ours(all_moments(POINTS, noisy)),
        [theirs(POINTS[labeling >= 0], labeling[labeling >= 0]) for labeling in noisy],
        rtol=1e-9,
    )


def test_inertia_equals_that_of_k_means() -> None:
    model = KMeans(5, n_init=1, random_state=0, tol=0.0).fit(POINTS)

    np.testing.assert_allclose(
        inertias(all_moments(POINTS, model.labels_)), [model.inertia_], rtol=1e-9
    )


def test_published_by_hand() -> None:
    points = np.array([[0.0], [2.0], [10.0], [12.0]])
    labels = [0, 0, 1, 1]

    assert inertias(all_moments(points, labels)) == pytest.approx([4.0])
    assert davies_bouldin_scores(all_moments(points, labels)) == pytest.approx([(1 + 1) / 10])
    assert calinski_harabasz_scores(all_moments(points, labels)) == pytest.approx(
        [(100 / 1) / (4 / 2)]
    )


def test_undefined_is_nan() -> None:
    points = np.arange(4.0)[:, None]
    labelings = [[0, 0, 0, 0], [-1, -1, -1, -1], [0, 1, 2, 3]]

    assert np.isnan(davies_bouldin_scores(all_moments(points, labelings))).all()
    assert np.isnan(calinski_harabasz_scores(all_moments(points, labelings))).all()
    np.testing.assert_array_equal(inertias(all_moments(points, labelings)), [5.0, np.nan, 0.0])


def test_repeated_points() -> None:
    points = np.repeat([[0.0, 1.0], [5.0, 5.0]], 3, axis=0)
    labels = [0, 0, 0, 1, 1, 1]

    assert davies_bouldin_scores(all_moments(points, labels))[0] == davies_bouldin_score(
        points, labels
    )
    assert calinski_harabasz_scores(all_moments(points, labels))[0] == calinski_harabasz_score(
        points, labels
    )


def test_labels_are_renumbered() -> None:
    candidates = checked_labelings([[5, 9, -1, 5], [10**12, -1, 3, 3]], 4)

    np.testing.assert_array_equal(candidates.labels, [[0, 1, -1, 0], [1, -1, 0, 0]])
    np.testing.assert_array_equal(candidates.counts, [2, 2])


def test_noise_may_have_another_label() -> None:
    candidates = checked_labelings([7, 0, 7, 3], 4, noise=7)

    np.testing.assert_array_equal(candidates.labels, [[-1, 0, -1, 1]])


def test_refusals() -> None:
    with pytest.raises(DataError, match="do not fit 400 rows"):
        all_moments(POINTS, [0, 1])
    with pytest.raises(DataError, match="whole numbers"):
        all_moments(POINTS, np.zeros(400))
    with pytest.raises(DataError, match="missing or infinite"):
        all_moments([[np.inf], [1.0]], [0, 1])
