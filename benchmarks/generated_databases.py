"""Databases drawn at random, and everything that is in one, for comparing.

Whatever DuckDB keeps in its catalog is drawn: schemas, types, sequences, macros, tables with keys,
checks, defaults and generated columns, indexes, comments and views, under awkward names, with
values that equal others without being the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import strategies as st

NAME_PARTS = (
    *("a", "Zeta", "select", "order", "group by", "dash-ed", "with.dot", 'quo"te', "it's"),
    *("ünïcode", "日本", "per%cent", "under_score", "123", "semi;colon", "a$b", "tab\there", "--"),
)
TEXTS = (
    *("''", "'plain'", "'it''s'", "'quo\"te'", "'[a, b]'", "'null'", "'line\nbreak'", "'ü日'"),
    *("'--'", "'); drop table x; --'", "'$$'", "'\\'", "'%'"),
)
VALUES: dict[str, tuple[str, ...]] = {
    "INTEGER": ("0", "1", "-7", "2147483647"),
    "BIGINT": ("0", "9223372036854775807", "-5"),
    "HUGEINT": ("170141183460469231731687303715884105727", "-1"),
    "UTINYINT": ("0", "255"),
    "DOUBLE": ("0.0", "'-0.0'", "'nan'", "'inf'", "'-inf'", "0.1", "1e300", "5e-324"),
    "FLOAT": ("0.5", "'-0.0'", "'nan'"),
    "DECIMAL(18,3)": ("0", "-12.345", "999999999999999.999"),
    "VARCHAR": TEXTS,
    "BOOLEAN": ("true", "false"),
    "BLOB": (r"'\x00\xFF'", "''", "'abc'"),
    "BIT": ("'0101'", "'1'"),
    "DATE": ("'2024-02-29'", "'infinity'", "'0044-03-15 (BC)'"),
    "TIMESTAMP": ("'2024-02-29 23:59:59.123456'", "'epoch'", "'-infinity'"),
    "TIMESTAMP WITH TIME ZONE": ("'2024-02-29 23:59:59+02'", "'epoch'"),
    "TIMESTAMP_NS": ("'2024-02-29 23:59:59.123456789'",),
    "TIME": ("'00:00:00'", "'23:59:59.999999'"),
    "TIME WITH TIME ZONE": ("'12:00:00+00'", "'14:00:00+02'"),
    "INTERVAL": ("'30 days'", "'1 month'", "'720 hours'", "'1 year 2 days 3 microseconds'"),
    "UUID": ("'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "JSON": ("'{\"a\": [1, null]}'", "'null'", "'[]'"),
    "INTEGER[]": ("[]", "[null]", "[1, 2]", "[0]"),
    "VARCHAR[]": ("[]", "['a, b']", "['a', 'b']", "[null]", "['null']", "['']"),
    "INTEGER[][]": ("[]", "[[]]", "[null]", "[[null]]", "[[1], [2, 3]]"),
    "INTEGER[3]": ("[1, 2, 3]", "[null, 2, null]"),
    'STRUCT(a INTEGER, "b c" VARCHAR[])': (
        "{'a': 1, 'b c': []}",
        "{'a': null, 'b c': null}",
        "{'a': 1, 'b c': ['x']}",
    ),
    "MAP(VARCHAR, INTEGER)": ("map {}", "map {'a': 1}", "map {'a': null}"),
    "UNION(number INTEGER, word VARCHAR)": ("union_value(number := 1)", "union_value(word := '1')"),
    "STRUCT(d DOUBLE, i INTERVAL)[]": ("[]", "[{'d': '-0.0', 'i': '30 days'}]", "[null]"),
    "ENUM('low', 'it''s', '')": ("'low'", "'it''s'", "''"),
}
KEY_TYPES = ("INTEGER", "BIGINT", "VARCHAR", "UUID", "DATE")


def quoted(*names: str) -> str:
    """Return names as identifiers."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return a text as a literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass
