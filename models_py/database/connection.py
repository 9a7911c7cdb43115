"""Opening the warehouse file, and everything that is asked of it.

DuckDB lets one process write; a file that another process holds becomes a message that
names the process and the way out. Identifiers are always quoted, values are always bound.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import committed, settings
from models_py.base.errors import (
    CheckpointError,
    WarehouseError,
    WarehouseLockedError,
    first_line_of,
    near_match,
)
from models_py.base.locks import POLL_SECONDS, process_command

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import Connection, Engine, Table

WAIT_SECONDS = 60.0
"""How long a job waits for another process to let go of the file."""

MAINTENANCE_COMMAND = "python scripts/cleanup_temp_tables.py"


QUICK_TEXTS = "set force_compression = 'fsst'"
"""Stores texts by FSST: trying every way takes DuckDB twice as long, for a tenth less on disk."""


def quoted(*names: str) -> str:
    """Return names as SQL identifiers joined by dots, whatever they hold."""
    return ".".join(map(_quoting(), names))


@cache
def _quoting() -> Callable[[str], str]:
    # SQLAlchemy's own. That of DuckDB's dialect is the same but doubles percent signs, which its
    # driver would halve again and the raw connection would not.
    from sqlalchemy.engine.default import DefaultDialect

    return DefaultDialect().identifier_preparer.quote_identifier


class Warehouse:
    """An open warehouse; made by :func:`open_warehouse`.

    Attributes
    ----------
    path
        The DuckDB file.
    raw
        The DuckDB connection, for Arrow and data frames; the only one to the file here.
    """

    def __init__(self, path: Path, raw: Any) -> None:
        self.path = path
        self.raw = raw
        self._engine: Engine | None = None
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The SQLAlchemy connection over :attr:`raw`, made when it is first asked for."""
        if self._connection is None:
            from duckdb_engine import ConnectionWrapper
            from sqlalchemy import NullPool, create_engine

            class Borrowed(ConnectionWrapper):
                # Closed by :meth:`close` alone: the pool would log a signal that meets it there.
                def close(self) -> None:
                    self.closed = True

            wrapped = Borrowed(self.raw)
            # A database that a full disk has stopped cannot be rolled back, nor need it be.
            self._engine = create_engine(
                "duckdb://",
                creator=lambda: wrapped,
                poolclass=NullPool,
                pool_reset_on_return=None,
            )
            self._connection = self._engine.connect()
        return self._connection

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None and self._engine is not None:
            self._connection.close()
            self._engine.dispose()
        self.raw.close()

    def quote(self, *names: str) -> str:
        """Return names quoted and joined by dots."""
        return quoted(*names)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement with bound values (``?``) and fetch all its rows."""
        with warehouse_errors(self.path):
            fetched: list[tuple[Any, ...]] = self.raw.execute(sql, list(parameters)).fetchall()
            return fetched

    def frame(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """Run one statement with bound values (``?``) and fetch a data frame."""
        with warehouse_errors(self.path):
            fetched: pd.DataFrame = self.raw.execute(sql, list(parameters)).df()
            return fetched

    @contextmanager
    def transaction(self, stays: str = "") -> Iterator[None]:
        """Do all or nothing: commit at the end, roll back on any error or interrupt.

        A commit that DuckDB calls durable holds, although the disk was full right after it.

        Parameters
        ----------
        stays
            What is said of it by an ending from then on. At no moment is a commit that held
            passed over: it is said to be under way until this is said of it.
        """
        try:
            with warehouse_errors(self.path), self.connection.begin():
                yield
                committed.begins()
            committed.ended(stays)
        except CheckpointError as error:
            if not error.is_commit:
                committed.ended()
                raise
            committed.ended(stays)
            print(f"note: {error}", file=sys.stderr)
        except Exception as error:
            # Of a commit that an interrupt met, nobody here knows whether it held.
            if not is_of_interrupt(error):
                committed.ended()
            raise

    def create(self, table: Table) -> None:
        """Create a table of the contract where it is not there yet."""
        from sqlalchemy.schema import CreateTable

        with warehouse_errors(self.path):
            self.connection.execute(CreateTable(table, if_not_exists=True))

    def append(self, table: Table, rows: pa.Table) -> None:
        """Insert Arrow rows by column name; inside the open transaction, where there is one."""
        if rows.num_rows == 0:
            return
        columns = ", ".join(self.quote(name) for name in rows.column_names)
        target = self.quote(table.schema or "main", table.name)
        with warehouse_errors(self.path):
            self.raw.register("appended_rows", rows)
            try:
                self.raw.execute(f"insert into {target} ({columns}) select * from appended_rows")
            finally:
                self.raw.unregister("appended_rows")

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Return column names and types of a table or view.

        Raises
        ------
        WarehouseError
            The relation does not exist; the message names the nearest one.
        """
        records = self.rows(
            "select column_name, data_type from duckdb_columns() where database_name ="
            " current_database() and schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        )
        if not records:
            raise WarehouseError(
                f"{self.path.name} has no table {schema}.{name}"
                f"{near_match(f'{schema}.{name}', self.relations())}"
                " (build it with: dbt build --project-dir warehouse)"
            )
        return dict(records)

    def has_table(self, schema: str, name: str) -> bool:
        """Return whether a table is there."""
        return bool(
            self.rows(
                "select 1 from duckdb_tables() where database_name = current_database()"
                " and schema_name = ? and table_name = ?",
                [schema, name],
            )
        )

    def columns_of(self, schema: str) -> dict[str, list[str]]:
        """Return the column names of every table and view of a schema."""
        return dict(
            self.rows(
                "select table_name, list(column_name order by column_index) from duckdb_columns()"
                " where database_name = current_database() and schema_name = ? group by 1",
                [schema],
            )
        )

    def relations(self) -> list[str]:
        """Return every table and view as ``schema.name``."""
        return [
            f"{schema}.{name}"
            for schema, name in self.rows(
                "select table_schema, table_name from information_schema.tables"
                " where table_catalog = current_database() order by all"
            )
        ]


@contextmanager
def open_warehouse(
    path: Path | None = None,
    *,
    read_only: bool = False,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Warehouse]:
    """Open the warehouse file and close it again.

    Parameters
    ----------
    path
        The DuckDB file; the one of the home by default.
    read_only
        Several processes may read at once, none while one writes.
    wait_seconds
        How long to wait for another process to let go of the file.
    on_wait
        Called once with who is waited for.

    Raises
    ------
    WarehouseLockedError
        Another process holds the file after the wait.
    WarehouseError
        The file is missing, damaged, read-only or made by a newer DuckDB.
    """
    path = path or settings.warehouse_path()
    require_file(path)
    warehouse = Warehouse(path, _connect(path, read_only, wait_seconds, on_wait))
    try:
        yield warehouse
    finally:
        warehouse.close()


def require_file(path: Path) -> None:
    """Refuse a warehouse file that is not there.

    Raises
    ------
    WarehouseError
        It is missing; says how to build it.
    """
    if path.is_dir():
        raise WarehouseError(f"{path} is a folder: name the DuckDB file in it")
    if not path.is_file():
        raise WarehouseError(
            f"there is no warehouse at {path}: build it with 'dbt build --project-dir warehouse'"
        )


def _connect(
    path: Path, read_only: bool, wait_seconds: float, on_wait: Callable[[str], None] | None
) -> Any:
    until = time.monotonic() + wait_seconds
    while True:
        try:
            return _connect_current(path, read_only)
        except WarehouseLockedError as error:
            if wait_seconds <= 0:
                raise
            if on_wait is not None:
                on_wait(f"waiting up to {wait_seconds:g} s: {error}")
                on_wait = None
            if time.monotonic() >= until:
                raise WarehouseLockedError(f"{error} (waited {wait_seconds:g} s)") from error
            time.sleep(POLL_SECONDS)


def _connect_current(path: Path, read_only: bool) -> Any:
    # A compaction swaps the file by a rename. The lock is on the file, not on its name: a
    # process that opened the old file just before the swap and got its lock just after would
    # write into a file that has no name any more.
    import duckdb

    while True:
        with warehouse_errors(path):
            before = _file_identity(path)
            raw = duckdb.connect(str(path), read_only=read_only)
            if _file_identity(path) == before:
                return raw
            raw.close()


def _file_identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise WarehouseError(f"{path} cannot be read ({error.strerror})") from error
    return status.st_dev, status.st_ino


@contextmanager
def warehouse_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's and SQLAlchemy's errors into one line that says what to do."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise explained(path, str(error)) from error
    except Exception as error:
        # SQLAlchemy is imported only where something used it: then its errors are known.
        from sqlalchemy.exc import DBAPIError

        if isinstance(error, DBAPIError):
            raise explained(path, str(error.orig)) from error
        raise


def is_of_interrupt(error: BaseException) -> bool:
    """Return whether an interrupt made this error, as of a rollback that it set off."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt) or "interrupted" in str(seen).casefold():
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def explained(path: Path, text: str) -> WarehouseError:
    """Return the error to raise for what DuckDB said about a file."""
    first = first_line_of(text or "unknown error")
    held = re.search(r"Conflicting lock is held in (.+?) \(PID (\d+)\)", text)
    if held:
        return WarehouseLockedError(
            f"{path} is in use by process {held[2]} ({process_command(int(held[2]), held[1])}):"
            " wait until it is done, or stop it, and run the command again"
        )
    if "Could not set lock on file" in text or "different configuration" in text:
        return WarehouseLockedError(
            f"{path} is in use ({first}): close what holds it and run again"
        )
    if re.search("COMMIT succeeded and is durable|Failed to create checkpoint", text):
        return _checkpoint_error(path, text)
    for pattern, said in _KNOWN.items():
        if re.search(pattern, text, re.IGNORECASE):
            return WarehouseError(said.format(path=path, text=first))
    return WarehouseError(f"{path.name}: {first}")


def _checkpoint_error(path: Path, text: str) -> CheckpointError:
    reason = text.strip().rpartition(": ")[2].strip('"').lower()
    error = CheckpointError(
        f"{path}: what was committed is safe in {path.name}.wal, but could not be folded into the"
        f" file ({reason}): free some space; the next command that opens it goes on from there"
    )
    error.is_commit = "COMMIT succeeded" in text and "has been invalidated" not in text
    return error


_BACK = f"restore a backup into its place: {MAINTENANCE_COMMAND} --restore FOLDER"
_KNOWN = {
    "newer version of DuckDB|storage version": (
        "{path} was made by a newer DuckDB than this one: upgrade with 'pip install -U duckdb'"
    ),
    "not a valid DuckDB database file|sqlite_scanner": (
        "{path} is not a DuckDB database: move it away, then build again or " + _BACK
    ),
    "Corrupt database file|Could not read enough bytes|failed to load checkpoint": (
        "{path} is damaged ({text}): move it away, then build again or " + _BACK
    ),
    "No space left on device|File too large|not enough disk space": (
        "no space is left on the disk of {path}: nothing of this step was kept; free some and"
        " run again"
    ),
    "read-only mode|Read-only file system|Permission denied|Operation not permitted": (
        "{path} cannot be opened or written ({text}): check its rights and its folder's"
    ),
}
