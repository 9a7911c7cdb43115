"""Making a table, index, view or sequence again in another database, from its definition."""

from __future__ import annotations

import re

from models_py.base.errors import WarehouseError
from models_py.base.sql_text import literal
from models_py.database.connection import Warehouse, quoted
from models_py.database.maintenance.catalog import IDENTIFIER, Name, view_body

_PATH = rf"{IDENTIFIER}(?:\.{IDENTIFIER})*"
_TABLE_HEAD = re.compile(rf"CREATE\s+TABLE\s+{_PATH}(?=\()", re.IGNORECASE)
_INDEX_HEAD = re.compile(
    rf"CREATE\s+(?P<unique>UNIQUE\s+)?INDEX\s+{IDENTIFIER}\s+ON\s+{_PATH}\s*", re.IGNORECASE
)
_SEQUENCE_HEAD = re.compile(rf"CREATE\s+SEQUENCE\s+{_PATH}", re.IGNORECASE)


def create_schema(warehouse: Warehouse, database: str, schema: str) -> None:
    """Create a schema where it is not there yet."""
    warehouse.rows(f"create schema if not exists {quoted(database, schema)}")


def copy_table(warehouse: Warehouse, source: str, target: str, name: Name) -> None:
    """Make a table of one attached database in another: constraints, rows, indexes, comments.

    Raises
    ------
    WarehouseError
        The table is there already, or its definition cannot be made again.
    """
    sql, comment = _definition(warehouse, source, name)
    head = _TABLE_HEAD.match(sql)
    if head is None:
        raise WarehouseError(f"cannot read the definition of {name}: {sql[:80]}")
    create_schema(warehouse, target, name.schema)
    made = quoted(target, name.schema, name.name)
    warehouse.rows(f"create table {made}{sql[head.end() :]}")
    columns = _stored_columns(warehouse, source, name)
    listed = ", ".join(quoted(column) for column, _ in columns)
    origin = quoted(source, name.schema, name.name)
    warehouse.rows(f"insert into {made} ({listed}) select {listed} from {origin}")
    _copy_indexes(warehouse, source, target, name)
    if comment is not None:
        warehouse.rows(f"comment on table {made} is {literal(comment)}")
    for column, said in columns:
        if said is not None:
            warehouse.rows(f"comment on column {made}.{quoted(column)} is {literal(said)}")


def create_view(warehouse: Warehouse, target: str, name: Name, sql: str) -> None:
    """Create or replace a view from its definition."""
    parts = view_body(sql)
    if parts is None:
        raise WarehouseError(f"cannot read the definition of the view {name}: {sql[:80]}")
    columns, body = parts
    create_schema(warehouse, target, name.schema)
    made = quoted(target, name.schema, name.name)
    warehouse.rows(f"create or replace view {made} {columns} as {body}")


def copy_sequences(warehouse: Warehouse, source: str, target: str) -> None:
    """Make the sequences that are not there yet, at the value they had reached."""
    records = warehouse.rows(
        "select schema_name, sequence_name, sql from duckdb_sequences() where database_name = ?",
        [source],
    )
    for schema, name, sql in records:
        head = _SEQUENCE_HEAD.match(sql)
        if head is not None:
            create_schema(warehouse, target, schema)
            made = quoted(target, schema, name)
            warehouse.rows(f"create sequence if not exists {made}{sql[head.end() :]}")


def describe(warehouse: Warehouse, database: str) -> dict[str, str]:
    """Return the definition of everything in an attached database, by kind and name."""
    records = warehouse.rows(
        "select 'table ' || schema_name || '.' || table_name, sql from duckdb_tables()"
        " where database_name = $1 and not internal union all"
        " select 'view ' || schema_name || '.' || view_name, sql from duckdb_views()"
        " where database_name = $1 and not internal union all"
        " select 'index ' || schema_name || '.' || index_name, sql from duckdb_indexes()"
        " where database_name = $1 union all"
        " select 'sequence ' || schema_name || '.' || sequence_name, sql from duckdb_sequences()"
        " where database_name = $1 union all"
        " select 'macro ' || schema_name || '.' || function_name || parameters::varchar,"
        " macro_definition from duckdb_functions() where database_name = $1 and not internal"
        " union all select 'type ' || schema_name || '.' || type_name, labels::varchar"
        " from duckdb_types() where database_name = $1 and not internal",
        [database],
    )
    return {str(what): str(sql) for what, sql in records}


def views_of(warehouse: Warehouse, database: str) -> dict[Name, str]:
    """Return the definition of every view of an attached database."""
    records = warehouse.rows(
        "select schema_name, view_name, sql from duckdb_views() where database_name = ?"
        " and not internal order by all",
        [database],
    )
    return {Name(schema, name): str(sql) for schema, name, sql in records}


def _definition(warehouse: Warehouse, database: str, name: Name) -> tuple[str, str | None]:
    records = warehouse.rows(
        "select sql, comment from duckdb_tables() where database_name = ? and schema_name = ?"
        " and table_name = ?",
        [database, name.schema, name.name],
    )
    if not records:
        raise WarehouseError(f"there is no table {name} to copy")
    sql, comment = records[0]
    return str(sql), comment


def _stored_columns(
    warehouse: Warehouse, database: str, name: Name
) -> list[tuple[str, str | None]]:
    # A generated column takes no value; only the table's definition tells it from a default.
    sql, _ = _definition(warehouse, database, name)
    records = warehouse.rows(
        "select column_name, comment, data_type from duckdb_columns() where database_name = ?"
        " and schema_name = ? and table_name = ? order by column_index",
        [database, name.schema, name.name],
    )
    return [
        (column, comment)
        for column, comment, kind in records
        if not any(
            f"{spelled} {kind} GENERATED ALWAYS AS(" in sql for spelled in (column, quoted(column))
        )
    ]


def _copy_indexes(warehouse: Warehouse, source: str, target: str, name: Name) -> None:
    records = warehouse.rows(
        "select index_name, sql from duckdb_indexes() where database_name = ? and schema_name = ?"
        " and table_name = ? and sql is not null",
        [source, name.schema, name.name],
    )
    for index, sql in records:
        head = _INDEX_HEAD.match(sql)
        if head is None:
            raise WarehouseError(f"cannot read the definition of the index {index} of {name}")
        warehouse.rows(
            f"create {head['unique'] or ''}index {quoted(index)} on"
            f" {quoted(target, name.schema, name.name)} {sql[head.end() :]}"
        )
