"""k-prototypes against kmodes from the same starts, hand-computed costs and odd inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from kmodes.kprototypes import KPrototypes as Rival
from kmodes.util.dissim import matching_dissim
from kmodes.util.init_methods import init_cao

from models_py.base import threads
from models_py.base.errors import DataError
from models_py.clustering import kprototypes
from models_py.clustering.kprototypes import (
    KPrototypes,
    cao_modes,
    huang_modes,
    kprototypes_sweep,
)


def mixed_rows(n, seed=0):
    generator = np.random.default_rng(seed)
    group = generator.integers(0, 4, n)
    numeric = generator.standard_normal((n, 2)) + 1.2 * group[:, None]
    favourite = (group[:, None] * np.arange(1, 5)) % 5
    anything = generator.integers(0, 5, (n, 4))
    return numeric, np.where(generator.random((n, 4)) < 0.5, favourite, anything)


def cost_of(numeric, codes, centers, modes, gamma):
    apart = ((numeric[:, None] - centers) ** 2).sum(axis=2)
    differing = (codes[:, None] != modes).sum(axis=2)
    costs = apart + gamma * differing
    return costs.min(axis=1).sum(), costs.argmin(axis=1)


def rival_from(start, numeric, codes, k):
    together = np.column_stack([numeric, codes.astype(np.float64)])
    categorical = list(range(numeric.shape[1], together.shape[1]))
    rival = Rival(k, init=[start[0].copy(), start[1].copy()], n_init=1, random_state=0)
    return rival.fit(together, categorical=categorical)


@pytest.mark.parametrize("init", ["huang", "cao"])
def test_cost_is_no_higher_than_kmodes_from_the_same_starts(init):
    numeric, codes = mixed_rows(250)
    compared = 0
    for start in KPrototypes(4, init=init, n_init=8, seed=1).starts(numeric, codes):
        if len(set(cost_of(numeric, codes, *start, 0.5)[1])) < 4:
            continue  # kmodes replaces a start that leaves a cluster empty
        candidates = KPrototypes(4, init=start).fit(numeric, codes)
        rival = rival_from(start, numeric, codes, 4)
        assert candidates.gamma_ == pytest.approx(rival.gamma)
        assert candidates.cost_ <= rival.cost_ * (1.0 + 1e-9)
        compared += 1
    assert compared >= 4


def test_cost_and_labels_follow_the_definition():
    numeric, codes = mixed_rows(300)
    candidates = KPrototypes(3, gamma=0.7, n_init=2, seed=1).fit(numeric, codes)
    prototypes = (candidates.numeric_centers_, candidates.categorical_modes_)
    cost, labels = cost_of(numeric, codes, *prototypes, 0.7)
    assert candidates.cost_ == pytest.approx(cost)
    assert (candidates.labels_ == labels).all()
    assert (candidates.predict(numeric, codes) == labels).all()


def test_small_table_by_hand():
    """Two groups distinguished by both kinds of columns; one row has another level."""
    numeric = np.array([[0.0], [2.0], [10.0], [12.0]])
    codes = np.array([[0], [0], [1], [2]])
    candidates = KPrototypes(2, gamma=1.0, n_init=5, seed=0).fit(numeric, codes)
    assert candidates.cost_ == pytest.approx(1 + 1 + 1 + 1 + 1)
    assert sorted(candidates.numeric_centers_[:, 0]) == [1.0, 11.0]
    assert sorted(candidates.categorical_modes_[:, 0]) == [0, 1]


def test_caos_start_equals_kmodes():
    _, codes = mixed_rows(400)
    assert (cao_modes(codes.astype(np.int32), 6) == init_cao(codes, 6, matching_dissim)).all()


def test_huangs_start_takes_distinct_rows():
    _, codes = mixed_rows(400)
    modes = huang_modes(codes.astype(np.int32), 5, np.random.default_rng(0))
    present = {tuple(row) for row in codes}
    assert len({tuple(mode) for mode in modes}) == 5
    assert all(tuple(mode) in present for mode in modes)


def test_real_rows_of_bank_clients(shared_data):
    """First columns of the bank data: no higher cost than kmodes from Cao's start."""
    table = pd.read_csv(shared_data / "bank" / "bank-full.csv", sep=";", nrows=1000).iloc[:, :8]
    numbers = table.select_dtypes("number").to_numpy(dtype=np.float64)
    numeric = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    levels = table.select_dtypes(exclude="number")
    codes = np.column_stack([pd.factorize(levels[name], sort=True)[0] for name in levels])
    start = KPrototypes(5, init="cao", n_init=1, seed=1).starts(numeric, codes)[0]
    candidates = KPrototypes(5, init=start).fit(numeric, codes)
    assert candidates.cost_ <= rival_from(start, numeric, codes, 5).cost_ * (1.0 + 1e-9)


