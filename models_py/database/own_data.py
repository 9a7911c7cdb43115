"""A user's own file as a table of the warehouse, and what its columns look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from models_py.base.errors import DataError, UsageError, near_match
from models_py.database.connection import Warehouse, quoted, warehouse_errors
from models_py.database.contract import LOADED
from models_py.database.gold import is_number_type
from models_py.database.relations import find_relations
from models_py.studies.column_facts import ColumnFacts

ENDS = 5
"""Values at either end of a column that are looked at for what stands for none."""
LABEL_PARTS = 50
"""Parts by rank that stand for the values of a column with more of them."""


def make_warehouse(path: Path) -> None:
    """Make an empty warehouse where there is none."""
    import duckdb

    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with warehouse_errors(path):
            duckdb.connect(str(path)).close()


def row_count(warehouse: Warehouse, schema: str, name: str) -> int:
    """Return the rows of a table."""
    return row_count_of(warehouse, quoted(schema, name))


def row_count_of(warehouse: Warehouse, table: str) -> int:
    """Return the rows of a table whose name is quoted."""
    ((rows,),) = warehouse.rows(f"select count(*) from {table}")
    return int(rows)


def check_replaceable(warehouse: Warehouse, schema: str, name: str, anew: bool) -> None:
    """Refuse to put a table in the place of another.

    Raises
    ------
    UsageError
        There is one that was not loaded from a file, or that may not be replaced.
    """
    if f"{schema}.{name}" not in warehouse.relations():
        return
    comments = warehouse.rows(
        "select comment from duckdb_tables() where database_name = current_database()"
        " and schema_name = ? and table_name = ?",
        [schema, name],
    )
    if not any((comment or "").startswith(LOADED) for (comment,) in comments):
        raise UsageError(
            f"{schema}.{name} is there already and was not loaded by this command: give another"
            " --name"
        )
    if not anew:
        raise UsageError(
            f"{schema}.{name} is there already: load it anew with --force, use it as it is with"
            f" --input {schema}.{name}, or give another --name"
        )


def check_id(warehouse: Warehouse, schema: str, name: str, entity: str) -> None:
    """Refuse an entity column that does not tell the rows apart.

    Raises
    ------
    DataError
        It is not there, null somewhere, or a value stands twice.
    """
    require_columns(warehouse, schema, name, {"--id": entity})
    column, table = quoted(entity), quoted(schema, name)
    ((rows, known, distinct),) = warehouse.rows(
        f"select count(*), count({column}), count(distinct {column}) from {table}"
    )
    if rows == 0:
        raise DataError(f"{schema}.{name} has no rows")
    if known < rows:
        raise DataError(f"{schema}.{name}: --id {entity} is null on {rows - known:,} rows")
    if distinct < rows:
        raise DataError(
            f"{schema}.{name}: --id {entity} has {distinct:,} values on {rows:,} rows, and a study"
            " needs one row each; a log of transactions goes in with --transactions"
        )


def require_columns(
    warehouse: Warehouse, schema: str, name: str, wanted: Mapping[str, str]
) -> None:
    """Refuse columns that a table does not have.

    Parameters
    ----------
    warehouse, schema, name
        The table.
    wanted
        Option of the command to the column that it names.

    Raises
    ------
    DataError
        The first that is missing, with the nearest one.
    """
    types = warehouse.columns(schema, name)
    for option, column in wanted.items():
        if column not in types:
            raise DataError(
                f"{option} {column}: {schema}.{name} has no such column"
                f"{near_match(column, types)} (it has: {', '.join(types)})"
            )


def column_facts(
    warehouse: Warehouse, schema: str, name: str, entity: str, label: str | None
) -> list[ColumnFacts]:
    """Look at every column of a table but the entity's.

    Parameters
    ----------
    warehouse, schema, name
        The table.
    entity
        Column that tells rows apart.
    label
        Column with known groups, if there is one.
    """
    table, types = quoted(schema, name), warehouse.columns(schema, name)
    facts = [
        _facts(warehouse, table, column, kind, entity, label)
        for column, kind in types.items()
        if column != entity
    ]
    relations = find_relations(warehouse, table, entity, facts)
    return [replace(fact, relations=relations.get(fact.name, ())) for fact in facts]


def _facts(
    warehouse: Warehouse, table: str, name: str, kind: str, entity: str, label: str | None
) -> ColumnFacts:
    column, is_number = quoted(name), is_number_type(kind)
    if kind.startswith(("DATE", "TIME")) and not kind.endswith("]") and name != label:
        return _moment_facts(warehouse, table, name, kind)
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))
    # A number is no time, whatever a cast would make of it; a text with a time begins with digits.
    times = "0"
    if kind == "VARCHAR":
        times = (
            "coalesce(sum(count) filter (case when regexp_matches(value, '^\\s*\\d{1,4}[-/.]')"
            " then try_cast(value as timestamp) is not null else false end), 0)"
        )
    ends = "try_cast(value as double)" if is_number else "null"
    # Values are counted once; everything else is asked of the counts.
    matches = warehouse.rows(
        f"with counted as materialized (select {column} as value, count(*) as count from {table}"
        " group by all), known as (select * from counted where value is not null)"
        " select 'all', cast(min(value) as varchar), cast(max(value) as varchar),"
        f" coalesce(sum(count), 0), count(*), {times}, null from known"
        " union all (select 'common', cast(value as varchar), null, count, null, null, null"
        " from known order by count desc, 2 limit 8)"
        + (
            " union all (select 'low', null, null, count, null, null, " + ends + " from known"
            f" where isfinite({ends}) order by value limit {ENDS})"
            " union all (select 'high', null, null, count, null, null, " + ends + " from known"
            f" where isfinite({ends}) order by value desc limit {ENDS})"
            if is_number
            else ""
        )
    )
    (whole,) = [row for row in matches if row[0] == "all"]
    _, lowest, highest, known, distinct, as_times, _ = whole
    rows = row_count_of(warehouse, table)
    common = sorted(
        (row for row in matches if row[0] == "common"), key=lambda row: (-row[3], row[1])
    )
    share, same = None, 0
    if label is not None and name != label and known:
        share = _label_share(warehouse, table, column, quoted(label), distinct)
    if distinct == rows and not is_nested:
        same = _rows_like_the_id(warehouse, table, column, quoted(entity))
    return ColumnFacts(
        name=name,
        type=kind,
        rows=rows,
        known=int(known),
        distinct=distinct,
        lowest=lowest,
        highest=highest,
        values=tuple(row[1] for row in common),
        top_share=common[0][3] / int(known) if common else 0.0,
        same_as_id=same,
        times=int(as_times or 0),
        label_share=share,
        low=tuple(sorted((float(r[6]), int(r[3])) for r in matches if r[0] == "low")),
        high=tuple(
            sorted(((float(r[6]), int(r[3])) for r in matches if r[0] == "high"), reverse=True)
        ),
    )


def _moment_facts(warehouse: Warehouse, table: str, name: str, kind: str) -> ColumnFacts:
    # No moment is a feature: an estimate of how many there are will do.
    column = quoted(name)
    ((rows, known, lowest, highest, near, is_one),) = warehouse.rows(
        f"select count(*), count({column}), cast(min({column}) as varchar),"
        f" cast(max({column}) as varchar), approx_count_distinct({column}),"
        f" min({column}) = max({column}) from {table}"
    )
    distinct = 0 if not known else 1 if is_one else max(2, min(int(near), int(known)))
    return ColumnFacts(
        name=name,
        type=kind,
        rows=int(rows),
        known=int(known),
        distinct=distinct,
        lowest=lowest,
        highest=highest,
        values=tuple({lowest: None, highest: None} if known else ()),
        top_share=1.0 if distinct == 1 else 0.0,
        same_as_id=0,
        times=0,
        label_share=None,
    )


def _rows_like_the_id(warehouse: Warehouse, table: str, column: str, entity: str) -> int:
    ((rows,),) = warehouse.rows(
        f"select count(*) filter (cast({column} as varchar) = cast({entity} as varchar))"
        f" from {table}"
    )
    return int(rows)


def _label_share(
    warehouse: Warehouse, table: str, column: str, label: str, distinct: int
) -> float | None:
    value = column
    if distinct > LABEL_PARTS:
        value = f"ntile({LABEL_PARTS}) over (order by {column})"
    ((share,),) = warehouse.rows(
        f"with parted as (select {value} as part, {label} as label from {table}"
        f" where {column} is not null and {label} is not null),"
        " counted as (select part, label, count(*) as rows from parted group by all),"
        " best as (select max(rows) as hits, sum(rows) as rows from counted group by part)"
        " select sum(hits) / nullif(sum(rows), 0) from best"
    )
    return None if share is None else float(share)
