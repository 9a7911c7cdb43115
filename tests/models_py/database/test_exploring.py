"""Copies of the warehouse that no writer waits for, and rooms that answer ``select`` only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from held_warehouse import held

from models_py.base.errors import DataError, WarehouseError
from models_py.database.exploring import Bins, Room, RoomPlan, Snapshot, take_snapshot
from models_py.database.results import utc_now

TABLES = """
create schema gold; create schema results;
create table gold.things as select range as id, range % 4 as amount, 'w' || range % 3 as word,
    range % 2 = 0 as is_even from range(40);
create table results.assignments as
    select 'now' as run_id, range::varchar as entity_id, 1 + range // 18 as segment_id,
        false as is_outlier from range(40)
    union all
    select 'before', range::varchar, 1 + range // 36, false from range(38);
checkpoint
"""
WRITES = (
    "import duckdb, sys; c = duckdb.connect(sys.argv[1]);"
    " c.execute('create table gold.more as select 7 as seven');"
    " c.execute('begin'); c.execute('insert into gold.more values (8)');"
    " print('open', flush=True); sys.stdin.read()"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(TABLES)
    return path


def plan(**changes: object) -> RoomPlan:
    asked: dict[str, object] = {
        "run_id": "now",
        "before_id": None,
        "schema": "gold",
        "table": "things",
        "entity": "id",
        "numbers": ("amount",),
        "words": ("word",),
        "answers": ("is_even",),
        "missing": {"amount": [3.0]},
        "rare": {"word": ["w2"]},
        "rare_word": "(rare)",
        "withheld": frozenset({3}),
        "withheld_before": frozenset(),
    }
    return RoomPlan(**{**asked, **changes})  # type: ignore[arg-type]


def test_a_copy_has_what_was_committed_while_a_writer_is_at_work(
    path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    command = [sys.executable, "-c", WRITES, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        snapshot = take_snapshot(path, folder)
        assert writer.poll() is None
        with duckdb.connect(str(snapshot.path), read_only=True) as database:
            assert database.execute("from gold.more").fetchall() == [(7,)]
        assert writer.stdin is not None
        writer.stdin.close()
    assert (utc_now() - snapshot.taken_at).total_seconds() < 60


def test_a_writer_begins_while_a_room_is_open(path: Path, tmp_path: Path) -> None:
    room = Room(plan(), take_snapshot(path, tmp_path))
    with held(path):
        assert room.fetch("select count(*) from customers") == [(36,)]
    room.close()


def test_what_cannot_be_copied_says_what_to_do(path: Path, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="there is no warehouse at"):
        take_snapshot(tmp_path / "none.duckdb", tmp_path)
    with pytest.raises(WarehouseError, match="name another folder with TMPDIR"):
        take_snapshot(path, tmp_path / "none")


def test_a_room_leaves_out_what_is_withheld(path: Path, tmp_path: Path) -> None:
    hidden = plan(before_id="before", withheld_before=frozenset({2}))
    room = Room(hidden, take_snapshot(path, tmp_path))
    assert room.fetch("select distinct _segment_id from customers order by 1") == [(1,), (2,)]
    assert room.fetch("select distinct _segment_before from customers order by 1") == [(1,)]
    assert room.fetch("select distinct amount from customers order by 1") == [
        (0,),
        (1,),
        (2,),
        (None,),
    ]
    assert room.fetch("select distinct word from customers order by 1") == [
        ("(rare)",),
        ("w0",),
        ("w1",),
    ]


def test_numbers_get_their_bars(path: Path, tmp_path: Path) -> None:
    room = Room(plan(), take_snapshot(path, tmp_path))
    room.prepare({"amount": Bins(0.0, 1.0, 2)}, {"word": ["w0", "w1", "(rare)"]})
    bars = room.fetch("select distinct amount, _bin_0 from customers order by all")
    assert bars == [(0, 0), (1, 1), (2, None), (None, None)]
    assert room.fetch("select count(*) from customers where word = 'w1'") == [(12,)]


def test_a_question_that_takes_too_long_is_stopped(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models_py.database.exploring.QUERY_SECONDS", 0.05)
    room = Room(plan(), take_snapshot(path, tmp_path))
    with pytest.raises(DataError, match="took over"):
        room.fetch("select sum(a.range * b.range) from range(100000) a, range(100000) b")
    assert room.fetch("select 1") == [(1,)]


def test_a_broken_copy_is_no_snapshot(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.duckdb"
    wrong.write_bytes(b"no database at all")
    with pytest.raises(WarehouseError, match="not a DuckDB"):
        Room(plan(), Snapshot(wrong, utc_now()))
