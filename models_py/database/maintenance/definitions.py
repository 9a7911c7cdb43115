"""What a database is made of, as data: read from its catalog, checked, and made again elsewhere.

A definition is kept in parts. The words that say what is made (``create table``, ``create
view``) and the names are written here; only the body comes from a catalog or a file, and
it is put to DuckDB's own parser before anything runs.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models_py.base.errors import WarehouseError
from models_py.base.sql_text import literal
from models_py.database.connection import Warehouse, quoted
from models_py.database.maintenance.catalog import (
    IDENTIFIER,
    TABLE,
    VIEW,
    Name,
    current_database,
    folded,
    view_body,
)
from models_py.database.maintenance.lexing import (
    UnreadableSqlError,
    characters,
    elements,
    is_bracketed,
    normal,
    outside,
    unquoted,
    up_to_semicolon,
)

SCHEMA, TYPE, SEQUENCE, MACRO, INDEX = "schema", "type", "sequence", "macro", "index"
TABLE_MACRO = "macro table"
KINDS = (SCHEMA, TYPE, SEQUENCE, MACRO, TABLE_MACRO, TABLE, VIEW, INDEX)
"""In the order in which they are tried to be made."""

_KEY_PLACE = "SEGMENTHOUSE_FOREIGN_KEY_"
_MACRO_CATALOG = "segmenthouse_macros"
_PATH = rf"{IDENTIFIER}(?:\.{IDENTIFIER})*"
_TABLE_HEAD = re.compile(rf"CREATE\s+TABLE\s+{_PATH}\(", re.IGNORECASE)
_INDEX_HEAD = re.compile(
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+{IDENTIFIER}\s+ON\s+{_PATH}\s*", re.IGNORECASE
)
_MACRO_HEAD = re.compile(rf"^CREATE MACRO (?P<path>{_PATH})\s*(?=\()", re.MULTILINE)
_SEQUENCE_BODY = re.compile(
    r"INCREMENT BY -?\d+ MINVALUE -?\d+ MAXVALUE -?\d+ START -?\d+ (?:NO )?CYCLE"
)
_Comments = Mapping[Name, tuple[tuple[str, str], ...]]
_GENERATED = re.compile(r"\bGENERATED ALWAYS AS\b")


@dataclass(frozen=True)
class Definition:
    """One thing of a database.

    Attributes
    ----------
    kind
        Of :data:`KINDS`.
    name
        Schema and name; a schema has its own name twice.
    body
        What follows the words and the name: a table's columns and constraints without the
        brackets, a view's query, an index's bracketed columns, a macro's parameters and
        expressions, a sequence's numbers, a type.
    columns
        Names that a view gives to its columns.
    table
        The table of an index.
    is_unique
        Whether an index is.
    comment, column_comments
        What was said of it and of its columns.
    """

    kind: str
    name: Name
    body: str = ""
    columns: tuple[str, ...] = ()
    table: str | None = None
    is_unique: bool = False
    comment: str | None = None
    column_comments: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name.name if self.kind == SCHEMA else self.name}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What two spellings of the same thing share."""
        kind = MACRO if self.kind == TABLE_MACRO else self.kind
        return TABLE if kind == VIEW else kind, *self.name.key

    def is_same(self, other: Definition | None) -> bool:
        """Return whether another says the same, in whichever of DuckDB's two spellings."""
        if other is None:
            return False
        spelled = replace(other, body=normal(other.body))
        return self == other or replace(self, body=normal(self.body)) == spelled

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """A table's columns that hold values: a generated one takes none."""
        named = [part for part in elements(self.body) if not _is_constraint(part)]
        return tuple(
            unquoted(re.match(IDENTIFIER, part)[0])  # type: ignore[index]
            for part in named
            if not _GENERATED.search(outside(part))
        )


def _is_constraint(part: str) -> bool:
    # A column named like these words is quoted in the catalog.
    return bool(re.match(r"(PRIMARY KEY|FOREIGN KEY|UNIQUE|CHECK|CONSTRAINT)\b", part))


def read_definitions(
    warehouse: Warehouse, database: str | None = None, *, with_macros: bool = True
) -> dict[tuple[str, str, str], Definition]:
    """Return everything that an attached database is made of, by :attr:`Definition.key`.

    Parameters
    ----------
    warehouse
        The open warehouse.
    database
        The one of the warehouse by default.
    with_macros
        Reading macros writes files and a database in memory, which an open transaction and a
        connection without access to files may not.

    Raises
    ------
    WarehouseError
        A definition cannot be read.
    """
    database = database or current_database(warehouse)
    comments = _column_comments(warehouse, database)
    made = [
        *_schemas(warehouse, database),
        *_types(warehouse, database),
        *_sequences(warehouse, database),
        *(_macros(warehouse, database) if with_macros else ()),
        *_tables(warehouse, database, comments),
        *_views(warehouse, database, comments),
        *_indexes(warehouse, database),
    ]
    return {definition.key: definition for definition in made}


