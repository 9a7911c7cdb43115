"""What became of a segment is told by its members."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from models_py.database import contract, results
from models_py.database.connection import open_warehouse
from models_py.database.own_data import make_warehouse

Flow = tuple[int | None, int | None, int]


def history(
    folder: Path, first: dict[int, int], second: dict[int, int], flows: Sequence[Flow]
) -> dict[int, tuple[object, ...]]:
    """Return the second run's events, by segment, of two runs with these segments and flows."""
    path = folder / "own.duckdb"
    make_warehouse(path)
    moved = pd.DataFrame(flows, columns=["from_segment_id", "to_segment_id", "entities"])
    with open_warehouse(path) as warehouse:
        warehouse.rows("create schema gold")
        warehouse.rows("create table gold.t as select 1 as id")
        before = None
        for number, sizes in enumerate((first, second)):
            start = results.RunStart(
                f"run-{number}", "shop", results.utc_now(), 1, "gold.t", "id", "{}", "{}"
            )
            results.begin_run(warehouse, start)
            segments = pd.DataFrame(
                [("all", key, f"name {key}", size) for key, size in sizes.items()],
                columns=["partition", "segment_id", "name", "size"],
            ).assign(share=0.5)
            tables = {"segments": segments}
            if before is not None:
                tables["migrations"] = moved.astype("Int64").assign(previous_run_id=before)
            registered = pd.DataFrame({"study": [], "segment_id": []}).astype({"segment_id": int})
            facts = {"previous_run_id": before, "rows_read": 1}
            results.finish_run(warehouse, start.run_id, facts, tables, registered)
            before = start.run_id
        rows = warehouse.rows(
            "select number, segment_id, event, other_segment_id, other_share, size_before, size"
            " from results.segment_history where study = 'shop' order by all"
        )
    assert {row[2] for row in rows if row[0] == 1} == {"born"}
    return {row[1]: row[2:] for row in rows if row[0] == 2}


@pytest.mark.parametrize(
    ("first", "second", "flows", "events"),
    [
        ({1: 10}, {1: 12}, [(1, 1, 10), (None, 1, 2)], {1: ("continued", None, None, 10, 12)}),
        ({1: 9}, {1: 9, 2: 5}, [(1, 1, 9), (None, 2, 5)], {2: ("born", None, None, None, 5)}),
        ({1: 20}, {1: 12, 2: 8}, [(1, 1, 12), (1, 2, 8)], {2: ("split", 1, 1.0, None, 8)}),
        (
            {1: 20, 2: 10},
            {1: 18, 2: 6, 3: 6},
            [(1, 1, 18), (1, 3, 2), (2, 2, 6), (2, 3, 2), (None, 3, 2)],
            {3: ("born", None, None, None, 6)},
        ),
        ({1: 20, 2: 8}, {1: 28}, [(1, 1, 20), (2, 1, 8)], {2: ("merged", 1, 1.0, 8, None)}),
        ({1: 20, 2: 8}, {1: 20}, [(1, 1, 20), (2, None, 8)], {2: ("died", None, None, 8, None)}),
        ({1: 20, 2: 4}, {1: 20, 3: 4}, [(1, 1, 20), (0, 0, 4)], {
            2: ("died", None, None, 4, None), 3: ("born", None, None, None, 4),
        }),
    ],
)  # fmt: skip
def test_events_follow_the_members(
    tmp_path: Path,
    first: dict[int, int],
    second: dict[int, int],
    flows: list[Flow],
    events: dict[int, tuple[object, ...]],
) -> None:
    told = history(tmp_path, first, second, flows)
    assert set(told) == set(first) | set(second)
    assert {key: told[key] for key in events} == events


def test_a_share_of_half_is_enough(tmp_path: Path) -> None:
    flows: list[Flow] = [(1, 1, 15), (1, 2, 5), (None, 2, 5)]
    told = history(tmp_path, {1: 20}, {1: 15, 2: 10}, flows)
    assert told[2] == ("split", 1, 0.5, None, 10)


def test_the_view_is_a_part_of_the_contract(tmp_path: Path) -> None:
    history(tmp_path, {1: 1}, {1: 1}, [(1, 1, 1)])
    with open_warehouse(tmp_path / "own.duckdb", read_only=True) as warehouse:
        assert f"{contract.SCHEMA}.segment_history" in warehouse.relations()
