"""Proof that two tables hold the same rows: how many, and a hash over all their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models_py.database.catalog import Name
from models_py.database.connection import Warehouse, quoted
from models_py.progress import Progress, Silent


@dataclass(frozen=True)
class Fingerprint:
    """A table's content.

    Attributes
    ----------
    rows
        How many.
    content
        Sum over the rows of a 64-bit hash of each row's values, in decimal: the same whatever
        the order of the rows, another one when a value or a repeated row differs.
    columns
        Names and types in order.
    """

    rows: int
    content: str
    columns: tuple[tuple[str, str], ...]


def take_fingerprint(
    warehouse: Warehouse, database: str, name: Name, without_runs: Sequence[str] = ()
) -> Fingerprint:
    """Read a whole table and return its fingerprint.

    Parameters
    ----------
    warehouse
        The open warehouse.
    database
        The attached database that holds the table.
    name
        The table.
    without_runs
        Rows with these ``run_id`` are left out.
    """
    columns = warehouse.rows(
        "select column_name, data_type from duckdb_columns() where database_name = ?"
        " and schema_name = ? and table_name = ? order by column_index",
        [database, name.schema, name.name],
    )
    values = ", ".join(quoted(column) for column, _ in columns)
    source = quoted(database, name.schema, name.name)
    kept = " where not list_contains(?, run_id)" if without_runs else ""
    found = warehouse.rows(
        f"select count(*), coalesce(sum(hash({values})), 0)::varchar from {source}{kept}",
        [list(without_runs)] if without_runs else [],
    )
    rows, content = found[0]
    return Fingerprint(int(rows), str(content), tuple((str(a), str(b)) for a, b in columns))


def take_fingerprints(
    warehouse: Warehouse,
    database: str,
    names: Sequence[Name],
    progress: Progress | None = None,
    without_runs: Mapping[Name, Sequence[str]] | None = None,
) -> dict[Name, Fingerprint]:
    """Return the fingerprint of each table."""
    progress = progress or Silent()
    taken = {}
    for done, name in enumerate(names):
        progress.advance(done, len(names))
        left_out = (without_runs or {}).get(name, ())
        taken[name] = take_fingerprint(warehouse, database, name, left_out)
    return taken


def differences(before: Mapping[Name, Fingerprint], after: Mapping[Name, Fingerprint]) -> list[str]:
    """Return in words how two sets of tables differ; empty where they are the same."""
    found = [f"{name} is missing" for name in before if name not in after]
    for name, was in before.items():
        now = after.get(name)
        if now is None or now == was:
            continue
        if now.rows != was.rows:
            found.append(f"{name} has {now.rows:,} rows instead of {was.rows:,}")
        elif now.columns != was.columns:
            found.append(f"{name} has other columns")
        else:
            found.append(f"{name} has other values in its {was.rows:,} rows")
    return found