def different(
    was: Mapping[tuple[str, str, str], Definition], now: Mapping[tuple[str, str, str], Definition]
) -> set[tuple[str, str, str]]:
    """Return the keys of what is not the same in two databases."""
    return {key for key in {*was, *now} if key not in was or not was[key].is_same(now.get(key))}


def _catalog(warehouse: Warehouse, database: str, what: str, function: str) -> list[Any]:
    return warehouse.rows(
        f"select {what} from {function}() where database_name = {literal(database)}"
    )


def _schemas(warehouse: Warehouse, database: str) -> Iterator[Definition]:
    for (name,) in _catalog(warehouse, database, "schema_name", "duckdb_schemas"):
        if name not in ("main", "information_schema", "pg_catalog"):
            yield Definition(SCHEMA, Name(name, name))


def _types(warehouse: Warehouse, database: str) -> Iterator[Definition]:
    records = warehouse.rows(
        "select schema_name, type_name, logical_type, labels, comment from duckdb_types()"
        f" where database_name = {literal(database)} and not internal order by type_oid"
    )
    for schema, name, kind, labels, comment in records:
        if kind == "ENUM":
            body = f"ENUM({', '.join(literal(label) for label in labels or ())})"
        else:
            made = quoted(database, schema, name)
            body = str(warehouse.rows(f"select typeof(null::{made})")[0][0])
        yield Definition(TYPE, Name(schema, name), body, comment=comment)


def _sequences(warehouse: Warehouse, database: str) -> Iterator[Definition]:
    what = "schema_name, sequence_name, sql, comment"
    for schema, name, sql, comment in _catalog(warehouse, database, what, "duckdb_sequences"):
        # DuckDB does not quote a sequence's name in its definition.
        numbers = _SEQUENCE_BODY.search(sql.rstrip().rstrip(";"), sql.rfind("INCREMENT BY"))
        if numbers is None:
            raise WarehouseError(f"cannot read the definition of the sequence {name}: {sql[:80]}")
        yield Definition(SEQUENCE, Name(schema, name), numbers[0], comment=comment)


def _after(head: re.Pattern[str], sql: str, kind: str, name: str) -> str:
    match = head.match(sql)
    if match is None:
        raise WarehouseError(f"cannot read the definition of the {kind} {name}: {sql[:80]}")
    return sql[match.end() :].rstrip().rstrip(";").rstrip()


def _column_comments(warehouse: Warehouse, database: str) -> _Comments:
    records = warehouse.rows(
        "select schema_name, table_name, column_name, comment from duckdb_columns()"
        f" where database_name = {literal(database)} and comment is not null"
        " order by column_index"
    )
    said: dict[Name, list[tuple[str, str]]] = defaultdict(list)
    for schema, table, column, comment in records:
        said[Name(schema, table)].append((column, comment))
    return {name: tuple(comments) for name, comments in said.items()}


def _tables(warehouse: Warehouse, database: str, comments: _Comments) -> Iterator[Definition]:
    records = warehouse.rows(
        "select schema_name, table_name, sql, comment from duckdb_tables() where database_name ="
        f" {literal(database)} and not internal and not temporary order by table_oid"
    )
    keys = _foreign_keys(warehouse, database)
    for schema, table, sql, comment in records:
        name = Name(schema, table)
        body = _after(_TABLE_HEAD, sql, "table", table).removesuffix(")")
        yield Definition(
            TABLE,
            name,
            _with_foreign_keys(body, keys.get(name, [])),
            comment=comment,
            column_comments=comments.get(name, ()),
        )


def _with_foreign_keys(body: str, keys: Sequence[tuple[str, str]]) -> str:
    """Write a table's foreign keys out.

    DuckDB leaves the text of one that points to the table itself empty, and does not quote the
    name of another table.
    """
    for number, (text, _) in reversed(list(enumerate(keys))):
        if text:
            before, _, after = body.rpartition(text)
            body = f"{before}{_KEY_PLACE}{number}{after}"
    empty = iter([sql for text, sql in keys if not text])
    whole = {f"{_KEY_PLACE}{number}": sql for number, (_, sql) in enumerate(keys)}
    parts = [whole.get(part, part) or next(empty, "") for part in elements(body)]
    return ", ".join(parts)


