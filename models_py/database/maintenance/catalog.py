"""What is in the warehouse file: relations, who reads them, and who owns them."""

from __future__ import annotations

import json
import re
import string
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_py.base import settings
from models_py.base.errors import WarehouseError
from models_py.base.sql_text import literal
from models_py.database import contract, history
from models_py.database.connection import Warehouse, quoted

TABLE, VIEW = "table", "view"
_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}
_LOG = "_log"
"""How the table of a log that a user loaded ends, in bronze."""

LAYERS = ("bronze", "silver", "gold")
IDENTIFIER = r'(?:"(?:[^"]|"")*"|[^\s".(),;]+)'
_VIEW_HEAD = re.compile(
    rf"CREATE\s+(?:TEMPORARY\s+)?VIEW\s+(?:IF NOT EXISTS\s+)?{IDENTIFIER}(?:\.{IDENTIFIER})*\s*"
    rf"(?P<columns>\((?:\s*{IDENTIFIER}\s*,?)+\))?\s*AS\s+",
    re.IGNORECASE,
)
_TABLES_A_STATEMENT = 20
FEW_ROWS = 10_000
_TYPE_BYTES = {
    **dict.fromkeys(["BOOLEAN", "TINYINT", "UTINYINT"], 1),
    **dict.fromkeys(["SMALLINT", "USMALLINT"], 2),
    **dict.fromkeys(["INTEGER", "UINTEGER", "DATE", "FLOAT"], 4),
    **dict.fromkeys(["BIGINT", "UBIGINT", "DOUBLE", "TIMESTAMP", "TIME"], 8),
}
_WORTH_THREADS, _MOST_WORKERS = 8, 8
_NAMES_IN_TEXT = {"query", "query_table"}


def folded(name: str) -> str:
    """Return a name as DuckDB compares it: the case of other letters than A to Z tells."""
    return name.translate(_LOWER)


