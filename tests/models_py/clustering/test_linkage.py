import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from models_py.base import threads
from models_py.base.errors import DataError, MemoryRefusedError, UsageError
from models_py.clustering import linkage
from models_py.clustering.linkage import (
    METHODS,
    cut_tree,
    linkage_tree,
    linkage_trees,
)

PAIRS = [(method, "euclidean") for method in METHODS]
PAIRS += [(method, "cosine") for method in METHODS if method != "ward"]


def groups(rows: int, features: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=2.0, size=(6, features))
    return centers[rng.integers(6, size=rows)] + rng.normal(size=(rows, features))


def assert_same_tree(points: np.ndarray, method: str, metric: str) -> None:
    """Same heights as scipy's tree, and the same clusters for every k (rows without ties)."""
    ours, theirs = linkage_tree(points, method, metric), hierarchy.linkage(points, method, metric)
    assert hierarchy.is_valid_linkage(ours)
    np.testing.assert_allclose(ours[:, 2:], theirs[:, 2:], rtol=1e-9, atol=1e-12)
    ks = range(1, min(len(points), 40) + 1)
    for k, labels in zip(ks, cut_tree(ours, ks), strict=True):
        expected = hierarchy.fcluster(theirs, k, "maxclust")
        assert adjusted_rand_score(labels, expected) == 1.0


@pytest.mark.parametrize(("method", "metric"), PAIRS)
@pytest.mark.parametrize("rows", [2, 3, 9, 64, 65, 700])
@pytest.mark.parametrize("features", [2, 12])
def test_same_tree_as_scipy(method: str, metric: str, rows: int, features: int) -> None:
    assert_same_tree(groups(rows, features, seed=rows), method, metric)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "points",
    [
        np.random.default_rng(0).normal(size=(500, 1)),
        np.random.default_rng(1).standard_cauchy(size=(500, 5)),
        np.random.default_rng(2).normal(size=(400, 60)),
        np.cumsum(1.05 ** np.arange(300))[:, None],
        1e6 + np.random.default_rng(3).normal(size=(300, 4)),
    ],
    ids=["line", "heavy tails", "many features", "growing gaps", "far from the origin"],
)
def test_same_tree_as_scipy_on_hard_rows(points: np.ndarray, method: str) -> None:
    assert_same_tree(points, method, "euclidean")


@pytest.mark.parametrize("method", ["ward", "average", "complete"])
@pytest.mark.parametrize(("matrix_share", "chain_share"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
def test_rounds_and_chain_give_one_tree(
    method: str, matrix_share: float, chain_share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linkage, "_MATRIX_SHARE", matrix_share)
    monkeypatch.setattr(linkage, "_CHAIN_SHARE", chain_share)
    monkeypatch.setattr(linkage, "_STALLED_SHARE", 0.0)
    monkeypatch.setattr(linkage, "_COSTLY_SHARE", np.inf)

    assert_same_tree(groups(300, 3, seed=5), method, "euclidean")


@pytest.mark.parametrize("method", ["ward", "average", "complete", "single"])
def test_same_labels_as_scikit_learn(method: str) -> None:
    points = groups(900, 6, seed=11)
    ks = range(2, 11)

    candidates = cut_tree(linkage_tree(points, method), ks)

    for k, labels in zip(ks, candidates, strict=True):
        model = AgglomerativeClustering(n_clusters=k, linkage=method).fit(points)
        assert adjusted_rand_score(labels, model.labels_) == 1.0


@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=25),
    st.sampled_from(METHODS),
)
@settings(max_examples=150, deadline=None)
def test_tied_rows_give_a_valid_tree(rows, method: str) -> None:
    """Ties may be broken in any order; each merge must still join two nearest clusters."""
    points = np.array(rows, dtype=float)

    tree = linkage_tree(points, method)

    assert hierarchy.is_valid_linkage(tree)
    assert (np.diff(tree[:, 2]) >= 0).all()
    assert_greedy(points, tree, method)
    assert (tree[:, 2] == 0).sum() >= len(points) - len(set(rows))
    if method == "single":  # the heights of this one do not depend on the order of ties
        expected = hierarchy.linkage(pdist(points), "single")
        np.testing.assert_allclose(tree[:, 2], expected[:, 2], atol=1e-12)


