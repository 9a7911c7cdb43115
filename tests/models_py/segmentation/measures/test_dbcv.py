"""DBCV against a plain reading of the paper, and on shapes whose order is known."""

import numpy as np
import pytest
from planted_data import SHAPES
from hypothesis import given, settings, strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from models_py.base.errors import DataError
from models_py.segmentation.measures.dbcv import density_validity, relative_dbcv


def core_distances(rows):
    p = rows.shape[1]
    apart = cdist(rows, rows)
    core = np.zeros(len(rows))
    for i in range(len(rows)):
        others = np.delete(apart[i], i)
        core[i] = (np.sum((1.0 / others) ** p) / len(others)) ** (-1.0 / p)
    return core


def dbcv(points, labels):
    return density_validity(points, labels).score


def paper_dbcv(points, labels):
    """Definitions 1 to 8 of Moulavi et al. (2014), one by one."""
    groups = [points[labels == c] for c in np.unique(labels[labels >= 0])]
    cores = [core_distances(rows) for rows in groups]
    inner, sparseness = [], []
    for rows, core in zip(groups, cores, strict=True):
        plain = cdist(rows, rows)
        reach = np.maximum(plain, np.maximum.outer(core, core))
        np.fill_diagonal(reach, 0)
        is_edge = minimum_spanning_tree(reach + 1e-8 * plain).toarray() > 0
        tree = np.where(is_edge | is_edge.T, reach, 0.0)
        is_inner = (tree > 0).sum(axis=1) > 1
        inner.append(is_inner if is_inner.any() else np.ones(len(rows), dtype=bool))
        between_inner = tree[np.ix_(is_inner, is_inner)]
        edges = between_inner if between_inner.max(initial=0) > 0 else tree
        sparseness.append(edges.max())
    total = 0.0
    for i, rows in enumerate(groups):
        separation = np.inf
        for j, others in enumerate(groups):
            if i != j:
                apart = cdist(rows[inner[i]], others[inner[j]])
                reach = np.maximum(apart, np.maximum.outer(cores[i][inner[i]], cores[j][inner[j]]))
                separation = min(separation, reach.min())
        validity = (separation - sparseness[i]) / max(separation, sparseness[i])
        total += validity * len(rows) / len(points)
    return total


@pytest.mark.parametrize("shape", ["balls", "moons", "rings", "ellipses", "unequal_sizes"])
def test_equals_the_paper_read_literally(shape):
    points, truth = SHAPES[shape](np.random.default_rng(5))
    rows = np.random.default_rng(1).permutation(len(points))[:250]
    points, truth = points[rows], truth[rows].copy()
    counts = np.bincount(truth)
    truth[(counts < 3)[truth]] = -1
    truth[:10] = -1
    assert dbcv(points, truth) == pytest.approx(paper_dbcv(points, truth), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(2, 5),
    p=st.integers(1, 6),
    n=st.integers(25, 60),
)
def test_random_labels_equal_the_paper_and_stay_in_range(seed, k, p, n):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, p))
    labels = np.concatenate([np.repeat(np.arange(k), 4), rng.integers(-1, k, n - 4 * k)])
    score = dbcv(points, labels)
    assert -1.0 <= score <= 1.0
    assert score == pytest.approx(paper_dbcv(points, labels), rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("shape", ["rings", "moons", "spirals", "core_and_shell"])
def test_true_shapes_beat_a_cut_through_them(shape):
    points, truth = SHAPES[shape](np.random.default_rng(2))
    halves = (points[:, 0] > np.median(points[:, 0])).astype(np.int64)
    assert dbcv(points, truth) > dbcv(points, halves) + 0.3


def test_sixty_columns_do_not_overflow():
    rng = np.random.default_rng(0)
    points = np.vstack([rng.standard_normal((50, 60)) * 1e-4, rng.standard_normal((50, 60)) + 9])
    score = dbcv(points, np.repeat([0, 1], 50))
    assert np.isfinite(score)
    assert score > 0.4


def test_noise_lowers_the_score_by_its_share():
    line = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [52.0]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    whole = dbcv(line, labels)
    # Outer core distance: mean of 1/1 and 1/2 is 3/4, so 4/3; separation of the middles 50.
    assert whole == pytest.approx(1 - (4 / 3) / 50)
    with_stray = dbcv(np.vstack([line, [[200.0]]]), np.append(labels, -1))
    assert with_stray == pytest.approx(whole * 6 / 7)


def test_copies_of_rows_and_one_segment_are_answered():
    copies = np.repeat(np.array([[0.0, 0.0], [5.0, 5.0]]), 10, axis=0)
    assert dbcv(copies, np.repeat([0, 1], 10)) == pytest.approx(1.0)
    assert dbcv(copies, np.zeros(20, dtype=np.int64)) == 0.0
    assert density_validity(copies, np.full(20, -1)).segments.size == 0


def test_label_names_do_not_matter():
    points, truth = SHAPES["moons"](np.random.default_rng(4))
    renamed = np.array([7, 3, 11, 5])[truth]
    assert dbcv(points, renamed) == pytest.approx(dbcv(points, truth), abs=1e-12)


def test_sample_ranks_as_the_whole_does():
    points, truth = SHAPES["moons"](np.random.default_rng(9))
    halves = (points[:, 0] > np.median(points[:, 0])).astype(np.int64)
    true_part = relative_dbcv(points, truth, seed=1, rows=200)
    half_part = relative_dbcv(points, halves, seed=1, rows=200)
    assert true_part.rows == 200
    assert true_part.score > half_part.score
    assert relative_dbcv(points, truth, seed=1, rows=200).score == true_part.score
    assert relative_dbcv(points, truth, seed=1, rows=10**6).score == dbcv(points, truth)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="one label for each row"):
        dbcv(np.zeros((4, 2)), np.zeros(3, dtype=np.int64))