@dataclass(frozen=True, order=True)
class Name:
    """A relation's schema and name as they are written in the file."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def key(self) -> tuple[str, str]:
        """What two spellings of the same relation share."""
        return folded(self.schema), folded(self.name)

    @property
    def sql(self) -> str:
        """The quoted name."""
        return quoted(self.schema, self.name)


@dataclass(frozen=True)
class Relation:
    """A table or view of the file; ``kind`` is ``"table"`` or ``"view"``."""

    name: Name
    kind: str


@dataclass(frozen=True)
class Reader:
    """A view, macro or foreign key that reads relations."""

    label: str
    reads: frozenset[tuple[str, str]]
    relation: Name | None = None


@dataclass(frozen=True)
class Ownership:
    """Who stands up for a relation.

    Attributes
    ----------
    owners
        By relation key: why it must stay.
    has_manifest
        Whether dbt's manifest was read; without it nobody knows what dbt makes.
    keys
        Unique columns by relation key, from dbt's tests.
    """

    owners: Mapping[tuple[str, str], str]
    has_manifest: bool
    keys: Mapping[tuple[str, str], tuple[str, ...]]


def read_relations(warehouse: Warehouse, database: str | None = None) -> list[Relation]:
    """Return every table and view of the file (or of an attached one), by schema and name."""
    catalog = literal(database) if database is not None else "current_database()"
    records = warehouse.rows(
        "select schema_name, table_name, 'table' from duckdb_tables() where database_name ="
        f" {catalog} and not internal and not temporary union all"
        " select schema_name, view_name, 'view' from duckdb_views() where database_name ="
        f" {catalog} and not internal and not temporary order by all"
    )
    return [Relation(Name(schema, name), kind) for schema, name, kind in records]


def count_rows(
    warehouse: Warehouse, names: Sequence[Name], database: str | None = None
) -> dict[Name, int]:
    """Return the exact rows of tables; many in one statement."""
    catalog = database or current_database(warehouse)
    statements = [
        " union all ".join(
            f"select {position}, count(*) from {quoted(catalog, item.schema, item.name)}"
            for position, item in enumerate(some)
        )
        for some in _batches(names)
    ]
    return {
        some[at]: int(rows)
        for some, result in zip(_batches(names), _answers(warehouse, statements), strict=True)
        for at, rows in result
    }


def _batches(names: Sequence[Name]) -> list[Sequence[Name]]:
    size = _TABLES_A_STATEMENT
    return [names[begin : begin + size] for begin in range(0, len(names), size)]


def _answers(warehouse: Warehouse, statements: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    # Many small statements go over all cores, each on one: starting DuckDB's threads for each
    # takes longer than its work. The cursors see what is committed.
    if len(statements) < _WORTH_THREADS:
        return [warehouse.rows(statement) for statement in statements]
    threads = int(warehouse.rows("select current_setting('threads')")[0][0])
    warehouse.rows("set threads = 1")
    workers = min(threads, _MOST_WORKERS)
    cursors = [Warehouse(warehouse.path, warehouse.raw.cursor()) for _ in range(workers)]

    def ask(number: int) -> list[list[tuple[Any, ...]]]:
        return [cursors[number].rows(statement) for statement in statements[number::workers]]

    try:
        with ThreadPoolExecutor(workers) as pool:
            shares = list(pool.map(ask, range(workers)))
    finally:
        for cursor in cursors:
            cursor.close()
        warehouse.rows(f"set threads = {threads}")
    return [shares[at % workers][at // workers] for at in range(len(statements))]


def stored_bytes(
    warehouse: Warehouse, names: Sequence[Name], rows: Mapping[Name, int] | None = None
) -> dict[Name, int]:
    """Return about how many bytes of the file each table holds.

    DuckDB stores blocks, and tables may share one: a block's bytes are split evenly between
    those of ``names`` that have a segment in it. To tell a table's blocks DuckDB reads them, so
    a table of few rows is counted by its rows and types instead. What is still in the
    write-ahead log is not counted for large tables. A large table with a double quote in its
    name is left out: DuckDB's ``pragma_storage_info`` cannot be asked for it.

    Parameters
    ----------
    warehouse
        The open warehouse, outside a transaction.
    names
        The tables.
    rows
        Their rows, where they were counted before.
    """
    if not names:
        return {}
    rows = count_rows(warehouse, names) if rows is None else rows
    widths = _row_bytes(warehouse)
    held = {name: float(rows[name] * widths[name]) for name in names if rows[name] <= FEW_ROWS}
    large = [name for name in names if name not in held and '"' not in name.schema + name.name]
    held.update(dict.fromkeys(large, 0.0))
    block_bytes = int(warehouse.rows("select block_size from pragma_database_size()")[0][0])
    for together in _sharers(warehouse, large).values():
        for name in together:
            held[name] += block_bytes / len(together)
    return {name: round(held[name]) for name in names if name in held}


def _row_bytes(warehouse: Warehouse) -> dict[Name, int]:
    records = warehouse.rows(
        "select schema_name, table_name, data_type from duckdb_columns() where database_name ="
        " current_database() and not internal"
    )
    widths: dict[Name, int] = defaultdict(int)
    for schema, table, kind in records:
        widths[Name(schema, table)] += _TYPE_BYTES.get(kind, 16)
    return widths


def _sharers(warehouse: Warehouse, names: Sequence[Name]) -> dict[int, set[Name]]:
    sharers: dict[int, set[Name]] = defaultdict(set)
    statements = [
        " union all ".join(
            f"select {position}, block_id, additional_block_ids"
            f" from pragma_storage_info({literal(name.sql)}) where persistent"
            for position, name in enumerate(some)
        )
        for some in _batches(names)
    ]
    for some, result in zip(_batches(names), _answers(warehouse, statements), strict=True):
        for at, first, more in result:
            for block in (first, *(more or ())):
                if block >= 0:
                    sharers[block].add(some[at])
    return sharers


def read_readers(warehouse: Warehouse) -> list[Reader]:
    """Return every view, macro and foreign key with the relations that it reads.

    A definition is parsed by DuckDB itself (``json_serialize_sql``); a name inside a text or
    a longer name is no reading. What cannot be parsed counts as reading every relation whose
    name it holds, which keeps too much rather than too little.
    """
    known = _Known.of(current_database(warehouse), read_relations(warehouse))
    return [
        *_views(warehouse, known),
        *_macros(warehouse, known),
        *_foreign_keys(warehouse),
    ]


@dataclass(frozen=True)
class _Known:
    database: str
    keys: frozenset[tuple[str, str]]
    by_name: Mapping[str, frozenset[tuple[str, str]]]

    @classmethod
    def of(cls, database: str, relations: Sequence[Relation]) -> _Known:
        keys = frozenset(relation.name.key for relation in relations)
        by_name: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for key in keys:
            by_name[key[1]].add(key)
        return cls(database, keys, {name: frozenset(some) for name, some in by_name.items()})

    def resolve(self, part: str, relation: str, schema: str) -> frozenset[tuple[str, str]]:
        part, relation = folded(part), folded(relation)
        if part:
            places = [part, "main"] if part == folded(self.database) else [part]
        else:
            places = [folded(schema), "main"]
        result = frozenset((place, relation) for place in places) & self.keys
        # A path that was set when the view was made may lead elsewhere: then any of that name.
        return result if result or part else self.by_name.get(relation, frozenset())


def _views(warehouse: Warehouse, known: _Known) -> Iterator[Reader]:
    records = warehouse.rows(
        "select schema_name, view_name, sql from duckdb_views() where database_name ="
        " current_database() and not internal and not temporary order by all"
    )
    for schema, name, sql in records:
        parts = view_body(sql)
        view = Name(schema, name)
        reads = _reads(warehouse, parts[1] if parts else None, sql, schema, known)
        yield Reader(f"view {view}", reads - {view.key}, view)


def _macros(warehouse: Warehouse, known: _Known) -> Iterator[Reader]:
    records = warehouse.rows(
        "select schema_name, function_name, function_type, macro_definition"
        " from duckdb_functions() where database_name = current_database() and not internal"
        " and macro_definition is not null order by all"
    )
    for schema, name, kind, definition in records:
        body = definition if kind == "table_macro" else f"select {definition}"
        reads = _reads(warehouse, body, definition, schema, known)
        yield Reader(f"macro {schema}.{name}", reads)


def _foreign_keys(warehouse: Warehouse) -> Iterator[Reader]:
    records = warehouse.rows(
        "select schema_name, table_name, referenced_table from duckdb_constraints() where"
        " database_name = current_database() and constraint_type = 'FOREIGN KEY' order by all"
    )
    for schema, name, referenced in records:
        table = Name(schema, name)
        target = frozenset({Name(schema, referenced).key}) - {table.key}
        yield Reader(f"foreign key of {table}", target, table)


def _reads(
    warehouse: Warehouse, body: str | None, text: str, schema: str, known: _Known
) -> frozenset[tuple[str, str]]:
    tree = _parsed(warehouse, body) if body is not None else None
    if tree is None:
        lowered = folded(text)
        return frozenset(key for key in known.keys if key[1] in lowered)
    result: set[tuple[str, str]] = set()
    for part, relation in _base_tables(tree):
        result |= known.resolve(part, relation, schema)
    return frozenset(result)


def _parsed(warehouse: Warehouse, body: str) -> Any | None:
    text = warehouse.rows(f"select json_serialize_sql({literal(body)}::varchar)")[0][0]
    tree = json.loads(text)
    return None if tree.get("error") else tree


def _base_tables(node: Any) -> Iterator[tuple[str, str]]:
    # Every table reference counts, one that a CTE shadows too: that keeps rather than drops.
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and "table_name" in node:
            yield str(node.get("schema_name", "")), str(node["table_name"])
        if node.get("function_name") in _NAMES_IN_TEXT:
            yield from _names_in_texts(node)
        for value in node.values():
            yield from _base_tables(value)
    elif isinstance(node, list):
        for value in node:
            yield from _base_tables(value)


def _names_in_texts(node: Any) -> Iterator[tuple[str, str]]:
    for text in re.findall(r'"value": "((?:[^"\\]|\\.)*)"', json.dumps(node)):
        for word in re.findall(r"[^\W]+", json.loads(f'"{text}"')):
            yield "", word


def view_body(sql: str) -> tuple[str, str] | None:
    """Split a view's definition into its column list and its query, None if it cannot be."""
    head = _VIEW_HEAD.match(sql)
    if head is None:
        return None
    return head["columns"] or "", sql[head.end() :].rstrip().rstrip(";")