class Drawn:
    """A database while it is drawn: the statements that make it, and what can be referred to."""

    statements: list[str] = field(default_factory=list)
    schemas: list[str] = field(default_factory=lambda: ["main"])
    sequences: list[tuple[str, str]] = field(default_factory=list)
    keys: list[tuple[str, str, str, str]] = field(default_factory=list)
    relations: list[tuple[str, str, str]] = field(default_factory=list)
    required: set[str] = field(default_factory=set)
    names: int = 0


@st.composite
def databases(draw: Any, catalog: str = "segmenthouse") -> list[str]:
    """Draw the statements that make a database which DuckDB knows as ``catalog``."""
    drawn = Drawn()
    for _ in range(draw(st.integers(0, 2))):
        drawn.schemas.append(_name(draw, drawn))
        drawn.statements.append(f"create schema {quoted(drawn.schemas[-1])}")
    for _ in range(draw(st.integers(0, 2))):
        _type(draw, drawn)
    for _ in range(draw(st.integers(0, 2))):
        _sequence(draw, drawn)
    for _ in range(draw(st.integers(0, 2))):
        _macro(draw, drawn)
    for _ in range(draw(st.integers(1, 4))):
        _table(draw, drawn)
    for _ in range(draw(st.integers(0, 4))):
        _view(draw, drawn, catalog)
    if draw(st.booleans()):
        _table_macro(draw, drawn)
    return drawn.statements


def _name(draw: Any, drawn: Drawn) -> str:
    # The number at the end keeps names apart, the part before shuffles their order.
    drawn.names += 1
    return f"{draw(st.sampled_from(NAME_PARTS))}{drawn.names}"


def _place(draw: Any, drawn: Drawn) -> tuple[str, str]:
    return draw(st.sampled_from(drawn.schemas)), _name(draw, drawn)


def _said(draw: Any, drawn: Drawn, what: str) -> None:
    if draw(st.integers(0, 3)) == 0:
        text = draw(st.sampled_from(TEXTS))
        drawn.statements.append(f"comment on {what} is {text}")


def _type(draw: Any, drawn: Drawn) -> None:
    place = _place(draw, drawn)
    body = draw(st.sampled_from(["enum ('a', 'b''c')", "struct(x integer, y varchar[])", "bigint"]))
    drawn.statements.append(f"create type {quoted(*place)} as {body}")
    _said(draw, drawn, f"type {quoted(*place)}")


def _sequence(draw: Any, drawn: Drawn) -> None:
    place = _place(draw, drawn)
    manner = draw(st.sampled_from(["", "start 5 increment by 3", "minvalue 1 maxvalue 9 cycle"]))
    drawn.statements.append(f"create sequence {quoted(*place)} {manner}")
    _said(draw, drawn, f"sequence {quoted(*place)}")
    if any('"' in name for name in place):
        # DuckDB's nextval cannot be asked for such a name.
        return
    for _ in range(draw(st.integers(0, 2))):
        drawn.statements.append(f"select nextval({literal(quoted(*place))})")
    drawn.sequences.append(place)


def _macro(draw: Any, drawn: Drawn) -> None:
    made = quoted(*_place(draw, drawn))
    body = draw(
        st.sampled_from(
            ["(a, b := 5) as a + b", "(a) as a + 1, (a, b) as a * b", "() as 'it''s -- (no) ;'"]
        )
    )
    drawn.statements.append(f"create macro {made}{body}")
    _said(draw, drawn, f"macro {made}")
    if body.startswith("(a, b := 5)"):
        view = _place(draw, drawn)
        drawn.statements.append(f"create view {quoted(*view)} as select {made}(1) as six")
        drawn.relations.append((*view, "six"))


def _table_macro(draw: Any, drawn: Drawn) -> None:
    schema, name, column = draw(st.sampled_from(drawn.relations))
    made = quoted(*_place(draw, drawn))
    drawn.statements.append(
        f"create macro {made}(n := 1) as table select {quoted(column)} as c, n as n"
        f" from {quoted(schema, name)}"
    )
    _said(draw, drawn, f"macro table {made}")


