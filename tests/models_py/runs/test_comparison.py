"""Two runs side by side, by hand; and ids over weekly histories of real runs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from sklearn.metrics import adjusted_rand_score, mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from tests.models_py.runs.planted_house import customers, run, saved, study

from models_py.base.errors import DataError
from models_py.runs.comparison import (
    Comparison,
    SegmentFacts,
    compare_runs,
    variation_of_information,
    without_withheld,
)
from models_py.runs.identity import match_by_centers
from models_py.runs.tables import withheld_before


def assignments(members: dict[int, range | list[int]]) -> pd.DataFrame:
    rows = [(f"C{i}", segment) for segment, ids in members.items() for i in ids]
    return pd.DataFrame(rows, columns=["entity_id", "segment_id"])


def compared(
    before: dict[int, range | list[int]], after: dict[int, range | list[int]]
) -> Comparison:
    def facts(members: dict[int, range | list[int]]) -> dict[int, SegmentFacts]:
        total = sum(len(ids) for ids in members.values())
        return {
            segment: SegmentFacts(segment, f"s{segment}", len(ids), len(ids) / total)
            for segment, ids in members.items()
        }

    return compare_runs(assignments(before), assignments(after), facts(before), facts(after))


def changes_of_kind(
    comparison: Comparison, kind: str
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(change.before, change.after) for change in comparison.changes if change.kind == kind]


def test_nothing_changed() -> None:
    same: dict[int, range | list[int]] = {1: range(60), 2: range(60, 100)}
    comparison = compared(same, same)
    assert [change.kind for change in comparison.changes] == ["kept", "kept"]
    assert (comparison.moved, comparison.came, comparison.went) == (0, 0, 0)
    assert comparison.adjusted_rand == 1.0
    assert comparison.variation_of_information == 0.0


def test_a_split_is_recognised_and_said() -> None:
    comparison = compared(
        {1: range(100), 2: range(100, 160)},
        {1: range(60), 3: range(60, 100), 2: range(100, 160)},
    )
    assert changes_of_kind(comparison, "split") == [((1,), (1, 3))]
    assert changes_of_kind(comparison, "merged") == []
    assert changes_of_kind(comparison, "new") == [((), (3,))]
    words = next(change.words for change in comparison.changes if change.kind == "split")
    assert words == "segment 1 (s1) split: segment 1 (s1) took 60%, segment 3 (s3) took 40%"
    assert comparison.moved == 40


def test_a_merge_is_recognised_and_said() -> None:
    comparison = compared(
        {1: range(50), 2: range(50, 90), 3: range(90, 150)},
        {1: range(90), 3: range(90, 150)},
    )
    assert changes_of_kind(comparison, "merged") == [((1, 2), (1,))]
    assert changes_of_kind(comparison, "gone") == [((2,), ())]
    words = [change.words for change in comparison.changes]
    assert (
        "segment 1 (s1) (100% of it) and segment 2 (s2) (100% of it) merged into segment 1 (s1)"
        in words
    )
    assert words[-1].endswith("100% of those still there went to segment 1 (s1)")


def test_a_segment_that_dissolves_is_no_split() -> None:
    # A third each goes into three large segments, none of which is made of it.
    before: dict[int, range | list[int]] = {
        1: range(30),
        2: range(100, 200),
        3: range(200, 300),
        4: range(300, 400),
    }
    after: dict[int, range | list[int]] = {
        2: [*range(10), *range(100, 200)],
        3: [*range(10, 20), *range(200, 300)],
        4: [*range(20, 30), *range(300, 400)],
    }
    comparison = compared(before, after)
    assert changes_of_kind(comparison, "split") == []
    assert changes_of_kind(comparison, "gone") == [((1,), ())]


def test_customers_that_come_and_go_are_no_movers() -> None:
    comparison = compared(
        {1: range(100), 2: range(100, 200)}, {1: range(20, 110), 2: range(110, 250)}
    )
    assert (comparison.in_both, comparison.came, comparison.went) == (180, 50, 20)
    assert comparison.moved == 10
    assert comparison.moved_share == pytest.approx(10 / 180)
    flows = comparison.flows.set_index(["from_segment_id", "to_segment_id"])["customers"]
    assert flows.sum() == 250
    assert flows.loc[(2, 1)] == 10


def test_runs_without_a_common_customer() -> None:
    comparison = compared({1: range(10)}, {2: range(10, 20)})
    assert comparison.in_both == 0
    assert np.isnan(comparison.adjusted_rand)
    assert np.isnan(comparison.variation_of_information)
    assert np.isnan(comparison.moved_share)
    gone = next(change for change in comparison.changes if change.kind == "gone")
    assert gone.words.endswith("none of them is there any more")


def test_no_flow_tells_of_a_segment_that_is_not_described() -> None:
    before = assignments({1: range(100), 2: [200, 201, 202], 3: range(300, 340)})
    after = assignments({1: [*range(100), 200], 2: [201, 202], 3: range(300, 340)})
    sides = []
    for rows in (before.assign(partition="all"), after.assign(partition="all")):
        sizes = rows["segment_id"].value_counts()
        facts = {
            int(i): SegmentFacts(int(i), f"s{i}", int(n), n / len(rows)) for i, n in sizes.items()
        }
        sides.append(without_withheld(rows, facts, withheld_before(rows, 5)))
    (rows_before, was), (rows_after, now) = sides
    comparison = compare_runs(rows_before, rows_after, was, now)
    # The smallest described one stands in for the small one, whose size would follow otherwise.
    assert set(was) == set(now) == {0, 1}
    assert (was[0].size, now[0].size) == (43, 42)
    ids = {*comparison.flows["from_segment_id"], *comparison.flows["to_segment_id"]}
    assert ids == {0, 1}
    said = " ".join(change.words for change in comparison.changes)
    assert "s2" not in said
    assert "s3" not in said


def test_an_empty_run_is_refused() -> None:
    with pytest.raises(DataError, match="without assignments"):
        compared({}, {1: range(3)})


LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(LABELS)
@hypothesis_settings(max_examples=100, deadline=None)
def test_figures_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T
    table = contingency_matrix(first, second)
    entropies = mutual_info_score(first, first) + mutual_info_score(second, second)
    expected = entropies - 2 * mutual_info_score(first, second)
    assert variation_of_information(table) == pytest.approx(expected, abs=1e-9)
    members = [
        {s: [i for i, label in enumerate(labels) if label == s] for s in set(labels.tolist())}
        for labels in (first, second)
    ]
    comparison = compared(*members)  # type: ignore[arg-type]
    rand = adjusted_rand_score(first, second)
    assert comparison.adjusted_rand == pytest.approx(rand, abs=1e-12)


def test_variation_of_information_by_hand() -> None:
    # Meila (2007), property 6: splitting half of the rows evenly costs p(C) H = 1/2 ln 2.
    assert variation_of_information(np.array([[2, 0, 0], [0, 1, 1]])) == pytest.approx(
        0.5 * np.log(2)
    )


CENTERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def test_centers_that_moved_a_little_are_matched() -> None:
    moved = CENTERS[[2, 0, 1]] + 0.4
    assert match_by_centers(CENTERS, moved) == [(0, 1), (1, 2), (2, 0)]


def test_a_center_out_of_reach_is_new() -> None:
    centers = np.array([[0.5, 0.0], [30.0, 30.0], [0.0, 9.0], [9.0, 1.0]])
    assert match_by_centers(CENTERS, centers) == [(0, 0), (1, 3), (2, 2)]
    assert match_by_centers(CENTERS, centers[1:2]) == []


def test_as_many_pairs_as_can_be() -> None:
    # The nearest pair first would leave the other center without one.
    previous, centers = np.array([[0.0], [4.0]]), np.array([[1.9], [2.1]])
    assert match_by_centers(previous, centers) == [(0, 0), (1, 1)]
    assert match_by_centers(np.array([[0.0], [2.0]]), np.array([[1.0], [0.1]]), reach=0.6) == [
        (0, 1),
        (1, 0),
    ]


def test_single_and_no_centers() -> None:
    assert match_by_centers(CENTERS[:1], CENTERS) == [(0, 0)]
    assert match_by_centers(CENTERS[:0], CENTERS) == []


def test_centers_tell_segments_of_another_population(home: Path) -> None:
    before = saved(run(study(), customers(900)).run_id).partitions["all"]
    others = customers(900, seed=1).sample(frac=1, random_state=2).iloc[:450]
    others["customer_id"] = [f"X{i}" for i in range(len(others))]
    scored = before.score(others)
    centers = np.array([scored.points[scored.groups == group].mean(axis=0) for group in range(3)])
    order = np.array([2, 0, 1])
    matched = match_by_centers(before.centers, centers[order])
    assert matched == [(int(order[i]), i) for i in np.argsort(order)]


def week(base: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the customers of a week: a few gone, a few new, everybody changed a little."""
    generator = np.random.default_rng(100 + number)
    stays = base.iloc[number * 20 : number * 20 + 700].copy()
    for column in ("spend_amount", "basket_amount", "days_since_visit"):
        stays[column] = stays[column] * generator.normal(1, 0.05, len(stays))
    return stays