def read_ownership(warehouse: Warehouse, manifest: Path | None = None) -> Ownership:
    """Return what dbt's manifest, the results contract, the user, studies and runs own.

    Parameters
    ----------
    warehouse
        The open warehouse.
    manifest
        ``manifest.json``; the one of the repository's dbt project by default.

    Raises
    ------
    WarehouseError
        The manifest named is missing, or cannot be read.
    """
    path = manifest or settings.dbt_project_dir() / "target" / "manifest.json"
    owners = {**dict(_user_owners(warehouse)), **dict(_contract_owners(warehouse))}
    if manifest is None and not path.is_file():
        return Ownership(owners, has_manifest=False, keys={})
    nodes = _manifest_nodes(path)
    by_id: dict[str, tuple[str, str]] = {}
    for node, state in nodes:
        if _makes_a_relation(node):
            key = _node_key(node)
            by_id[str(node.get("unique_id"))] = key
            owners[key] = f"{state}dbt {node['resource_type']} {node.get('name', '')}"
    owners = {**dict(_log_owners(warehouse, nodes)), **owners}
    return Ownership(owners, has_manifest=True, keys=_unique_columns(nodes, by_id))


def _contract_owners(warehouse: Warehouse) -> Iterator[tuple[tuple[str, str], str]]:
    for table in contract.ALL_TABLES:
        yield Name(contract.SCHEMA, table.name).key, "a table of the results contract"
    yield Name(contract.SCHEMA, history.NAME).key, "a view of the results contract"
    runs = Name(contract.SCHEMA, contract.runs.name)
    if str(runs) in warehouse.relations():
        for (study,) in warehouse.rows(f"select distinct study from {runs.sql} order by 1"):
            view = Name(contract.SCHEMA, f"{study}_latest")
            yield view.key, f"the latest run of the study {study}"


