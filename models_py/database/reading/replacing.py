"""Loading under a name that is taken: the earlier relations stand aside until the new ones do."""

from __future__ import annotations

from models_py.database.connection import Warehouse, quoted
from models_py.database.rejections import SUFFIX

ASIDE = "__earlier"
Kinds = dict[tuple[str, str], str]
"""``table`` or ``view`` by schema and name, of everything that is there."""

PARTS_OF_A_LOG = ("checked_lines", "customer_shares", "sales", "returns", "rejections")


def loaded_relations(name: str, *, is_log: bool) -> list[tuple[str, str]]:
    """Return schema and name of what is loaded under a name, and of what dbt makes of a log."""
    if not is_log:
        return [("gold", name), ("silver", f"{name}{SUFFIX}")]
    made = [("bronze", f"{name}_log"), ("bronze", f"{name}_lines"), ("gold", f"{name}_customers")]
    return made + [("silver", f"{name}_{part}") for part in PARTS_OF_A_LOG]


def set_aside(warehouse: Warehouse, name: str, *, is_log: bool) -> None:
    """Give the relations of an earlier load another name; inside the caller's transaction.

    Where an earlier load was killed on its way, what it had set aside is what counts.
    """
    kinds = _kinds(warehouse)
    for schema, relation in loaded_relations(name, is_log=is_log):
        if (schema, f"{relation}{ASIDE}") in kinds:
            _drop(warehouse, kinds, schema, relation)
        else:
            _rename(warehouse, kinds, schema, relation, f"{relation}{ASIDE}")


def bring_back(warehouse: Warehouse, name: str, *, is_log: bool) -> None:
    """Drop what was just loaded, and made of it, and give the earlier load its names again."""
    with warehouse.transaction():
        kinds = _kinds(warehouse)
        for schema, relation in loaded_relations(name, is_log=is_log):
            _drop(warehouse, kinds, schema, relation)
            _rename(warehouse, kinds, schema, f"{relation}{ASIDE}", relation)


def forget_earlier(warehouse: Warehouse, name: str, *, is_log: bool) -> None:
    """Drop the earlier load: the new one stands."""
    with warehouse.transaction():
        kinds = _kinds(warehouse)
        for schema, relation in loaded_relations(name, is_log=is_log):
            _drop(warehouse, kinds, schema, f"{relation}{ASIDE}")


def _kinds(warehouse: Warehouse) -> Kinds:
    records = warehouse.rows(
        "select schema_name, table_name, 'table' from duckdb_tables()"
        " where database_name = current_database() union all"
        " select schema_name, view_name, 'view' from duckdb_views()"
        " where database_name = current_database()"
    )
    return {(schema, name): kind for schema, name, kind in records}


def _drop(warehouse: Warehouse, kinds: Kinds, schema: str, name: str) -> None:
    if kind := kinds.get((schema, name)):
        warehouse.rows(f"drop {kind} {quoted(schema, name)}")


def _rename(warehouse: Warehouse, kinds: Kinds, schema: str, name: str, new: str) -> None:
    if kind := kinds.get((schema, name)):
        warehouse.rows(f"alter {kind} {quoted(schema, name)} rename to {quoted(new)}")