def test_ids_are_kept_over_eight_weeks(home: Path) -> None:
    base = customers(900)
    recipe = study(stability={"refits": 5})
    runs = [run(recipe, week(base, number), seed=number) for number in range(8)]
    ids = [set(run.tables.rows["segments"]["segment_id"]) for run in runs]
    assert ids == [{1, 2, 3}] * 8
    assert [run.previous_run_id for run in runs[1:]] == [run.run_id for run in runs[:-1]]
    for before, after in pairwise(runs):
        old, new = (r.tables.rows["assignments"] for r in (before, after))
        facts = {i: SegmentFacts(i, "s", 1, 1 / 3) for i in (1, 2, 3)}
        comparison = compare_runs(old, new, facts, facts)
        assert (comparison.in_both, comparison.came, comparison.went) == (680, 20, 20)
        assert {change.kind for change in comparison.changes} == {"kept"}
        assert comparison.moved_share < 0.05


def test_a_refit_with_new_customers_and_another_seed_keeps_stable_ids(home: Path) -> None:
    base = customers(1260)
    recipe = study(stability={"refits": 10})
    first = run(recipe, base.iloc[:1200], seed=1)
    second = run(recipe, base.sample(frac=1, random_state=4), seed=20260712)
    old, new = (item.tables.rows["segments"].set_index("segment_id") for item in (first, second))
    stable = set(old.index[old["is_stable"].fillna(False)])
    assert stable == {1, 2, 3}
    assert stable <= set(new.index)
    members = first.tables.rows["assignments"].merge(
        second.tables.rows["assignments"], on="entity_id", suffixes=("", "_after")
    )
    assert (members["segment_id"] == members["segment_id_after"]).mean() > 0.95


def test_a_population_without_a_common_customer_keeps_its_ids_by_centers(home: Path) -> None:
    base = customers(900)
    first = saved(run(study(), base.iloc[:450]).run_id)
    second = run(study(), base.iloc[450:], seed=3)
    assert second.tables.new_segments.empty
    rows = second.tables.rows["assignments"].set_index("entity_id")["segment_id"]
    scored = first.score(base.iloc[450:]).set_index("entity_id")["segment_id"]
    assert (rows == scored.loc[rows.index]).mean() > 0.9