def _foreign_keys(warehouse: Warehouse, database: str) -> dict[Name, list[tuple[str, str]]]:
    """Return the foreign keys of each table: DuckDB's text, and one that can be run."""
    records = warehouse.rows(
        "select schema_name, table_name, constraint_text, constraint_column_names,"
        " referenced_table, referenced_column_names from duckdb_constraints()"
        f" where constraint_type = 'FOREIGN KEY' and database_name = {literal(database)}"
        " order by schema_name, table_name, constraint_index"
    )
    keys: dict[Name, list[tuple[str, str]]] = defaultdict(list)
    for schema, table, text, columns, other, referenced in records:
        target = f"{quoted(schema, other)} ({_listed(referenced)})"
        keys[Name(schema, table)].append(
            (text, f"FOREIGN KEY ({_listed(columns)}) REFERENCES {target}")
        )
    return keys


def foreign_keys_to_oneself(
    warehouse: Warehouse, database: str
) -> list[tuple[Name, list[str], list[str]]]:
    """Return table, columns and referenced columns of each foreign key to its own table."""
    records = warehouse.rows(
        "select schema_name, table_name, constraint_column_names, referenced_column_names"
        " from duckdb_constraints() where constraint_type = 'FOREIGN KEY'"
        f" and referenced_table = table_name and database_name = {literal(database)} order by all"
    )
    return [
        (Name(schema, table), list(own), list(target)) for schema, table, own, target in records
    ]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def _views(warehouse: Warehouse, database: str, comments: _Comments) -> Iterator[Definition]:
    records = warehouse.rows(
        "select schema_name, view_name, sql, comment from duckdb_views() where database_name ="
        f" {literal(database)} and not internal and not temporary order by view_oid"
    )
    for schema, view, sql, comment in records:
        parts = view_body(sql)
        if parts is None:
            raise WarehouseError(f"cannot read the definition of the view {view}: {sql[:80]}")
        columns = tuple(unquoted(part) for part in elements(parts[0].strip()[1:-1]))
        name = Name(schema, view)
        yield Definition(
            VIEW,
            name,
            parts[1],
            columns,
            comment=comment,
            column_comments=comments.get(name, ()),
        )


def _indexes(warehouse: Warehouse, database: str) -> Iterator[Definition]:
    what = "schema_name, index_name, table_name, is_unique, sql, comment"
    for schema, name, table, is_unique, sql, comment in _catalog(
        warehouse, database, what, "duckdb_indexes"
    ):
        if sql is not None:
            body = _after(_INDEX_HEAD, sql, "index", name)
            yield Definition(
                INDEX, Name(schema, name), body, (), table, bool(is_unique), comment=comment
            )


def _macros(warehouse: Warehouse, database: str) -> Iterator[Definition]:
    # Only an export tells the defaults of a macro's parameters.
    records = warehouse.rows(
        "select schema_name, function_name, function_type, any_value(comment)"
        f" from duckdb_functions() where database_name = {literal(database)} and not internal"
        " and macro_definition is not null group by all order by min(function_oid)"
    )
    if not records:
        return
    bodies = _exported_macros(warehouse, database)
    for schema, name, function_type, comment in records:
        kind = TABLE_MACRO if function_type == "table_macro" else MACRO
        body = bodies.get((kind, schema, name))
        if body is None:
            raise WarehouseError(f"cannot read the definition of the macro {schema}.{name}")
        yield Definition(kind, Name(schema, name), body, comment=comment)


def read_macros(warehouse: Warehouse, database: str) -> list[Definition]:
    """Return the macros of an attached database without their bodies, which only an export has."""
    what = "schema_name, function_name, function_type, internal"
    return [
        Definition(TABLE_MACRO if kind == "table_macro" else MACRO, Name(schema, name))
        for schema, name, kind, is_internal in sorted(
            set(_catalog(warehouse, database, what, "duckdb_functions"))
        )
        if not is_internal
    ]