@pytest.mark.parametrize("init", ["huang", "cao"])
def test_same_seed_same_result_whatever_the_threads(init, monkeypatch):
    numeric, codes = mixed_rows(300)
    first = kprototypes_sweep(numeric, codes, [2, 4], seed=3, init=init)
    for module in (threads, kprototypes):
        monkeypatch.setattr(module, "thread_count", lambda: 1)
    again = kprototypes_sweep(numeric, codes, [2, 4], seed=3, init=init)
    for item, other in zip(first, again, strict=True):
        assert (item.labels == other.labels).all()
        assert item.model.cost_ == other.model.cost_


def test_a_start_that_leaves_clusters_empty():
    """All but one prototype lie far away; every cluster still gets rows."""
    numeric, codes = mixed_rows(200)
    centers = np.array([[0.0, 0.0], [1e3, 1e3], [1e4, 1e4], [1e5, 1e5]])
    candidates = KPrototypes(4, init=(centers, codes[:4])).fit(numeric, codes)
    assert len(set(candidates.labels_)) == 4


def test_unknown_levels_differ_from_every_mode():
    numeric, codes = mixed_rows(100)
    candidates = KPrototypes(2, seed=0).fit(numeric, codes)
    unknown = np.full_like(codes, -1)
    _, by_numbers = cost_of(
        numeric, unknown, candidates.numeric_centers_, candidates.categorical_modes_, 1.0
    )
    assert (candidates.predict(numeric, unknown) == by_numbers).all()


@given(
    table=st.lists(
        st.tuples(st.integers(-2, 2), st.integers(0, 2), st.integers(0, 1)),
        min_size=1,
        max_size=30,
    ),
    k=st.integers(1, 5),
    init=st.sampled_from(["huang", "cao"]),
)
@settings(max_examples=60, deadline=None)
def test_any_small_table_with_duplicates(table, k, init):
    numeric = np.array([[row[0]] for row in table], dtype=np.float64)
    codes = np.array([row[1:] for row in table], dtype=np.int64)
    if k > len(set(table)):
        with pytest.raises(DataError, match=r"distinct row|clusters of"):
            kprototypes_sweep(numeric, codes, [k], seed=0, init=init)
        return
    (candidates,) = kprototypes_sweep(numeric, codes, [k], seed=0, init=init, n_init=3)
    prototypes = (candidates.model.numeric_centers_, candidates.model.categorical_modes_)
    cost, labels = cost_of(numeric, codes, *prototypes, candidates.model.gamma_)
    assert (candidates.labels == labels).all()
    assert candidates.model.cost_ == pytest.approx(cost)


@pytest.mark.parametrize(
    ("numeric", "codes", "said"),
    [
        (np.zeros((4, 1)), np.zeros((3, 1), dtype=int), "does not go with 4 numeric rows"),
        (np.zeros((4, 1)), np.zeros((4, 0), dtype=int), "at least one column"),
        (np.zeros((4, 1)), np.zeros((4, 1)), "whole numbers"),
        (np.zeros((4, 1)), np.full((4, 1), -1), "code -1 is below 0"),
        (np.zeros((4, 1)), np.zeros((4, 1), dtype=int), "1 distinct row"),
        (np.full((4, 1), np.nan), np.zeros((4, 1), dtype=int), "missing or infinite"),
    ],
)
def test_bad_input_is_one_line(numeric, codes, said):
    with pytest.raises(DataError, match=said) as refused:
        KPrototypes(2).fit(numeric, codes)
    assert "\n" not in str(refused.value)


def test_bad_starts_and_columns_are_refused():
    numeric, codes = mixed_rows(50)
    with pytest.raises(DataError, match="'haung' is no start"):
        KPrototypes(2, init="haung").fit(numeric, codes)
    with pytest.raises(DataError, match=r"give \(2, 2\) and \(2, 4\)"):
        KPrototypes(2, init=(numeric[:3], codes[:3])).fit(numeric, codes)
    with pytest.raises(DataError, match="1 numeric and 4 categorical columns"):
        KPrototypes(2).fit(numeric, codes).predict(numeric[:, :1], codes)
