"""Runs are begun, ended and found again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from models_py.database import contract, results
from models_py.database.connection import Warehouse, open_warehouse
from models_py.errors import WarehouseError

NO_SEGMENTS = pd.DataFrame({"study": [], "segment_id": []})


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    path = tmp_path / "own.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("create schema gold; create table gold.things (thing_id integer)")
    with open_warehouse(path) as opened:
        yield opened


def start(study: str = "own", run_id: str | None = None) -> results.RunStart:
    now = results.utc_now()
    return results.RunStart(
        run_id=run_id or results.new_run_id(now),
        study=study,
        started_at=now,
        seed=4,
        source_table="gold.things",
        entity_column="thing_id",
        parameters=json.dumps({"name": study}),
        versions="{}",
    )


def finish(
    warehouse: Warehouse, run_id: str, study: str = "own", segment_ids: tuple[int, ...] = ()
) -> None:
    new = pd.DataFrame({"study": study, "segment_id": segment_ids})
    results.finish_run(warehouse, run_id, {"rows_read": 3}, {}, new if segment_ids else NO_SEGMENTS)


def statuses(warehouse: Warehouse) -> list[tuple[str, str | None]]:
    return warehouse.rows("select status, error from results.runs order by run_id")


def test_ids_sort_by_time_and_differ_within_a_moment() -> None:
    now = results.utc_now()
    ids = [results.new_run_id(now + timedelta(microseconds=i)) for i in range(50)]
    assert ids == sorted(ids)
    assert len({results.new_run_id(now) for _ in range(50)}) > 45


def test_a_run_from_begin_to_end(warehouse: Warehouse) -> None:
    begun = start()
    assert results.latest_run(warehouse, "own") is None
    results.begin_run(warehouse, begun)
    tables = {name for name in warehouse.relations() if name.startswith("results.")}
    assert tables == {f"results.{table.name}" for table in contract.ALL_TABLES}
    assert statuses(warehouse) == [("running", None)]
    assert results.latest_run(warehouse, "own") is None
    finish(warehouse, begun.run_id)
    assert statuses(warehouse) == [("done", None)]
    assert results.latest_run(warehouse, "own") == begun.run_id
    assert results.latest_run(warehouse, "other") is None
    kind = warehouse.columns("results", "own_latest")["thing_id"]
    assert kind == "INTEGER"


def test_a_failed_run_keeps_its_reason_and_is_not_the_latest(warehouse: Warehouse) -> None:
    one, two = start(run_id="1"), start(run_id="2")
    results.begin_run(warehouse, one)
    finish(warehouse, "1")
    results.begin_run(warehouse, two)
    results.fail_run(warehouse, "2", 'it\'s "too" bad; --')
    assert statuses(warehouse) == [("done", None), ("failed", 'it\'s "too" bad; --')]
    assert results.latest_run(warehouse, "own") == "1"


def test_ids_of_segments_count_on_for_each_study(warehouse: Warehouse) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    finish(warehouse, "1", segment_ids=(1, 2, 5))
    results.begin_run(warehouse, start("other", run_id="2"))
    finish(warehouse, "2", "other", segment_ids=(1,))
    assert results.last_segment_id(warehouse, "own") == 5
    assert results.last_segment_id(warehouse, "other") == 1
    assert results.last_segment_id(warehouse, "third") == 0


def test_assignments_of_a_run(warehouse: Warehouse) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    rows = pd.DataFrame(
        {
            "entity_id": ["2", "1"],
            "partition": "all",
            "segment_id": [1, 2],
            "confidence": [0.5, float("nan")],
            "is_outlier": [False, True],
        }
    )
    results.finish_run(warehouse, "1", {}, {"assignments": rows}, NO_SEGMENTS)
    read = results.read_assignments(warehouse, "1")
    assert read.to_dict("list") == {
        "entity_id": ["1", "2"],
        "partition": ["all", "all"],
        "segment_id": [2, 1],
    }
    assert warehouse.rows("select confidence from results.assignments order by entity_id") == [
        (None,),
        (0.5,),
    ]
    assert results.read_assignments(warehouse, "no such").empty


def test_rows_that_do_not_fit_the_contract_leave_nothing(warehouse: Warehouse) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    good = pd.DataFrame({"entity_id": ["1"], "method": "none", "score": 0.0, "is_kept": True})
    bad = pd.DataFrame({"entity_id": ["1"], "partition": "all", "is_outlier": False})
    with pytest.raises(WarehouseError, match="segment_id"):
        results.finish_run(warehouse, "1", {}, {"outliers": good, "assignments": bad}, NO_SEGMENTS)
    assert warehouse.rows("select count(*) from results.outliers") == [(0,)]
    assert statuses(warehouse) == [("running", None)]
    assert "results.own_latest" not in warehouse.relations()


def alter(warehouse: Warehouse, **values: object) -> None:
    for column, value in values.items():
        warehouse.rows(f"update results.runs set {column} = ? where run_id = '1'", [value])


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(timeout=60)
        return process.pid


def test_runs_of_dead_processes_are_found(warehouse: Warehouse) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    dead = ended_process()
    alter(warehouse, process_id=dead)
    results.begin_run(warehouse, start(run_id="2"))
    assert statuses(warehouse) == [
        ("failed", f"its process {dead} ended without finishing it"),
        ("running", None),
    ]


def test_a_number_given_to_a_later_process_does_not_count(warehouse: Warehouse) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    alter(warehouse, started_at=results.utc_now() - timedelta(days=4000))
    with warehouse.transaction():
        assert results.mark_dead_runs(warehouse) == 1


@pytest.mark.parametrize("host", [socket.gethostname(), "another-machine"])
def test_runs_that_may_be_alive_are_left(warehouse: Warehouse, host: str) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    living = os.getpid() if host == socket.gethostname() else ended_process()
    alter(warehouse, host=host, process_id=living)
    with warehouse.transaction():
        assert results.mark_dead_runs(warehouse) == 0
    assert statuses(warehouse) == [("running", None)]
