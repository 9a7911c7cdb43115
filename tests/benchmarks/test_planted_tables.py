"""Planted tables hold what their kinds say, and the drafted study finds a gym's three groups."""

from __future__ import annotations

import numpy as np
import pytest
from planted_table_roads import drafted_labels
from planted_tables import HELD_OUT, ID, TUNED, planted_table
from sklearn.metrics import adjusted_rand_score


@pytest.mark.parametrize("kind", [*TUNED, *HELD_OUT])
def test_a_table_is_the_same_for_a_seed_and_has_an_id(kind: str) -> None:
    table, again = planted_table(kind, 5), planted_table(kind, 5)

    assert table.frame.equals(again.frame)
    assert table.frame[ID].is_unique
    assert len(table.truth) == len(table.frame)
    groups = np.unique(table.truth[table.truth >= 0])
    assert list(groups) == list(range(len(groups)))
    assert (len(groups) == 1) == kind.startswith("nothing")
    assert not table.frame.equals(planted_table(kind, 6).frame)


def test_a_date_does_not_split_a_gym() -> None:
    table = planted_table("gym", 1)

    labels = drafted_labels(table.frame)
    assert len(np.unique(labels)) == 3
    assert adjusted_rand_score(table.truth, labels) > 0.9


def test_where_there_are_no_groups_the_drafted_study_says_so() -> None:
    assert drafted_labels(planted_table("nothing", 0).frame).max() == 0