def _user_owners(warehouse: Warehouse) -> Iterator[tuple[tuple[str, str], str]]:
    """Return what a user loaded, what a run read and what a study reads."""
    loaded = warehouse.rows(
        "select schema_name, table_name, comment from duckdb_tables() where database_name ="
        f" current_database() and starts_with(comment, {literal(contract.LOADED)})"
    )
    for schema, name, comment in loaded:
        yield Name(schema, name).key, f"the user: {comment}"
    runs = Name(contract.SCHEMA, contract.runs.name)
    if str(runs) in warehouse.relations():
        for study, table in warehouse.rows(
            f"select distinct study, source_table from {runs.sql} where status !="
            f" {literal(contract.FAILED)} and source_table is not null order by all"
        ):
            schema, _, name = str(table).partition(".")
            yield Name(schema, name).key, f"a run of the study {study}, which read it"
    for file in settings.study_files():
        table = _table_of_study(file)
        if table is not None:
            yield table.key, f"the study {file.stem}, which reads it"


def _log_owners(
    warehouse: Warehouse, nodes: Sequence[tuple[Mapping[str, Any], str]]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Return what dbt made of each log that a user loaded, whichever it made last.

    The manifest has those models under the name of one log: of the last that was built, or
    ``custom``.
    """
    models = {
        (
            str(node.get("schema")),
            str(node.get("name")).removeprefix(f"{node.get('schema')}_custom"),
        )
        for node, _ in nodes
        if "custom" in Path(str(node.get("path"))).parts and _makes_a_relation(node)
    }
    logs = warehouse.rows(
        "select table_name from duckdb_tables() where database_name = current_database()"
        f" and schema_name = 'bronze' and starts_with(comment, {literal(contract.LOADED)})"
        f" and ends_with(table_name, {literal(_LOG)})"
    )
    for (table,) in logs:
        log = str(table).removesuffix(_LOG)
        for schema, rest in models:
            yield Name(schema, f"{log}{rest}").key, f"the user: made of bronze.{table}"


def _table_of_study(file: Path) -> Name | None:
    # Whether the study is right in everything else is not asked here.
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("table")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    schema, dot, name = str(table).partition(".")
    return Name(schema, name) if dot else None


def _manifest_nodes(path: Path) -> list[tuple[dict[str, Any], str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made = [*content["nodes"].values(), *content["sources"].values()]
        disabled = [node for nodes in content["disabled"].values() for node in nodes]
    except OSError as error:
        raise WarehouseError(f"cannot read dbt's manifest {path}: {error.strerror}") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise WarehouseError(
            f"{path} is no dbt manifest ({type(error).__name__}: {error}):"
            " make it again with 'dbt parse --project-dir warehouse'"
        ) from error
    # A model that is switched off today was perhaps built yesterday, and is wanted tomorrow.
    return [*((node, "") for node in made), *((node, "switched-off ") for node in disabled)]


def _makes_a_relation(node: Mapping[str, Any]) -> bool:
    kind = node.get("resource_type")
    if kind == "test":
        return bool((node.get("config") or {}).get("store_failures"))
    if kind == "model":
        return (node.get("config") or {}).get("materialized") != "ephemeral"
    return kind in ("seed", "snapshot", "source")


def _node_key(node: Mapping[str, Any]) -> tuple[str, str]:
    name = node.get("alias") or node.get("identifier") or node.get("name")
    return Name(str(node.get("schema")), str(name)).key


def _unique_columns(
    nodes: Sequence[tuple[Mapping[str, Any], str]], by_id: Mapping[str, tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    result: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node, state in nodes:
        tested = (node.get("test_metadata") or {}).get("name")
        key = by_id.get(str(node.get("attached_node")))
        column = node.get("column_name")
        if tested == "unique" and key is not None and column and not state:
            result[key].append(str(column))
    return {key: tuple(sorted(set(columns))) for key, columns in result.items()}


def current_database(warehouse: Warehouse) -> str:
    """Return the name by which DuckDB knows the file."""
    return str(warehouse.rows("select current_database()")[0][0])
