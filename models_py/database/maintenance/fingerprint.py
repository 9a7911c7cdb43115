"""Proof that two tables hold the same rows: how many, and a hash over all their values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models_py.base.progress import Progress, Silent
from models_py.base.sql_text import literal
from models_py.database.connection import Warehouse, quoted
from models_py.database.maintenance.catalog import Name, count_rows

_PLAIN_TYPES = {
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "VARCHAR", "BLOB"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "DATE", "TIME", "UUID"),
    *("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
}


@dataclass(frozen=True)
class Fingerprint:
    """A table's content.

    Attributes
    ----------
    rows
        How many.
    content
        Sum over the rows of a 64-bit hash of each row's values, in decimal: the same whatever
        the order of the rows, another one when a value or a repeated row differs. Empty where
        no value was read.
    columns
        Names and types in order.
    """

    rows: int
    content: str
    columns: tuple[tuple[str, str], ...]


def take_fingerprints(
    warehouse: Warehouse,
    database: str,
    names: Sequence[Name],
    progress: Progress | None = None,
    without_runs: Mapping[Name, Sequence[str]] | None = None,
) -> dict[Name, Fingerprint]:
    """Read whole tables and return their fingerprints; a table that is not there has none.

    Parameters
    ----------
    warehouse
        The open warehouse.
    database
        The attached database that holds the tables.
    names
        The tables.
    progress
        Called with how many are done.
    without_runs
        By table: rows with these ``run_id`` are left out.
    """
    progress = progress or Silent()
    columns = _columns(warehouse, database)
    taken = {}
    for done, name in enumerate(names):
        progress.advance(done, len(names))
        if name not in columns:
            continue
        left_out = (without_runs or {}).get(name, ())
        rows, content = _content(warehouse, database, name, columns[name], left_out)
        taken[name] = Fingerprint(rows, content, columns[name])
    return taken


def count_and_type(
    warehouse: Warehouse, database: str, names: Sequence[Name]
) -> dict[Name, Fingerprint]:
    """Return rows and columns of tables without reading a value: the content stays empty."""
    columns, rows = _columns(warehouse, database), count_rows(warehouse, names, database)
    return {name: Fingerprint(rows[name], "", columns[name]) for name in names}


def _columns(warehouse: Warehouse, database: str) -> dict[Name, tuple[tuple[str, str], ...]]:
    records = warehouse.rows(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        f" where database_name = {literal(database)} and not internal"
        " order by schema_name, table_name, column_index"
    )
    columns: dict[Name, list[tuple[str, str]]] = defaultdict(list)
    for schema, table, column, kind in records:
        columns[Name(schema, table)].append((str(column), str(kind)))
    return {name: tuple(some) for name, some in columns.items()}


def _content(
    warehouse: Warehouse,
    database: str,
    name: Name,
    columns: Sequence[tuple[str, str]],
    without_runs: Sequence[str],
) -> tuple[int, str]:
    values = ", ".join(_exact(column, kind) for column, kind in columns)
    source = quoted(database, name.schema, name.name)
    kept = " where not list_contains(?, run_id)" if without_runs else ""
    records = warehouse.rows(
        f"select count(*), coalesce(sum(hash({values})), 0)::varchar from {source}{kept}",
        [list(without_runs)] if without_runs else [],
    )
    rows, content = records[0]
    return int(rows), str(content)


def _exact(column: str, kind: str) -> str:
    """Return what is hashed of a column.

    DuckDB's hash takes equal values for the same: an empty list and null, 30 days and a month,
    0.0 and -0.0. Where a type has such values, its text or its sign is hashed too.
    """
    name = quoted(column)
    if kind in ("DOUBLE", "FLOAT"):
        return f"{name}, signbit({name})"
    if kind in _PLAIN_TYPES or (kind.startswith(("DECIMAL(", "ENUM(")) and kind.endswith(")")):
        return name
    return f"{name}, {name}::varchar"


def differences(before: Mapping[Name, Fingerprint], after: Mapping[Name, Fingerprint]) -> list[str]:
    """Return in words how two sets of tables differ; empty where they are the same."""
    results = [f"{name} is missing" for name in before if name not in after]
    for name, was in before.items():
        now = after.get(name)
        if now is None or now == was:
            continue
        if now.rows != was.rows:
            results.append(f"{name} has {now.rows:,} rows instead of {was.rows:,}")
        elif now.columns != was.columns:
            results.append(f"{name} has other columns")
        else:
            results.append(f"{name} has other values in its {was.rows:,} rows")
    return results
