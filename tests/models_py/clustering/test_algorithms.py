"""Every algorithm by its name, over planted groups."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError, MemoryRefusedError
from models_py.clustering import fitting
from models_py.clustering.algorithms import ALGORITHMS, Algorithm, Family, refused
from models_py.clustering.candidate import NOISE, Candidate, Request
from models_py.clustering.fitting import find_candidates, nearest_labels, refit
from models_py.clustering.rows import MixedRows
from models_py.clustering.settings import AlgorithmSettings

TRUTH = np.repeat([0, 1, 2], [60, 40, 30])


@pytest.fixture(scope="module")
def points() -> FloatArray:
    centers = np.array([[0.0, 0.0, 1.0], [9.0, 1.0, 1.0], [2.0, 9.0, -6.0]])
    generator = np.random.default_rng(5)
    return np.ascontiguousarray(centers[TRUTH] + generator.normal(size=(len(TRUTH), 3)))


@pytest.fixture(scope="module")
def mixed(points: FloatArray) -> MixedRows:
    return MixedRows(points, TRUTH[:, None].astype(np.int64))


def request(name: str, **parameters: object) -> Request:
    return Request(name, [] if ALGORITHMS[name].finds_k else [3], parameters)


def find(points: FloatArray, *requests: Request, mixed: MixedRows | None = None) -> list[Candidate]:
    return list(find_candidates(requests, points, mixed, seed=3))


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "auto"])
def test_each_finds_refits_and_predicts(points: FloatArray, mixed: MixedRows, name: str) -> None:
    parameters = {"min_cluster_size": 20} if name == "hdbscan" else {}
    (candidates,) = find(points, request(name, **parameters), mixed=mixed)
    assert (candidates.algorithm, candidates.k) == (name, 3)
    inside = candidates.labels != NOISE
    assert adjusted_rand_score(TRUTH[inside], candidates.labels[inside]) == 1.0
    assert candidates.noise_share < 0.2
    json.dumps(dict(candidates.parameters))
    np.testing.assert_array_equal(refit(candidates, points, mixed, 3), candidates.labels)
    fitted: IntArray = nearest_labels(candidates, points, points)
    assert (fitted >= 0).all()
    np.testing.assert_array_equal(fitted[inside], candidates.labels[inside])


def test_auto_tries_every_family_and_leaves_no_noise(points: FloatArray) -> None:
    candidates = find(points, request("auto", k_max=4))
    assert {"kmeans", "ward", "genie", "gaussian_mixture"} <= {
        candidate.algorithm for candidate in candidates
    }
    assert all(
        (candidate.labels >= 0).all() and candidate.labels.size == len(points)
        for candidate in candidates
    )


def test_a_list_tries_each_of_its_items(points: FloatArray) -> None:
    asked = [
        Request("complete", [2, 4], {"metric": ["euclidean", "cosine"]}),
        Request("ward", [2, 4], {}),
        request("gaussian_mixture", covariance=["full", "diag"]),
        request("hdbscan", min_cluster_size=[10, 20], min_samples=[3, 5]),
    ]
    candidates = find(points, *asked)
    texts = [
        (candidate.algorithm, candidate.parameters.get("metric"), candidate.k)
        for candidate in candidates[:6]
    ]
    assert texts == [
        ("complete", "euclidean", 2),
        ("complete", "euclidean", 4),
        ("ward", None, 2),
        ("ward", None, 4),
        ("complete", "cosine", 2),
        ("complete", "cosine", 4),
    ]
    assert [candidate.parameters["covariance"] for candidate in candidates[6:8]] == ["full", "diag"]
    density = [
        (o.parameters["min_samples"], o.parameters["min_cluster_size"]) for o in candidates[8:]
    ]
    assert density == [(3, 10), (3, 20), (5, 10), (5, 20)]


@pytest.mark.parametrize("name", [n for n, terms in ALGORITHMS.items() if not terms.finds_k])
def test_more_clusters_than_rows(points: FloatArray, name: str) -> None:
    with pytest.raises(DataError, match=f"{name}: k up to 5 needs more than 5 rows; lower"):
        find(points[:5], Request(name, [2, 5], {}))


@pytest.mark.parametrize("columns", [(0, 1), (3, 0)])
def test_kprototypes_needs_both_kinds(points: FloatArray, columns: tuple[int, int]) -> None:
    numeric, categorical = columns
    rows = MixedRows(points[:, :numeric], np.zeros((len(points), categorical), dtype=np.int64))
    for given in (rows, None):
        with pytest.raises(DataError, match="kprototypes needs numeric and categorical features"):
            find(points, request("kprototypes"), mixed=given)


def test_every_algorithm_is_refused_where_it_does_not_fit(
    points: FloatArray, mixed: MixedRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "memory_bytes", lambda: 5)
    for name in ALGORITHMS:
        message = f"{name} on 130 rows needs about .* MB, 0.0 MB may be used; lower the rows"
        with pytest.raises(MemoryRefusedError, match=message):
            find(points, request(name), mixed=mixed)


def test_what_is_refused_names_an_algorithm_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.zeros((50_000, 4))
    monkeypatch.setattr(fitting, "memory_bytes", lambda: 100_000_000)
    message = "average on 50,000 rows needs about .* GB, 80.0 MB may be used; use kmeans, which"
    with pytest.raises(MemoryRefusedError, match=message):
        find(points, request("average"))


def changed(**changes: object) -> Algorithm:
    return replace(ALGORITHMS["kmeans"], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": Family("k_means")}, "k-means: unknown family 'k_means'"),
        ({"family": Family("kmeans", "init", {"a": "b"})}, "k-means: unknown family 'b'"),
        ({"assignment": "nearest"}, "k-means: unknown assignment rule 'nearest'"),
        ({"assignment": ""}, "k-means: unknown assignment rule ''"),
        ({"memory": ""}, "an algorithm without its memory"),
        ({"time": ""}, "an algorithm without its time"),
        ({"title": ""}, "an algorithm without its title"),
        ({"peak_bytes": ""}, "k-means: peak_bytes is written module:function"),
        ({"runner": "kmeans"}, "k-means: runner is written module:function"),
        ({"swept": ("k",)}, "k-means: unknown parameters in swept"),
    ],
)
def test_an_incomplete_entry_is_an_error_at_import(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        changed(**changes)


def test_the_table_is_light_to_import() -> None:
    code = (
        "import sys; from models_py.clustering import algorithms, settings;"
        "print([m for m in ('numpy', 'scipy', 'sklearn', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", [n for n, entry in ALGORITHMS.items() if entry.former_parameters])
def test_former_names_of_parameters_are_read(name: str) -> None:
    for former, now in ALGORITHMS[name].former_parameters.items():
        asked = AlgorithmSettings.model_validate({"name": name, "parameters": {former: [3, 4]}})
        assert asked.parameters == {now: [3, 4]}
        both = {"name": name, "parameters": {former: 3, now: 4}}
        with pytest.raises(ValidationError, match=f"{name} has no parameter '{former}'"):
            AlgorithmSettings.model_validate(both)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("kmeans", {"n_init": 5, "implementation": "scikit-learn", "random_state": 0}),
        ("complete", {"metric": ["euclidean", "cosine"]}),
        ("dbscan", {"eps": 1, "min_samples": 4}),
        ("gaussian_mixture", {"covariance": "tied"}),
    ],
)
def test_good_parameters(name: str, parameters: dict[str, Any]) -> None:
    assert refused(name, parameters) is None
