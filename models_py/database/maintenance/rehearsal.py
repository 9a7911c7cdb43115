"""Making definitions in an empty database in memory: do they work, in which order, what else.

The database is one of its own: whatever happens in it touches no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from models_py.base.errors import WarehouseError
from models_py.base.sql_text import literal
from models_py.database.connection import Warehouse, quoted
from models_py.database.maintenance.definitions import (
    KINDS,
    MACRO,
    TABLE_MACRO,
    Definition,
    different,
    make,
    read_definitions,
    read_macros,
    require_sound,
)


@contextmanager
def empty_database(name: str, storage: str, *, reads_files: bool) -> Iterator[Warehouse]:
    """Open an empty database in memory that is known by a name.

    Parameters
    ----------
    name
        As DuckDB is to know it; views may name it.
    storage
        Version of DuckDB's file format, on which some definitions depend.
    reads_files
        Whether a view may look at files and the network.
    """
    import duckdb

    raw = duckdb.connect()
    warehouse = Warehouse(Path(name), raw)
    try:
        if name != "memory":
            warehouse.rows(
                f"attach ':memory:' as {quoted(name)} (storage_version {literal(storage)})"
            )
            warehouse.rows(f"use {quoted(name)}")
        warehouse.rows("set threads = 1")
        if not reads_files:
            warehouse.rows("set enable_external_access = false")
        yield warehouse
    finally:
        raw.close()


def workable_order(
    definitions: Sequence[Definition], name: str, storage: str
) -> tuple[list[Definition], dict[Definition, str]]:
    """Find an order in which everything can be made; each after what it depends on.

    Parameters
    ----------
    definitions
        In any order.
    name, storage
        Of the database that they come from.

    Returns
    -------
    tuple
        What could be made, in order; and what could not, with DuckDB's reason.
    """
    left = sorted(definitions, key=lambda made: KINDS.index(made.kind))
    done: list[Definition] = []
    reasons: dict[Definition, str] = {}
    with empty_database(name, storage, reads_files=True) as warehouse:
        while left:
            reasons = {}
            for definition in left:
                try:
                    make(warehouse, name, definition)
                    done.append(definition)
                except WarehouseError as error:
                    reasons[definition] = str(error)
            if len(reasons) == len(left):
                break
            left = list(reasons)
        if not left:
            reasons = {}
        else:
            done = [definition for definition in done if definition not in reasons]
        reasons |= _made_otherwise(warehouse, name, done)
    return [made for made in done if made not in reasons], reasons


def _made_otherwise(
    warehouse: Warehouse, name: str, done: Sequence[Definition]
) -> dict[Definition, str]:
    has_macros = any(made.kind in (MACRO, TABLE_MACRO) for made in done)
    now = read_definitions(warehouse, name, with_macros=has_macros)
    return {
        definition: f"it comes back as: {now[definition.key].body[:80]}"
        if definition.key in now
        else "it does not come back"
        for definition in done
        if not definition.is_same(now.get(definition.key))
    }


def require_workable(
    definitions: Sequence[Definition], name: str, storage: str, *, reads_files: bool
) -> None:
    """Prove that definitions from outside do what they say, and only that.

    Each is put to DuckDB's parser first. Then all are made in an empty database in memory, in
    which afterwards must be these things, exactly as they were defined, and no other.

    Raises
    ------
    WarehouseError
        Names the definition and what is wrong with it.
    """
    with empty_database(name, storage, reads_files=reads_files) as warehouse:
        for definition in definitions:
            require_sound(warehouse, definition)
        for definition in definitions:
            try:
                make(warehouse, name, definition)
            except WarehouseError as error:
                raise WarehouseError(
                    f"the {definition} of the backup cannot be made: {error}{_way_out(error)}"
                ) from error
        now = read_definitions(warehouse, name, with_macros=False)
        wanted_macros = {made.key for made in definitions if made.kind in (MACRO, TABLE_MACRO)}
        macros = {made.key for made in read_macros(warehouse, name)} if wanted_macros else set()
    wanted = {made.key: made for made in definitions if made.kind not in (MACRO, TABLE_MACRO)}
    wrong = list(different(wanted, now))
    wrong += macros ^ wanted_macros
    if wrong:
        kind, schema, thing = min(wrong)
        raise WarehouseError(f"the backup's {kind} {schema}.{thing} makes something else")


def _way_out(error: WarehouseError) -> str:
    if "disabled by configuration" in str(error):
        return " (it reads a file: say --allow-files to let it, or leave it out with --only)"
    return ""
