"""Results wait beside the warehouse while another process holds it, and get in whole or not."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from held_warehouse import held

from models_py.base import settings
from models_py.base.errors import DataError, WarehouseLockedError
from models_py.commands.run_sql import main as ask_runs
from models_py.database import contract, results, waiting
from models_py.database.connection import open_warehouse
from models_py.database.locks import run_lock
from models_py.database.waiting import Predecessor, open_for_writing
from models_py.runs.finished_runs import find_run

FIRST = Predecessor(None, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "own.duckdb"
    with duckdb.connect(str(file)) as database:
        database.execute("create schema gold; create table gold.things (thing_id integer)")
    return file


def start(run_id: str, study: str = "own") -> results.RunStart:
    return results.RunStart(
        run_id=run_id,
        study=study,
        started_at=results.utc_now(),
        seed=4,
        source_table="gold.things",
        entity_column="thing_id",
        parameters="{}",
        versions="{}",
    )


def rows_of(run_id: str, segment_ids: tuple[int, ...], new: tuple[int, ...]) -> dict[str, pa.Table]:
    members = pd.DataFrame(
        {
            "entity_id": [str(place) for place in range(len(segment_ids))],
            "partition": "all",
            "segment_id": segment_ids,
            "confidence": [float("nan"), *[0.5] * (len(segment_ids) - 1)],
            "is_outlier": False,
        }
    )
    registry = pd.DataFrame({"study": "own", "segment_id": pd.array(new, dtype="int64")})
    return results.run_rows(run_id, {"assignments": members}, registry)


def stage(
    path: Path,
    run_id: str,
    matched: Predecessor = FIRST,
    segment_ids: tuple[int, ...] = (1, 2, 1),
    new: tuple[int, ...] = (1, 2),
) -> Path:
    rows = rows_of(run_id, segment_ids, new)
    with waiting.waiting_lock(path):
        return waiting.stage_run(path, start(run_id), {"rows_read": 3}, rows, matched)


def taken(path: Path) -> list[tuple[object, ...]]:
    with open_for_writing(path) as warehouse:
        return warehouse.rows("select run_id, status, number from results.runs order by number")


def test_a_run_that_waited_is_what_it_would_have_been(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    other.write_bytes(path.read_bytes())
    with open_warehouse(other) as warehouse:
        results.begin_run(warehouse, start("1"))
        with warehouse.transaction():
            results.write_run(warehouse, "1", {"rows_read": 3}, rows_of("1", (1, 2, 1), (1, 2)))
    stage(path, "1")
    with open_for_writing(path) as warehouse:
        warehouse.rows(f"attach '{other}' as other (read_only)")
        for table in contract.ALL_TABLES:
            if table is not contract.runs:
                name = f"results.{table.name}"
                assert warehouse.rows(f"from {name} except all from other.{name}") == []
                assert warehouse.rows(f"from other.{name} except all from {name}") == []
        assert warehouse.rows("select status, rows_read, number from results.runs") == [
            ("done", 3, 1)
        ]
        assert "results.own_latest" in warehouse.relations()
    assert waiting.list_waiting(path) == []


def test_a_reader_keeps_it_waiting_and_a_writer_takes_it_in(path: Path) -> None:
    with held(path, "read"):
        folder = stage(path, "1")
        with pytest.raises(WarehouseLockedError), open_for_writing(path):
            pass
        ((item, status),) = waiting.waiting_runs(path)
        assert (item.run_id, item.study, status, item.folder) == ("1", "own", "waiting", folder)
        assert item.bytes > 0
    assert taken(path) == [("1", "done", 1)]
    assert not folder.exists()


def test_they_come_in_the_order_in_which_they_came_whatever_the_clock_says(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(path, "20300101-later")
    long_ago = results.utc_now().replace(year=2001)
    monkeypatch.setattr(results, "utc_now", lambda: long_ago)
    last, item = waiting.predecessor(path, "own", FIRST)
    assert (last, item and item.run_id) == (Predecessor("20300101-later", 2), "20300101-later")
    assert item is not None
    assert waiting.read_waiting_assignments(item)["segment_id"].tolist() == [1, 2, 1]
    stage(path, "20010101-earlier", last, (1, 3, 3), (3,))
    assert taken(path) == [("20300101-later", "done", 1), ("20010101-earlier", "done", 2)]
    with open_warehouse(path) as warehouse:
        assert results.latest_run(warehouse, "own") == "20010101-earlier"
        assert results.last_segment_id(warehouse, "own") == 3


def test_ids_that_would_name_other_segments_stay_out(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage(path, "1")
    taken(path)
    folder = stage(path, "2", FIRST)  # As if run 1 had not been.
    assert taken(path) == [("1", "done", 1)]
    assert "were matched with run none of own, and run 1 is the last" in capsys.readouterr().err
    assert folder.is_dir()


def test_a_damaged_one_stays_out_and_hinders_no_other(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = stage(path, "1") / "assignments.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    manifest = stage(path, "2") / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rows_read": 3', '"rows_read": 4'))
    stage(path, "3")
    assert taken(path) == [("3", "done", 1)]
    printed = capsys.readouterr().err
    assert printed.count("\n") == 2
    assert f"{damaged} was changed after saving" in printed
    assert f"{manifest} was changed after saving" in printed
    assert {item.run_id for item in waiting.list_waiting(path)} == {"1", "2"}
    for item in waiting.list_waiting(path):
        waiting.remove_waiting(item)
    assert waiting.list_waiting(path) == []


def test_a_kill_between_the_commit_and_the_removal_writes_nothing_twice(path: Path) -> None:
    folder = stage(path, "1")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    taken(path)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder.parent / ".2.unfinished-0badf00d").mkdir()
    assert taken(path) == [("1", "done", 1)]
    assert [entry.name for entry in folder.parent.iterdir()] == [".lock"]
    with open_warehouse(path) as warehouse:
        assert warehouse.rows("select count(*) from results.assignments") == [(3,)]


def test_a_run_that_could_not_be_recorded(path: Path) -> None:
    with run_lock(path, "1"):
        waiting.stage_begun(path, start("1"))
        assert [status for _, status in waiting.waiting_runs(path)] == ["running"]
        assert taken(path) == [("1", "running", 1)]
    waiting.stage_begun(path, start("2"))
    assert [status for _, status in waiting.waiting_runs(path)] == ["failed"]
    waiting.stage_begun(path, start("3"))
    waiting.stage_failure(path, start("3"), "no rows")
    assert [status for _, status in waiting.waiting_runs(path)] == ["failed", "failed"]
    taken(path)
    with open_warehouse(path) as warehouse:
        errors = dict(
            warehouse.rows("select run_id, error from results.runs where error is not null")
        )
    assert errors["2"].endswith("ended without finishing it")
    assert errors["3"] == "no rows"


def test_rows_of_a_run_wait_too(path: Path) -> None:
    stage(path, "1")
    scored = pd.DataFrame(
        {
            "entity_id": ["0", "9"],
            "partition": "all",
            "segment_id": pd.array([2, None], dtype="Int64"),
            "confidence": 0.25,
            "method": "nearest center",
            "note": pd.array([None, "odd"], dtype="string"),
        }
    )
    first = results.score_rows("1", scored, results.utc_now())
    waiting.stage_rows(path, "scores", "1", *first)
    again = results.score_rows("1", scored.assign(confidence=0.75), results.utc_now())
    waiting.stage_rows(path, "scores", "1", *again)
    waiting.stage_rows(path, "scores", "none", *again)
    with open_for_writing(path) as warehouse:
        assert warehouse.rows("select entity_id, segment_id, confidence from results.scores") == [
            ("0", 2, 0.75)
        ]
    assert [item.run_id for item in waiting.list_waiting(path)] == ["none"]


def test_a_manifest_says_all_that_the_row_of_the_run_needs(path: Path) -> None:
    content = json.loads((stage(path, "1") / "manifest.json").read_text())
    assert content["start"]["source_table"] == "gold.things"
    assert set(content["files"]) == {"assignments.parquet", "segment_registry.parquet"}


def test_whoever_writes_takes_in_what_waits() -> None:
    package = settings.repository() / "models_py"
    openings = {
        f"{file.relative_to(package).as_posix()}: {ast.unparse(call)}"
        for file in package.rglob("*.py")
        if "open_warehouse(" in (text := file.read_text(encoding="utf-8"))
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "open_warehouse"
        and not any(word.arg == "read_only" for word in call.keywords)
    }
    assert openings == {
        # The one that all others go through, and a new file that is not the warehouse yet.
        "database/waiting.py: open_warehouse(path, wait_seconds=wait_seconds, on_wait=on_wait)",
        "database/maintenance/restore.py: open_warehouse(fresh)",
        "database/maintenance/restore.py: open_warehouse(copy)",
    }


def test_a_list_of_runs_shows_what_waits(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage(path, "1")
    taken(path)
    stage(path, "2", Predecessor("1", 2), (1, 2, 2), ())
    assert ask_runs(["runs", "--warehouse", str(path), "--format", "csv"]) == 0
    printed = capsys.readouterr()
    rows = [line.split(",")[:3] for line in printed.out.splitlines()[1:]]
    assert rows == [["2", "own", "waiting"], ["1", "own", "done"]]
    assert printed.err == "waiting: run 2 of own\n"
    with open_warehouse(path, read_only=True) as warehouse:
        with pytest.raises(DataError, match=r"run 2 of own waits in .+2: once no other process"):
            find_run(warehouse, "own", "2")
        assert find_run(warehouse, "own").run_id == "1"
    sql = (settings.sql_dir() / "runs.sql").read_text()
    with duckdb.connect(str(path), read_only=True) as plain:
        assert [row[:3] for row in plain.execute(sql).fetchall()] == [("1", "own", "done")]
