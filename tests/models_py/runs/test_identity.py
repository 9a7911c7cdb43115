"""Segments keep their ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings, strategies as st

from models_py.runs.identity import match_segments, migrations

ENTITIES = [f"C{i:03d}" for i in range(100)]
GROUPS = np.repeat([0, 1, 2], [50, 30, 20])


def run_before(segment_ids: list[int], entities: list[str] = ENTITIES) -> pd.DataFrame:
    return pd.DataFrame({"entity_id": entities, "segment_id": segment_ids})


def ids_of(groups: np.ndarray, names: list[int]) -> list[int]:
    return np.array(names)[groups].tolist()


def test_the_first_run_counts_from_one() -> None:
    identity = match_segments(ENTITIES, GROUPS, None, last_id=0)
    assert identity.segment_ids.tolist() == [1, 2, 3]
    assert identity.is_new.all()


def test_permuted_labels_keep_their_ids() -> None:
    before = run_before(ids_of(GROUPS, [5, 2, 9]))
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        groups = np.array(order)[GROUPS]
        identity = match_segments(ENTITIES, groups, before, last_id=9)
        assert identity.segment_ids[order].tolist() == [5, 2, 9]
        assert not identity.is_new.any()


def test_a_few_new_customers_change_no_id() -> None:
    before = run_before(ids_of(GROUPS, [1, 2, 3]))
    entities = [*ENTITIES[3:], *(f"N{i}" for i in range(5))]
    groups = np.append(GROUPS[3:], [0, 1, 2, 2, 2])
    identity = match_segments(entities, groups, before, last_id=3)
    assert identity.segment_ids.tolist() == [1, 2, 3]


def test_of_a_split_the_larger_part_keeps_the_id() -> None:
    before = run_before(ids_of(GROUPS, [1, 2, 3]))
    groups = GROUPS.copy()
    groups[35:50] = 3
    identity = match_segments(ENTITIES, groups, before, last_id=3)
    assert identity.segment_ids.tolist() == [1, 2, 3, 4]
    assert identity.is_new.tolist() == [False, False, False, True]


def test_a_merger_keeps_the_id_of_the_larger_one_and_never_gives_the_other_again() -> None:
    before = run_before(ids_of(GROUPS, [1, 2, 3]))
    merged = np.minimum(GROUPS, 1)
    identity = match_segments(ENTITIES, merged, before, last_id=3)
    assert identity.segment_ids.tolist() == [1, 2]
    split_again = match_segments(ENTITIES, GROUPS, run_before(ids_of(merged, [1, 2])), last_id=3)
    assert split_again.segment_ids.tolist() == [1, 2, 4]


def test_another_population_gets_other_ids() -> None:
    before = run_before([1] * 50 + [2] * 50)
    others = [f"D{i}" for i in range(100)]
    identity = match_segments(others, GROUPS, before, last_id=7)
    assert identity.segment_ids.tolist() == [8, 9, 10]
    assert identity.is_new.all()
    empty = match_segments(ENTITIES, GROUPS, before.iloc[:0], last_id=7)
    assert empty.segment_ids.tolist() == [8, 9, 10]


def test_pairs_below_the_limit_do_not_block_one_above_it() -> None:
    # Jaccard 0.38 of group 0 and segment 1 is the only match. Group 0 with segment 2 (0.292)
    # and group 1 with segment 1 (0.286) add up to more, and are none.
    counts = {(0, 1): 40, (0, 2): 35, (1, 1): 30}
    counts |= {(1, segment): 5 for segment in range(3, 10)}
    counts |= {(group, 2): 5 for group in range(2, 11)}
    groups = np.repeat([group for group, _ in counts], list(counts.values()))
    segments = np.repeat([segment for _, segment in counts], list(counts.values())).tolist()
    entities = [f"C{i}" for i in range(len(groups))]
    identity = match_segments(entities, groups, run_before(segments, entities), last_id=9)
    assert identity.segment_ids[0] == 1
    assert identity.is_new.tolist() == [False] + [True] * 10


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.lists(st.integers(1, 6), min_size=0, max_size=80),
    st.integers(0, 40),
)
def test_ids_are_unique_and_old_or_never_given(
    labels: list[int], before_ids: list[int], shift: int
) -> None:
    groups = np.unique(np.array(labels), return_inverse=True)[1]
    entities = [f"C{i}" for i in range(len(groups))]
    before = run_before(before_ids, [f"C{i + shift}" for i in range(len(before_ids))])
    identity = match_segments(entities, groups, before, last_id=6)
    ids = identity.segment_ids.tolist()
    assert len(set(ids)) == groups.max() + 1
    for segment_id, is_new in zip(ids, identity.is_new, strict=True):
        assert segment_id > 6 if is_new else segment_id in before_ids
    moved = migrations(entities, identity.segment_ids[groups], before)
    assert moved["entities"].sum() == len({*entities, *before["entity_id"]})
    assert not moved[["from_segment_id", "to_segment_id"]].isna().all(axis=1).any()


def test_migrations_count_every_entity_once() -> None:
    before = run_before([1, 1, 2, 2], ["a", "b", "c", "gone"])
    moved = migrations(["a", "b", "c", "new"], np.array([1, 2, 2, 2]), before)
    result = {
        (None if pd.isna(f) else int(f), None if pd.isna(t) else int(t)): count
        for f, t, count in moved.itertuples(index=False)
    }
    assert result == {(1, 1): 1, (1, 2): 1, (2, 2): 1, (2, None): 1, (None, 2): 1}
