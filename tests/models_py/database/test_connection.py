from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tests.held_warehouse import held

from models_py.base.errors import WarehouseError, WarehouseLockedError
from models_py.base.sql_text import literal
from models_py.database import connection
from models_py.database.connection import Warehouse, open_warehouse, quoted


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small database file."""
    file = tmp_path / "small.duckdb"
    with duckdb.connect(str(file)) as raw:
        raw.execute(
            "create schema gold; create table gold.customers as select range as a from range(1000)"
        )
    return file


def refused(path: Path, **manner: object) -> str:
    with (
        pytest.raises(WarehouseError) as error,
        open_warehouse(path, **manner) as warehouse,  # type: ignore[arg-type]
    ):
        warehouse.rows("select sum(a) from gold.customers")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_locked_file_names_the_process_and_its_command(path: Path) -> None:
    with held(path, "write") as other:
        said = refused(path)
    assert f"in use by process {other.pid}" in said
    assert "import duckdb, sys" in said
    assert "wait until it is done, or stop it" in said


def test_waiting_says_who_for_and_gives_up(path: Path) -> None:
    texts: list[str] = []
    with held(path, "write") as other:
        said = refused(path, wait_seconds=0.3, on_wait=texts.append)
    assert "(waited 0.3 s)" in said
    assert len(texts) == 1
    assert f"process {other.pid}" in texts[0]


def test_waiting_ends_when_the_file_is_free(path: Path) -> None:
    with held(path, "write") as other:
        assert other.stdin is not None
        release = other.stdin.close
        with open_warehouse(path, wait_seconds=60, on_wait=lambda _: release()) as warehouse:
            assert warehouse.rows("select count(*) from gold.customers") == [(1000,)]


def test_readers_share_the_file(path: Path) -> None:
    with held(path, "read"), open_warehouse(path, read_only=True) as warehouse:
        assert warehouse.rows("select count(*) from gold.customers") == [(1000,)]
    with held(path, "read"), pytest.raises(WarehouseLockedError), open_warehouse(path):
        pass


def test_a_file_swapped_while_it_was_opened_is_opened_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as raw:
        raw.execute("create schema gold; create table gold.customers as select 7 as a")
    connect = duckdb.connect

    def swap_in_between(name: str, read_only: bool) -> duckdb.DuckDBPyConnection:
        opened = connect(name, read_only=read_only)
        if other.exists():
            os.replace(other, path)
        return opened

    monkeypatch.setattr(duckdb, "connect", swap_in_between)
    with open_warehouse(path) as warehouse:
        assert warehouse.rows("select a from gold.customers") == [(7,)]


def test_a_missing_file_says_how_to_build_it(tmp_path: Path) -> None:
    assert "dbt build" in refused(tmp_path / "none.duckdb")


def damage(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


@pytest.mark.parametrize("content", [b"", b"id,name\n1,a\n" * 1000])
def test_another_kind_of_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is not a DuckDB database: move it away" in refused(path)


@pytest.mark.parametrize("size", [5000, 12288 + 100])
def test_a_truncated_file(path: Path, size: int) -> None:
    os.truncate(path, size)
    said = refused(path)
    assert "is damaged" in said
    assert "--restore FOLDER" in said


@pytest.mark.parametrize("at", [3, 4096 + 100, 12288 + 200])
def test_a_flipped_byte(path: Path, at: int) -> None:
    content = path.read_bytes()
    damage(path, at, bytes([content[at] ^ 0xFF]))
    assert "is damaged" in refused(path)


def test_a_file_of_a_newer_duckdb(path: Path) -> None:
    header = bytearray(path.read_bytes()[:4096])
    header[12:20] = struct.pack("<Q", 99)
    # DuckDB's own checksum of a block: the file is whole, only newer.
    total = 5381
    for (word,) in struct.iter_unpack("<Q", bytes(header[8:])):
        total ^= (word * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    header[:8] = struct.pack("<Q", total)
    damage(path, 0, bytes(header))
    said = refused(path)
    assert "was made by a newer DuckDB" in said
    assert "pip install -U duckdb" in said


def test_writing_to_a_file_opened_for_reading(path: Path) -> None:
    with (
        open_warehouse(path, read_only=True) as warehouse,
        pytest.raises(WarehouseError, match="cannot be opened or written"),
    ):
        warehouse.rows("create table x as select 1 as a")


def _fill(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    with open_warehouse(Path(path)) as warehouse:
        try:
            with warehouse.transaction():
                warehouse.rows("delete from gold.customers where a < 500")
                warehouse.rows(
                    "create table big as select range as a, md5(range::varchar) as b"
                    " from range(1000000)"
                )
        except WarehouseError as error:
            print(error)


def test_a_full_disk_loses_nothing(path: Path) -> None:
    """The system refuses to let the file grow, as a full disk does."""
    words = f"import test_connection as t; t._fill({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )
    assert "no space is left" in done.stdout
    assert done.stdout.count("\n") == 1
    with open_warehouse(path) as warehouse:
        assert warehouse.rows("select count(*) from gold.customers") == [(1000,)]
        assert warehouse.relations() == ["gold.customers"]


def _delete_and_interrupt(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        warehouse.rows("delete from gold.customers")
        raise KeyboardInterrupt


def test_a_transaction_rolls_back_on_an_interrupt(path: Path) -> None:
    with open_warehouse(path) as warehouse:
        with pytest.raises(KeyboardInterrupt):
            _delete_and_interrupt(warehouse)
        assert warehouse.rows("select count(*) from gold.customers") == [(1000,)]


def test_a_missing_table_names_the_nearest(path: Path) -> None:
    with (
        open_warehouse(path) as warehouse,
        pytest.raises(WarehouseError, match=r"did you mean 'gold\.customers'"),
    ):
        warehouse.columns("gold", "customer")


@pytest.mark.parametrize("text", ["it's", 'a"b', "a\\", "'; drop table x; --", "%s", "", "ß€"])
def test_names_and_texts_are_quoted(path: Path, text: str) -> None:
    with open_warehouse(path) as warehouse:
        assert warehouse.rows(f"select {literal(text)}") == [(text,)]
        if text:
            warehouse.rows(f"create table {quoted('gold', text)} as select 1 as {quoted(text)}")
            assert f"gold.{text}" in warehouse.relations()


def test_the_command_of_a_process_that_is_gone_is_its_program() -> None:
    assert connection.process_command(2**22 + 1, "/usr/bin/python3") == "/usr/bin/python3"
