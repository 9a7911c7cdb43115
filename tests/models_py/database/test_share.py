"""The readers' copy: what the warehouse has, swapped whole, only what changed copied again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from held_warehouse import held

from models_py.base import committed, settings
from models_py.base.errors import WarehouseError
from models_py.commands.sharing import share_opened
from models_py.database.share import Shared, share, share_file

READERS, EACH = 5, 10
READER = """
import sys, threading, duckdb
file, each = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
problems = []
def read():
    while not stopped.is_set():
        with duckdb.connect(file, read_only=True) as raw:
            (rows, highest, lowest), = raw.execute(
                "select (select count(*) from gold.clients), max(version), min(version)"
                " from results.runs").fetchall()
            if rows != 1000 or highest != lowest:
                problems.append((rows, highest, lowest))
            seen.add(highest)
stopped, seen = threading.Event(), set()
threads = [threading.Thread(target=read) for _ in range(each)]
[thread.start() for thread in threads]
sys.stdin.readline()
stopped.set()
[thread.join() for thread in threads]
print(len(problems), len(seen))
"""


def write(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as raw:
        for statement in statements:
            raw.execute(statement)


def ask(path: Path, question: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as raw:
        return raw.execute(question).fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "it's.duckdb"
    write(
        path,
        "create schema gold; create schema results; create schema silver",
        "create table gold.clients as select range as id, range % 7 as visits from range(1000)",
        "create table silver.lines as select 1 as line",
        "create table results.runs as select range as run, 1 as version from range(20)",
        "create view results.shop_latest as select id, run from gold.clients, results.runs"
        " where run = 0",
    )
    return path


def test_gold_and_results_are_there_and_nothing_else(path: Path) -> None:
    shared = share(path)
    assert shared == Shared(
        share_file(path), ("gold.clients", "results.runs", "results.shop_latest"), ()
    )
    for relation in shared.copied:
        question = f"select * from {relation} order by all"
        assert ask(shared.file, question) == ask(path, question)
    schemas = ask(shared.file, "select distinct table_schema from information_schema.tables")
    assert set(schemas) == {("gold",), ("results",), ("share",)}
    assert ask(shared.file, "select rows from share.about where relation = 'gold.clients'") == [
        (1000,)
    ]
    assert [file.name for file in path.parent.glob("share/*.part")] == []


@pytest.mark.parametrize(
    ("change", "copied"),
    [
        ("select 1", ()),
        ("update gold.clients set visits = visits + 1 where id = 3", ("gold.clients",)),
        ("alter table gold.clients rename visits to visit_count", ("gold.clients",)),
        ("insert into results.runs values (99, 1)", ("results.runs",)),
        ("create table gold.stores as select 1 as store", ("gold.stores",)),
        ("insert into silver.lines values (2)", ()),
    ],
)
def test_only_what_changed_is_copied_again(
    path: Path, change: str, copied: tuple[str, ...]
) -> None:
    first = share(path)
    before = first.file.stat().st_mtime_ns
    write(path, change)
    second = share(path)
    assert set(second.copied) == set(copied)
    assert (second.file.stat().st_mtime_ns != before) == bool(copied)


def test_what_is_gone_goes(path: Path) -> None:
    share(path)
    write(path, "drop view results.shop_latest")
    assert share(path).removed == ("results.shop_latest",)
    with pytest.raises(duckdb.CatalogException):
        ask(share_file(path), "select * from results.shop_latest")


def test_a_reader_keeps_what_it_opened(path: Path) -> None:
    file = share(path).file
    with duckdb.connect(str(file), read_only=True) as reader:
        write(path, "delete from gold.clients where id >= 10")
        share(path)
        assert reader.execute("select count(*) from gold.clients").fetchall() == [(1000,)]
    assert ask(file, "select count(*) from gold.clients") == [(10,)]


def test_a_held_warehouse_leaves_the_copy_and_the_command_alone(
    path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(settings.SHARE_VARIABLE, "1")
    share(path)
    write(path, "delete from gold.clients where id >= 10")
    with held(path):
        with pytest.raises(WarehouseError, match="in use"):
            share(path)
        committed.opened(path)
        assert share_opened() == 0
    assert "note: the copy for readers is as it was" in capsys.readouterr().err
    assert ask(share_file(path), "select count(*) from gold.clients") == [(1000,)]
    monkeypatch.setenv(settings.SHARE_VARIABLE, "0")
    committed.opened(path)
    assert share_opened() == 0
    assert capsys.readouterr().err == ""
    assert ask(share_file(path), "select count(*) from gold.clients") == [(1000,)]


@pytest.mark.heavy
def test_fifty_readers_stop_no_writer(path: Path) -> None:
    file = share(path).file
    command = [sys.executable, "-c", READER, str(file), str(EACH)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(READERS)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    for version in range(2, 8):
        write(path, f"update results.runs set version = {version}")
        assert share(path).copied == ("results.runs",)
    for reader in readers:
        said, _ = reader.communicate("stop\n", timeout=30)
        assert said.split()[0] == "0"
        assert reader.returncode == 0
    assert ask(file, "select max(version) from results.runs") == [(7,)]


def test_what_is_shared_needs_no_pandas(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from models_py.database.share import share;"
        " copied = share(Path(sys.argv[1])).copied; print(len(copied), 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3", "False"]