def _exported_macros(warehouse: Warehouse, database: str) -> dict[tuple[str, str, str], str]:
    own, scratch = current_database(warehouse), quoted(_MACRO_CATALOG)
    storage = storage_version(warehouse, database)
    warehouse.rows(
        f"attach ':memory:' as {scratch} (read_write, storage_version {literal(storage)})"
    )
    try:
        warehouse.rows(f"copy from database {quoted(database)} to {scratch} (schema)")
        with tempfile.TemporaryDirectory(prefix="macros_") as folder:
            warehouse.rows(f"use {scratch}")
            warehouse.rows(f"export database {literal(folder)}")
            warehouse.rows(f"use {quoted(own)}")
            text = (Path(folder) / "schema.sql").read_text(encoding="utf-8")
    finally:
        warehouse.rows(f"use {quoted(own)}")
        warehouse.rows(f"detach {scratch}")
    bodies: dict[tuple[str, str, str], str] = {}
    for head in _MACRO_HEAD.finditer(text):
        # What else is in the export cannot be parsed: DuckDB leaves names and labels unquoted.
        body = up_to_semicolon(text[head.end() :])
        *schema, name = re.findall(IDENTIFIER, head["path"])
        kind = TABLE_MACRO if re.search(r"\bAS TABLE\b", outside(body)) else MACRO
        bodies[kind, unquoted(schema[-1]) if schema else "main", unquoted(name)] = body
    return bodies


def storage_version(warehouse: Warehouse, database: str | None = None) -> str:
    """Return the version of DuckDB's file format that an attached database has."""
    named = literal(database) if database else "current_database()"
    records = warehouse.rows(
        "select tags['storage_version'] from duckdb_databases() where database_name = " + named
    )
    return str(records[0][0] or "v1.0.0").removesuffix("+")


def statements(definition: Definition, database: str, *, replace_it: bool = False) -> list[str]:
    """Return what makes a thing in a database, its comments included."""
    name = definition.name
    made = quoted(database, name.schema, name.name)
    create = "create or replace" if replace_it else "create"
    body = definition.body
    if definition.kind == SCHEMA:
        return [f"create schema if not exists {quoted(database, name.name)}"]
    if definition.kind == TABLE:
        sql = f"create table {made} ({body})"
    elif definition.kind == VIEW:
        listed = f"({_listed(definition.columns)})" if definition.columns else ""
        sql = f"{create} view {made} {listed} as {body}"
    elif definition.kind == INDEX:
        table = quoted(database, name.schema, str(definition.table))
        unique = "unique" if definition.is_unique else ""
        sql = f"create {unique} index {quoted(name.name)} on {table} {body}"
        made = quoted(database, name.schema, name.name)
    elif definition.kind in (MACRO, TABLE_MACRO):
        sql = f"{create} macro {made}{body}"
    elif definition.kind == SEQUENCE:
        sql = f"create sequence {made} {body}"
    else:
        sql = f"create type {made} as {body}"
    said = []
    if definition.comment is not None:
        said.append(f"comment on {definition.kind} {made} is {literal(definition.comment)}")
    for column, comment in definition.column_comments:
        said.append(f"comment on column {made}.{quoted(column)} is {literal(comment)}")
    return [sql, *said]


def require_sound(warehouse: Warehouse, definition: Definition) -> None:
    """Put a definition to DuckDB's parser: it must make this one thing and do nothing else.

    Parameters
    ----------
    warehouse
        Any open one: it is only asked to parse.
    definition
        From outside.

    Raises
    ------
    WarehouseError
        It is not exactly one ``create`` of its kind, over a single select where it has one.
    """
    import duckdb

    try:
        _require_names(definition)
        made = warehouse.raw.extract_statements(statements(definition, "d")[0])
        kinds = [str(statement.type).rpartition(".")[2] for statement in made]
        if kinds != ["CREATE"]:
            raise UnreadableSqlError(f"it is {', '.join(kinds) or 'nothing'}")
        if not _is_plain(warehouse, definition):
            raise UnreadableSqlError(definition.body[:80])
    except (UnreadableSqlError, duckdb.Error) as error:
        raise WarehouseError(
            f"the definition of the {definition} is not one create {definition.kind}:"
            f" {str(error).splitlines()[0]}"
        ) from error


def _require_names(definition: Definition) -> None:
    names = [definition.name.schema, definition.name.name, *definition.columns]
    names += [column for column, _ in definition.column_comments]
    names += [definition.table] if definition.table is not None else []
    if definition.kind not in KINDS:
        raise UnreadableSqlError(f"the kind {definition.kind!r}")
    if not all(names) or any("\0" in name for name in names):
        raise UnreadableSqlError("an empty name")
    if (definition.kind == INDEX) != (definition.table is not None):
        raise UnreadableSqlError("an index has a table, nothing else has")