def _table(draw: Any, drawn: Drawn) -> None:
    schema, name = _place(draw, drawn)
    made = quoted(schema, name)
    key_type = draw(st.sampled_from(KEY_TYPES))
    key = _name(draw, drawn)
    key_rule = draw(st.sampled_from(["primary key", "unique not null", ""]))
    parts = [f"{quoted(key)} {key_type} {key_rule}"]
    kinds, columns = [key_type], [key]
    for _ in range(draw(st.integers(1, 5))):
        kind, column = draw(st.sampled_from(sorted(VALUES))), _name(draw, drawn)
        rule = _rule(draw, drawn, kind)
        if rule == " not null":
            drawn.required.add(column)
        parts.append(f"{quoted(column)} {kind}{rule}")
        kinds.append(kind)
        columns.append(column)
    pointing = _foreign_key(draw, drawn, (schema, name), (key, key_type, key_rule), parts)
    if key_type in ("INTEGER", "BIGINT") and draw(st.booleans()):
        generated = _name(draw, drawn)
        parts.insert(
            draw(st.integers(1, len(columns))),
            f"{quoted(generated)} integer generated always as ({quoted(key)} % 7) virtual",
        )
        parts.append(f"check ({quoted(key)} > -100)")
    drawn.statements.append(f"create table {made} ({', '.join(parts)})")
    _rows(draw, drawn, made, (columns, kinds), pointing, is_unique=bool(key_rule))
    if key_rule:
        drawn.keys.append((schema, name, key, key_type))
    drawn.relations.append((schema, name, key))
    if draw(st.integers(0, 2)) == 0:
        unique = "unique" if key_rule else ""
        index = quoted(_name(draw, drawn))
        column = f"{quoted(key)}, ({quoted(key)}::varchar || '(')" if not unique else quoted(key)
        drawn.statements.append(f"create {unique} index {index} on {made} ({column})")
    _said(draw, drawn, f"table {made}")
    _said(draw, drawn, f"column {made}.{quoted(draw(st.sampled_from(columns)))}")


def _rule(draw: Any, drawn: Drawn, kind: str) -> str:
    rule = draw(st.integers(0, 5))
    if rule == 0 and kind in ("INTEGER", "BIGINT") and drawn.sequences:
        sequence = quoted(*draw(st.sampled_from(drawn.sequences)))
        return f" default nextval({literal(sequence)})"
    if rule == 1 and "[" not in kind and "UNION" not in kind:
        return f" default ({draw(st.sampled_from(VALUES[kind]))}::{kind})"
    if rule == 2 and kind == "VARCHAR":
        return " collate nocase"
    return " not null" if rule == 3 else ""


def _foreign_key(
    draw: Any,
    drawn: Drawn,
    place: tuple[str, str],
    key: tuple[str, str, str],
    parts: list[str],
) -> tuple[str, str] | None:
    """Add a key to an earlier table or to the table itself; return its column and its values."""
    column, kind, rule = key
    others = [(name, own, type_) for schema, name, own, type_ in drawn.keys if schema == place[0]]
    choice = draw(st.integers(0, 2))
    if choice == 0 or (choice == 1 and not rule) or (choice == 2 and not others):
        return None
    pointing = _name(draw, drawn)
    target, other, other_kind = (
        (place[1], column, kind) if choice == 1 else draw(st.sampled_from(others))
    )
    parts.append(f"{quoted(pointing)} {other_kind}")
    parts.append(
        f"foreign key ({quoted(pointing)}) references {quoted(place[0], target)} ({quoted(other)})"
    )
    return pointing, f"(select min({quoted(other)}) from {quoted(place[0], target)})"


