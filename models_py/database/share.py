"""A copy of gold and results for readers, so that none of them ever stops a writer.

DuckDB lets nobody read a file that a process writes, nor write one that is read. The copy lies at
``share/`` beside the warehouse and is swapped as a whole by a rename: who has it open keeps what
was there, who opens it next gets the new one. Only tables that changed are copied again.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from models_py.base import locks
from models_py.base.errors import WarehouseError
from models_py.base.sql_text import literal
from models_py.database.connection import (
    QUICK_TEXTS,
    Warehouse,
    quoted,
    require_file,
    warehouse_errors,
)

FOLDER = "share"
SCHEMAS = ("gold", "results")
ABOUT = '"share"."about"'
"""What was copied: ``relation``, ``rows``, ``fingerprint`` and ``copied_at`` (UTC)."""
SOURCE = "warehouse_file"


@dataclass(frozen=True)
class Shared:
    """What a copy took.

    Attributes
    ----------
    file
        The copy.
    copied
        Relations that were copied again, as ``schema.name``.
    removed
        Those that are no longer in the warehouse.
    """

    file: Path
    copied: tuple[str, ...]
    removed: tuple[str, ...]


def share_file(path: Path) -> Path:
    """Return the copy of a warehouse; it need not be there."""
    return path.parent / FOLDER / path.name


def share(path: Path) -> Shared:
    """Bring the copy of a warehouse up to date.

    Parameters
    ----------
    path
        The DuckDB file; nobody writes it meanwhile.

    Raises
    ------
    WarehouseError
        Another process holds the warehouse, or the copy cannot be written; the copy that is there
        stays as it is.
    """
    require_file(path)
    file = share_file(path)
    unfinished = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(exist_ok=True)
        with locks.hold(file.with_name(f".{file.name}.lock")):
            try:
                return _share(path, file, unfinished)
            finally:
                with suppress(OSError):
                    unfinished.unlink(missing_ok=True)
    except locks.HeldError as error:
        raise WarehouseError(f"{file} is being written by {error}") from error
    except OSError as error:
        raise WarehouseError(f"{file} cannot be written ({error.strerror or error})") from error


def _share(path: Path, file: Path, unfinished: Path) -> Shared:
    import duckdb

    if file.is_file():
        shutil.copyfile(file, unfinished)
    with warehouse_errors(path):
        copy = Warehouse(unfinished, duckdb.connect(str(unfinished)))
    with closing(copy):
        copy.rows(QUICK_TEXTS)
        copy.rows(f"attach {literal(str(path))} as {SOURCE} (read_only)")
        copied, removed = _bring_up_to_date(copy)
        copy.rows(f"detach {SOURCE}")
        copy.rows("checkpoint")
    if copied or removed or not file.is_file():
        os.replace(unfinished, file)
    return Shared(file, copied, removed)


def _bring_up_to_date(copy: Warehouse) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # Literals here and below: the first bound value makes DuckDB's package import pandas, for which
    # every command that writes would wait.
    copy.rows('create schema if not exists "share"')
    copy.rows(
        f"create table if not exists {ABOUT}"
        " (relation varchar, rows bigint, fingerprint varchar, copied_at timestamp)"
    )
    before = dict(copy.rows(f"select relation, fingerprint from {ABOUT}"))
    there = {
        f"{schema}.{name}": (schema, name)
        for schema, name in copy.rows(
            "select table_schema, table_name from information_schema.tables"
            f" where table_catalog = '{SOURCE}'"
            f" and table_schema in ({', '.join(map(literal, SCHEMAS))}) order by all"
        )
    }
    copied = []
    for relation, names in there.items():
        rows, fingerprint = _fingerprint(copy, *names)
        if before.get(relation) != fingerprint:
            _copy(copy, *names)
            _note(copy, relation, rows, fingerprint)
            copied.append(relation)
    removed = sorted(set(before) - set(there))
    for relation in removed:
        schema, _, name = relation.partition(".")
        copy.rows(f"drop table if exists {quoted(schema, name)}")
        copy.rows(f"delete from {ABOUT} where relation = {literal(relation)}")
    return tuple(copied), tuple(removed)


def _fingerprint(copy: Warehouse, schema: str, name: str) -> tuple[int, str]:
    columns = copy.rows(
        f"select column_name, data_type from duckdb_columns() where database_name = '{SOURCE}'"
        f" and schema_name = {literal(schema)} and table_name = {literal(name)}"
        " order by column_index"
    )
    hashed = ", ".join(quoted(column) for column, _ in columns)
    ((rows, summed, kinds),) = copy.rows(
        f"select count(*), coalesce(sum(hash({hashed})::hugeint), 0), hash({literal(str(columns))})"
        f" from {quoted(SOURCE, schema, name)}"
    )
    return int(rows), f"{rows}-{summed:x}-{kinds:x}"


def _copy(copy: Warehouse, schema: str, name: str) -> None:
    # Views become tables: who reads the copy needs nothing of the warehouse.
    copy.rows(f"create schema if not exists {quoted(schema)}")
    copy.rows(
        f"create or replace table {quoted(schema, name)} as from {quoted(SOURCE, schema, name)}"
    )


def _note(copy: Warehouse, relation: str, rows: int, fingerprint: str) -> None:
    copy.rows(f"delete from {ABOUT} where relation = {literal(relation)}")
    copy.rows(
        f"insert into {ABOUT} values"
        f" ({literal(relation)}, {rows}, {literal(fingerprint)}, now() at time zone 'UTC')"
    )
