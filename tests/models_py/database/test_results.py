"""Runs are begun, ended and found again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from models_py.base.errors import WarehouseError
from models_py.database import contract, results
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.locks import run_lock

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
    contracted = {f"results.{table.name}" for table in contract.ALL_TABLES}
    assert tables == {*contracted, "results.segment_history"}
    assert statuses(warehouse) == [("running", None)]
    assert results.latest_run(warehouse, "own") is None
    finish(warehouse, begun.run_id)
    assert statuses(warehouse) == [("done", None)]
    assert results.latest_run(warehouse, "own") == begun.run_id
    assert results.latest_run(warehouse, "other") is None
    kind = warehouse.columns("results", "own_latest")["thing_id"]
    assert kind == "INTEGER"


def test_a_failed_run_keeps_its_reason_and_is_not_the_latest(warehouse: Warehouse) -> None:
    first, two = start(run_id="1"), start(run_id="2")
    results.begin_run(warehouse, first)
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


HOLD = """\
import sys
from pathlib import Path
from models_py.database.locks import run_lock

with run_lock(Path(sys.argv[1]), "1"):
    print("held", flush=True)
    input()
"""


@contextmanager
def at_work(warehouse: Warehouse) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that is at work on run 1."""
    command = [sys.executable, "-c", HOLD, str(warehouse.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process


def run_elsewhere(warehouse: Warehouse) -> None:
    """Record run 1 as a process of another machine does."""
    results.begin_run(warehouse, start(run_id="1"))
    warehouse.rows("update results.runs set host = 'elsewhere', process_id = 7")


def signs(warehouse: Warehouse) -> list[str]:
    return sorted(file.name for file in Path(f"{warehouse.path}.running").iterdir())


def test_a_run_is_dead_when_its_process_is_killed_and_not_before(warehouse: Warehouse) -> None:
    with at_work(warehouse) as process:
        run_elsewhere(warehouse)
        results.begin_run(warehouse, start(run_id="2"))
        assert statuses(warehouse)[0] == ("running", None)
        assert signs(warehouse) == ["1", "1.pid"]
        process.kill()
        process.wait(timeout=60)
        assert signs(warehouse) == ["1", "1.pid"]
        with warehouse.transaction():
            results.mark_dead_runs(warehouse)
    text = "its process 7 on elsewhere ended without finishing it"
    assert statuses(warehouse)[0] == ("failed", text)
    assert signs(warehouse) == []


def test_a_run_that_ends_takes_its_sign_away(warehouse: Warehouse) -> None:
    with at_work(warehouse) as process:
        process.communicate(b"\n", timeout=60)
        assert process.returncode == 0
    assert signs(warehouse) == []


def test_a_running_run_of_a_copied_warehouse_is_dead_there(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    copied = tmp_path / "elsewhere" / "own.duckdb"
    copied.parent.mkdir()
    with run_lock(warehouse.path, "1"):
        run_elsewhere(warehouse)
        warehouse.rows("checkpoint")
        copied.write_bytes(warehouse.path.read_bytes())
        with open_warehouse(copied) as other, other.transaction():
            assert results.mark_dead_runs(other) == 1
        with warehouse.transaction():
            assert results.mark_dead_runs(warehouse) == 0


def test_a_run_that_was_taken_for_dead_is_done_when_it_finishes(warehouse: Warehouse) -> None:
    results.begin_run(warehouse, start(run_id="1"))
    results.begin_run(warehouse, start(run_id="2"))
    assert statuses(warehouse)[0][0] == "failed"
    finish(warehouse, "1")
    assert statuses(warehouse)[0] == ("done", None)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.duckdb.running").write_text("a file where the folder should be")
    with (
        pytest.raises(WarehouseError, match=f"check the rights of {tmp_path}"),
        run_lock(tmp_path / "own.duckdb", "1"),
    ):
        pass


@pytest.mark.parametrize("wrong", [timedelta(days=40_000), timedelta(days=-40_000)])
def test_a_wrong_clock_neither_hides_later_runs_nor_stays_newest(
    warehouse: Warehouse, wrong: timedelta
) -> None:
    now = results.utc_now()
    order = [results.new_run_id(when) for when in (now, now + wrong, now + timedelta(hours=1))]
    for number, run_id in enumerate(order, 1):
        results.begin_run(warehouse, start(run_id=run_id))
        finish(warehouse, run_id)
        assert results.latest_run(warehouse, "own") == run_id
        assert [row[0] for row in results.done_runs(warehouse, ["run_id"])] == order[:number]
    newest = "select max_by(run_id, number) from results.runs"
    assert warehouse.rows(newest) == [(order[-1],)]
    ((view,),) = warehouse.rows("select sql from duckdb_views() where view_name = 'own_latest'")
    assert "max_by(run_id, number)" in view


def test_a_warehouse_without_numbers_is_read_by_ids_and_numbered_when_written(
    warehouse: Warehouse,
) -> None:
    for run_id in ("2", "1", "3"):
        results.begin_run(warehouse, start(run_id=run_id))
        finish(warehouse, run_id)
    warehouse.rows("alter table results.runs drop column number")
    assert results.latest_run(warehouse, "own") == "3"
    assert [row[0] for row in results.done_runs(warehouse, ["run_id"])] == ["1", "2", "3"]
    results.begin_run(warehouse, start(run_id="0"))
    finish(warehouse, "0")
    assert warehouse.rows("select run_id, number from results.runs order by number") == [
        *(("1", 1), ("2", 2), ("3", 3)),
        ("0", 4),
    ]
    assert results.latest_run(warehouse, "own") == "0"