def _is_plain(warehouse: Warehouse, definition: Definition) -> bool:
    body = definition.body
    checks: dict[str, Callable[[], bool]] = {
        SCHEMA: lambda: not body,
        SEQUENCE: lambda: bool(_SEQUENCE_BODY.fullmatch(body)),
        TABLE: lambda: all(elements(body) or [""]) and is_bracketed(f"({body})"),
        INDEX: lambda: is_bracketed(body),
        VIEW: lambda: _is_select(warehouse, body),
        TYPE: lambda: _is_type(body),
        MACRO: lambda: all(_is_overload(warehouse, part, MACRO) for part in elements(body)),
        TABLE_MACRO: lambda: all(
            _is_overload(warehouse, part, TABLE_MACRO) for part in elements(body)
        ),
    }
    return checks[definition.kind]()


def _is_select(warehouse: Warehouse, sql: str) -> bool:
    tree = _tree(warehouse, sql)
    return tree is not None and len(tree["statements"]) == 1


def _tree(warehouse: Warehouse, sql: str) -> dict[str, Any] | None:
    text = warehouse.rows(f"select json_serialize_sql({literal(sql)}::varchar)")[0][0]
    tree: dict[str, Any] = json.loads(text)
    return None if tree.get("error") else tree


def _is_type(body: str) -> bool:
    labels = re.match(r"\s*ENUM\s*(?=\()", body, re.IGNORECASE)
    if labels is None:
        # Only a list of labels may be a query in DuckDB's grammar; this looks for one all the same.
        words = "".join(letter for _, letter, _ in characters(body)).upper()
        return not re.search(r"\b(SELECT|FROM|VALUES|TABLE|WITH)\b", words)
    listed = body[labels.end() :]
    parts = elements(listed[1:-1])
    return is_bracketed(listed) and all(re.fullmatch(r"'(?:[^']|'')*'", part) for part in parts)


def _is_overload(warehouse: Warehouse, part: str, kind: str) -> bool:
    # (parameters) AS (expression), or (parameters) AS TABLE (query).
    ends = [at for at, letter, depth in characters(part) if letter == ")" and depth == 0]
    rest = part[ends[0] + 1 :] if ends else ""
    head = re.match(r"\s*AS\s+TABLE\s*" if kind == TABLE_MACRO else r"\s*AS\s*", rest)
    if not part.startswith("(") or head is None or not is_bracketed(rest[head.end() :]):
        return False
    inner = rest[head.end() :]
    return _is_select(warehouse, inner if kind == TABLE_MACRO else f"select {inner}")


def renamed(warehouse: Warehouse, definition: Definition, old: str, new: str) -> Definition:
    """Return a view as it reads in a database of another name, which its query may name."""
    if definition.kind != VIEW or folded(old) == folded(new):
        return definition
    if folded(old) not in folded(definition.body):
        return definition
    tree = _tree(warehouse, definition.body)
    if tree is None or not _rename_catalog(tree, folded(old), new):
        return definition
    text = literal(json.dumps(tree, ensure_ascii=False))
    sql = warehouse.rows(f"select json_deserialize_sql({text}::json)")[0][0]
    return replace(definition, body=str(sql))


def _rename_catalog(node: Any, old: str, new: str) -> bool:
    changed = False
    if isinstance(node, dict):
        if folded(str(node.get("catalog_name") or "")) == old:
            node["catalog_name"] = new
            changed = True
        names = node.get("column_names")
        if isinstance(names, list) and len(names) > 3 and folded(str(names[0])) == old:
            names[0] = new
            changed = True
        parts = list(node.values())
    else:
        parts = node if isinstance(node, list) else []
    for part in parts:
        changed = _rename_catalog(part, old, new) or changed
    return changed


def make(
    warehouse: Warehouse, database: str, definition: Definition, *, replace_it: bool = False
) -> None:
    """Make one thing, with the names of its schema and of main in reach."""
    schema = definition.name.schema
    reach = ",".join(quoted(database, part) for part in dict.fromkeys([schema, "main"]))
    if definition.kind == SCHEMA:
        reach = quoted(database, "main")
    warehouse.rows(f"set search_path = {literal(reach)}")
    try:
        for sql in statements(definition, database, replace_it=replace_it):
            warehouse.rows(sql)
    finally:
        warehouse.raw.execute(f"set search_path = {literal(quoted(database, 'main'))}")


def as_json(definition: Definition) -> dict[str, object]:
    """Return a definition for a manifest."""
    return {
        "kind": definition.kind,
        "schema": definition.name.schema,
        "name": definition.name.name,
        "body": definition.body,
        "columns": list(definition.columns),
        "table": definition.table,
        "is_unique": definition.is_unique,
        "comment": definition.comment,
        "column_comments": [list(pair) for pair in definition.column_comments],
    }
