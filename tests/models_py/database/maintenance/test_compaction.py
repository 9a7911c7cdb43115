from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from maintained_warehouse import build, everything

from models_py.base.errors import WarehouseError, WarehouseLockedError
from models_py.database.connection import open_warehouse
from models_py.database.maintenance import compaction, fsync
from models_py.database.maintenance.compaction import COPY_SUFFIX, compact


def bloat(path: Path) -> None:
    with duckdb.connect(str(path)) as raw:
        raw.execute(
            "create table bloat as select range as a, md5(range::varchar) as b from range(300000)"
        )
        raw.execute("checkpoint; drop table bloat; checkpoint")


def test_the_file_shrinks_and_holds_the_same(tmp_path: Path) -> None:
    path = build(tmp_path, runs=1)
    bloat(path)
    path.chmod(0o640)
    before = everything(path)
    done = compact(path)
    assert done.bytes_after == path.stat().st_size < done.bytes_before
    assert everything(path) == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name]


def test_comments_indexes_and_storage_version_stay(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect() as raw:
        raw.execute(f"attach '{path}' as w (storage_version 'v1.2.0', block_size 16384)")
        raw.execute("create table w.t(a int primary key); comment on table w.t is 'c'")
        raw.execute("create sequence w.s start 5; create macro w.m(x) as x + 1")
        raw.execute("insert into w.t from range(100)")
    facts = (
        "select t.comment, d.tags['storage_version'], p.block_size from duckdb_tables() as t"
        " join duckdb_databases() as d using (database_name)"
        " join pragma_database_size() as p using (database_name) where t.table_name = 't'"
    )
    with duckdb.connect(str(path), read_only=True) as raw:
        before = raw.execute(facts).fetchall()
    compact(path)
    with duckdb.connect(str(path)) as raw:
        assert raw.execute(facts).fetchall() == before
        assert raw.execute("select m(nextval('s'))").fetchone() == (6,)
        with pytest.raises(duckdb.ConstraintException):
            raw.execute("insert into t values (1)")


def test_the_link_stays_a_link(tmp_path: Path) -> None:
    path = build(tmp_path)
    link = tmp_path / "link.duckdb"
    link.symlink_to(path)
    compact(link)
    assert link.is_symlink()
    assert path.is_file()


def test_a_copy_that_differs_does_not_take_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build(tmp_path)
    before, number = everything(path), path.stat().st_ino

    def wrong(copy: Path) -> None:
        with duckdb.connect(str(copy)) as raw:
            raw.execute("delete from silver.shop_lines where line_id = 70")

    # The copy goes bad between writing and reading back, as on a failing disk.
    monkeypatch.setattr(fsync, "sync_file", wrong)
    with pytest.raises(WarehouseError, match="nothing was compacted, the copy differs"):
        compact(path)
    assert path.stat().st_ino == number
    assert everything(path) == before
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name]


def test_what_cannot_be_copied_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute("create table p(a int primary key); create table a(b int references p(a))")
        raw.execute("insert into p values (1); insert into a values (1)")
        # Which table is copied first is DuckDB's: of many, one comes before its parent.
        for number in range(20):
            raw.execute(f"create table a{number}(b int references p(a))")
            raw.execute(f"insert into a{number} values (1)")
    before = everything(path)
    with pytest.raises(WarehouseError) as error:
        compact(path)
    assert "\n" not in str(error.value)
    assert everything(path) == before
    assert sorted(item.name for item in tmp_path.iterdir()) == [path.name]


def test_too_little_space_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build(tmp_path)
    monkeypatch.setattr(fsync, "SPARE_BYTES", 2**60)
    with pytest.raises(WarehouseError, match="the compaction needs"):
        compact(path)


def test_leftovers_of_a_killed_compaction_go(tmp_path: Path) -> None:
    path = build(tmp_path)
    left = path.with_name(path.name + COPY_SUFFIX)
    left.write_bytes(b"half")
    left.with_name(left.name + ".wal").write_bytes(b"half")
    compact(path)
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name]


TRY_TO_WRITE = """
import sys
from pathlib import Path
from models_py.database.connection import open_warehouse
from models_py.base.errors import WarehouseLockedError
path = Path(sys.argv[1])
try:
    with open_warehouse(path, read_only=sys.argv[2] == "read") as warehouse:
        print(warehouse.rows("select count(*) from silver.shop_lines")[0][0])
except WarehouseLockedError as error:
    print("locked:", error)
"""


def _other_process(path: Path, manner: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", TRY_TO_WRITE, str(path), manner],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.stdout


def test_nobody_writes_between_the_copy_and_the_swap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build(tmp_path)
    seen: list[str] = []
    swap = compaction._swap

    def swap_with_others(copy: Path, target: Path) -> None:
        seen.append(_other_process(path, "write"))
        seen.append(_other_process(path, "read"))
        swap(copy, target)

    monkeypatch.setattr(compaction, "_swap", swap_with_others)
    compact(path)
    assert str(os.getpid()) in seen[0]
    assert seen[0].startswith("locked:")
    assert seen[1].strip().isdigit()
    assert _other_process(path, "write") == seen[1]


def test_a_writer_of_the_new_file_keeps_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process commits right after the swap is there when the compaction ends."""
    path = build(tmp_path)
    words = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        " c.execute('create table written_after as select 42 as a'); os._exit(9)"
    )

    def write(_: float) -> None:
        done = subprocess.run([sys.executable, "-c", words, str(path)], check=False)
        assert done.returncode == 9
        assert path.with_name(path.name + ".wal").exists()

    monkeypatch.setattr(compaction.time, "sleep", write)
    compact(path)
    with open_warehouse(path) as warehouse:
        assert warehouse.rows("select a from written_after") == [(42,)]


def test_a_held_file_stops_the_compaction(tmp_path: Path) -> None:
    path = build(tmp_path)
    words = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True);"
        " sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", words, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(WarehouseLockedError, match=f"process {other.pid}"):
            compact(path)
        other.communicate("")
    compact(path)