def _rows(
    draw: Any,
    drawn: Drawn,
    made: str,
    typed: tuple[list[str], list[str]],
    pointing: tuple[str, str] | None,
    *,
    is_unique: bool,
) -> None:
    columns, kinds = typed
    keys = list(VALUES[kinds[0]])
    count = draw(st.integers(0, min(len(keys), 4) if is_unique else 4))
    for row in range(count):
        values = [keys[row % len(keys)]]
        for column, kind in zip(columns[1:], kinds[1:], strict=True):
            choices = [*VALUES[kind], *(["null"] if column not in drawn.required else [])]
            value = draw(st.sampled_from(choices))
            values.append("null" if value == "null" else f"{value}::{kind}")
        listed = list(columns)
        if pointing is not None:
            listed.append(pointing[0])
            values.append(draw(st.sampled_from([pointing[1], "null"])))
        names = ", ".join(quoted(column) for column in listed)
        drawn.statements.append(f"insert into {made} ({names}) values ({', '.join(values)})")


def _view(draw: Any, drawn: Drawn, catalog: str) -> None:
    schema, name, column = draw(st.sampled_from(drawn.relations))
    place, alias = _place(draw, drawn), _name(draw, drawn)
    source = quoted(schema, name)
    if draw(st.booleans()):
        source = quoted(catalog, schema, name)
    body = draw(
        st.sampled_from(
            [
                f"select {quoted(column)} as {quoted(alias)} from {source}",
                f"with w as (select * from {source}) select count(*) as {quoted(alias)} from w",
                f"select {quoted(column)} as {quoted(alias)} from {source} union all"
                f" select {quoted(column)} from {source} order by 1 limit 3",
            ]
        )
    )
    listed = ""
    if draw(st.booleans()):
        alias = _name(draw, drawn)
        listed = f" ({quoted(alias)})"
    drawn.statements.append(f"create view {quoted(*place)}{listed} as {body}")
    _said(draw, drawn, f"view {quoted(*place)}")
    if not listed:
        # DuckDB takes no comment on a column that a view's own list names.
        _said(draw, drawn, f"column {quoted(*place)}.{quoted(alias)}")
    drawn.relations.append((*place, alias))


def build(path: Path, statements: list[str]) -> None:
    """Make a database of statements."""
    with duckdb.connect(str(path)) as raw:
        for statement in statements:
            raw.execute(statement)


CATALOG = {
    "tables": "select schema_name, table_name, sql, comment from duckdb_tables()",
    "views": "select schema_name, view_name, sql, comment from duckdb_views() where not internal",
    "columns": "select schema_name, table_name, column_name, column_index, data_type, is_nullable,"
    " column_default, comment from duckdb_columns() where not internal",
    "constraints": "select schema_name, table_name, constraint_type, constraint_text,"
    " constraint_column_names, referenced_table, referenced_column_names from duckdb_constraints()",
    "indexes": "select schema_name, index_name, table_name, is_unique, sql, comment"
    " from duckdb_indexes()",
    "sequences": "select schema_name, sequence_name, sql, comment from duckdb_sequences()",
    "types": "select schema_name, type_name, type_category, logical_type, labels, comment"
    " from duckdb_types() where not internal",
    "macros": "select schema_name, function_name, function_type, parameters, macro_definition,"
    " comment from duckdb_functions() where not internal",
    "schemas": "select schema_name from duckdb_schemas() where not internal",
}


def everything(path: Path) -> dict[str, list[str]]:
    """Return all definitions and all rows, by the catalog's own tables and as exact text."""
    with duckdb.connect(str(path), read_only=True) as raw:
        found = {
            what: sorted(map(repr, raw.execute(query).fetchall()))
            for what, query in CATALOG.items()
        }
        columns = raw.execute(
            "select schema_name, table_name, list(column_name order by column_index)"
            " from duckdb_columns() where not internal group by all"
        ).fetchall()
        for schema, name, listed in columns:
            exact = ", ".join(
                f"{quoted(column)}::varchar, {quoted(column)} is null, hash({quoted(column)})"
                for column in listed
            )
            rows = raw.execute(f"select {exact} from {quoted(schema, name)}").fetchall()
            found[f"rows of {schema}.{name}"] = sorted(map(repr, rows))
    return found
