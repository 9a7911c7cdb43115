"""Opening the warehouse file, and everything that is asked of it.

DuckDB lets one process write; a file that another process holds becomes a message that
names the process and the way out. Identifiers are always quoted by the dialect, values
are always bound.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py import settings
from models_py.errors import WarehouseError, WarehouseLockedError, near_match

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import Connection, Engine, Table

POLL_SECONDS = 0.25


class Warehouse:
    """An open warehouse; made by :func:`open_warehouse`.

    Attributes
    ----------
    path
        The DuckDB file.
    connection
        SQLAlchemy connection, the only one to the file in this process.
    """

    def __init__(self, path: Path, engine: Engine, connection: Connection) -> None:
        self.path = path
        self.connection = connection
        self._engine = engine

    @property
    def raw(self) -> Any:
        """The DuckDB connection below SQLAlchemy, for Arrow and data frames."""
        return self.connection.connection.driver_connection

    def quote(self, *names: str) -> str:
        """Return names quoted by the dialect and joined by dots."""
        quote = self._engine.dialect.identifier_preparer.quote_identifier
        return ".".join(quote(name) for name in names)

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
    def transaction(self) -> Iterator[None]:
        """Do all or nothing: commit at the end, roll back on any error or interrupt."""
        with warehouse_errors(self.path), self.connection.begin():
            yield

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
        found = self.rows(
            "select column_name, data_type from duckdb_columns() where database_name ="
            " current_database() and schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        )
        if not found:
            raise WarehouseError(
                f"{self.path.name} has no table {schema}.{name}"
                f"{near_match(f'{schema}.{name}', self.relations())}"
                " (build it with: dbt build --project-dir warehouse)"
            )
        return dict(found)

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
    path: Path | None = None, *, read_only: bool = False, wait_seconds: float = 0.0
) -> Iterator[Warehouse]:
    """Open the warehouse file and close it again.

    Parameters
    ----------
    path
        The DuckDB file; the one of the home unless told.
    read_only
        Several processes may read at once, none while one writes.
    wait_seconds
        How long to wait for another process to let go of the file.

    Raises
    ------
    WarehouseLockedError
        Another process holds the file after the wait.
    WarehouseError
        The file is missing, damaged, read-only or made by a newer DuckDB.
    """
    from sqlalchemy import URL, NullPool, create_engine

    path = path or settings.warehouse_path()
    if not path.is_file():
        raise WarehouseError(
            f"there is no warehouse at {path}: build it with 'dbt build --project-dir warehouse'"
        )
    engine = create_engine(
        URL.create("duckdb", database=str(path)),
        poolclass=NullPool,
        connect_args={"read_only": read_only},
    )
    connection = _connect(engine, path, wait_seconds)
    try:
        yield Warehouse(path, engine, connection)
    finally:
        connection.close()
        engine.dispose()


def _connect(engine: Engine, path: Path, wait_seconds: float) -> Connection:
    until = time.monotonic() + wait_seconds
    while True:
        try:
            with warehouse_errors(path):
                return engine.connect()
        except WarehouseLockedError:
            if time.monotonic() >= until:
                raise
            time.sleep(POLL_SECONDS)


@contextmanager
def warehouse_errors(path: Path) -> Iterator[None]:
    """Turn DuckDB's and SQLAlchemy's errors into one line that says what to do."""
    import duckdb
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise _explained(path, str(error.orig)) from error
    except duckdb.Error as error:
        raise _explained(path, str(error)) from error


def _explained(path: Path, text: str) -> WarehouseError:
    held = re.search(r"Conflicting lock is held in (.+?) \(PID (\d+)\)", text)
    if held:
        return WarehouseLockedError(
            f"{path} is in use by process {held[2]} ({process_command(int(held[2]), held[1])}):"
            " wait until it is done, or stop it, and run the command again"
        )
    if "not a valid DuckDB database file" in text:
        return WarehouseError(
            f"{path} is not a DuckDB database: restore a backup, or move it away and build again"
        )
    if "newer version" in text or "storage version" in text.lower():
        return WarehouseError(f"{path} was made by a newer DuckDB: upgrade the duckdb package")
    if "read-only" in text.lower() or "Permission denied" in text:
        return WarehouseError(f"{path} cannot be written ({_first_line(text)}): check its rights")
    if "No space left" in text:
        return WarehouseError(f"no space is left on the disk of {path}: free some and run again")
    return WarehouseError(f"{path.name}: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "unknown error"


def process_command(process_id: int, program: str) -> str:
    """Return the command line of a process where the system tells it, else its program."""
    try:
        words = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return program
    return " ".join(word.decode(errors="replace") for word in words if word) or program