def assert_greedy(points: np.ndarray, tree: np.ndarray, method: str) -> None:
    """Replay the tree: every height is the smallest linkage between clusters then alive."""
    alive = {row: [row] for row in range(len(points))}
    for step, (left, right, height, _) in enumerate(tree):
        values = {
            (a, b): between(points[alive[a]], points[alive[b]], method)
            for a in alive
            for b in alive
            if a < b
        }
        assert height == pytest.approx(min(values.values()), abs=1e-9)
        assert height == pytest.approx(values[int(left), int(right)], abs=1e-9)
        alive[len(points) + step] = alive.pop(int(left)) + alive.pop(int(right))


def between(a: np.ndarray, b: np.ndarray, method: str) -> float:
    if method == "ward":
        share = 2.0 * len(a) * len(b) / (len(a) + len(b))
        return float(np.sqrt(share) * np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))
    pairs = np.linalg.norm(a[:, None] - b, axis=2)
    return float({"average": pairs.mean, "complete": pairs.max, "single": pairs.min}[method]())


@pytest.mark.parametrize(("method", "metric"), PAIRS)
def test_repeated_rows_count_each_time(method: str, metric: str) -> None:
    points = np.repeat(groups(60, 4, seed=1), np.arange(60) % 4 + 1, axis=0)

    candidates = linkage_tree(points, method, metric)

    expected = hierarchy.linkage(points, method, metric)
    np.testing.assert_allclose(candidates[:, 2], expected[:, 2], atol=1e-7)


@pytest.mark.parametrize("rows", [np.eye(90), np.ones((40, 3)), np.arange(200.0)[:, None]])
@pytest.mark.parametrize("method", METHODS)
def test_all_distances_tied(rows: np.ndarray, method: str) -> None:
    tree = linkage_tree(rows, method)

    assert hierarchy.is_valid_linkage(tree)
    assert (np.diff(tree[:, 2]) >= 0).all()


def test_trees_of_several_methods_equal_those_of_each() -> None:
    points = np.vstack([groups(200, 5, seed=2), groups(20, 5, seed=2)])

    together = linkage_trees(points, METHODS)

    for method in METHODS:
        np.testing.assert_array_equal(together[method], linkage_tree(points, method))


def test_trees_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    points = groups(900, 5, seed=3)
    before = linkage_trees(points, METHODS)
    monkeypatch.setattr(threads, "thread_count", lambda: 1)

    after = linkage_trees(points, METHODS)

    for method in METHODS:
        np.testing.assert_array_equal(after[method], before[method])


@pytest.mark.parametrize("method", ["average", "complete", "single"])
def test_given_distances(method: str) -> None:
    points = groups(120, 4, seed=4)
    condensed = pdist(points, "cityblock")

    candidates = linkage_tree(None, method, distances=condensed)

    np.testing.assert_allclose(candidates, hierarchy.linkage(condensed, method), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_cut_numbers_clusters_by_first_row(method: str) -> None:
    points = groups(80, 3, seed=6)

    candidates = cut_tree(linkage_tree(points, method), [1, 2, 7, 80])

    for labels, k in zip(candidates, [1, 2, 7, 80], strict=True):
        _, first = np.unique(labels, return_index=True)
        assert len(first) == k
        assert (np.diff(first) > 0).all()
    np.testing.assert_array_equal(candidates[3], np.arange(80))


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    points = groups(30, 2, seed=0)
    with pytest.raises(UsageError, match="did you mean 'average'"):
        linkage_tree(points, "averge")
    with pytest.raises(UsageError, match="'ward' needs metric 'euclidean'"):
        linkage_tree(points, "ward", "cosine")
    with pytest.raises(UsageError, match="needs points"):
        linkage_tree(None, "ward", distances=pdist(points))
    with pytest.raises(UsageError, match="neither"):
        linkage_tree(None)
    with pytest.raises(DataError, match="at least two rows"):
        linkage_tree(points[:1])
    with pytest.raises(DataError, match="condensed"):
        linkage_tree(None, "single", distances=[1.0, 2.0])
    with pytest.raises(DataError, match="infinite"):
        linkage_tree(None, "single", distances=[1.0, np.nan, 2.0])
    with pytest.raises(UsageError, match="k must lie between 1 and the 30 rows, got 31"):
        cut_tree(linkage_tree(points), [31])
    monkeypatch.setattr(linkage, "memory_bytes", lambda: 100)
    with pytest.raises(MemoryRefusedError, match="sample rows"):
        linkage_tree(points, "average")
