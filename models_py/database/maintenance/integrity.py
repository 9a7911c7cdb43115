"""Is the warehouse whole: rows and customers per layer, duplicates, sums, dangling results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models_py.base.errors import WarehouseError
from models_py.database import contract
from models_py.database.connection import Warehouse, quoted
from models_py.database.results import order_of_runs
from models_py.database.maintenance.catalog import (
    LAYERS,
    TABLE,
    Name,
    Ownership,
    Relation,
    read_ownership,
    read_relations,
)
from models_py.studies.study import SPARK_SAMPLES

CUSTOMER_COLUMNS = ("customer_id", "household_id")
REJECTIONS_SUFFIX = "_rejections"
_REJECTION_COLUMNS = {"source", "left_out_of", "entity", "row_count"}


@dataclass(frozen=True)
class Figure:
    """One thing that was counted.

    Attributes
    ----------
    check
        What kind of figure it is.
    where
        The relation, study or rule.
    value
        The count.
    fault
        What is wrong with it, None where nothing is.
    """

    check: str
    where: str
    value: int
    fault: str | None = None


def check_warehouse(warehouse: Warehouse, manifest: Path | None = None) -> list[Figure]:
    """Count everything that tells whether the warehouse is whole.

    Parameters
    ----------
    warehouse
        The open warehouse; reading is enough.
    manifest
        dbt's manifest, which knows the unique keys; the repository's own by default.
    """
    ownership = read_ownership(warehouse, manifest)
    relations = read_relations(warehouse)
    return [
        *_layers(warehouse, relations),
        *_duplicates(warehouse, relations, ownership),
        *_reconciled(warehouse, relations),
        *_results(warehouse, {str(relation.name) for relation in relations}),
    ]


def faults(figures: Sequence[Figure]) -> list[str]:
    """Return in words what is wrong; empty where all is well."""
    return [f"{figure.where}: {figure.fault}" for figure in figures if figure.fault is not None]


def _layers(warehouse: Warehouse, relations: Sequence[Relation]) -> Iterator[Figure]:
    for layer in LAYERS:
        for relation in relations:
            if relation.name.schema == layer:
                yield from _size(warehouse, relation.name)


def _size(warehouse: Warehouse, name: Name) -> Iterator[Figure]:
    try:
        yield Figure("rows", str(name), _count(warehouse, f"select count(*) from {name.sql}"))
        columns = warehouse.columns(name.schema, name.name)
        for column in CUSTOMER_COLUMNS:
            if column in columns:
                distinct_values = f"select count(distinct {quoted(column)}) from {name.sql}"
                yield Figure("customers", str(name), _count(warehouse, distinct_values))
    except WarehouseError as error:
        # A view whose table or file is gone.
        yield Figure("unreadable", str(name), 1, str(error))


def _duplicates(
    warehouse: Warehouse, relations: Sequence[Relation], ownership: Ownership
) -> Iterator[Figure]:
    for relation in relations:
        name = relation.name
        if relation.kind != TABLE:
            continue
        for column in ownership.keys.get(name.key, ()):
            if column not in warehouse.columns(name.schema, name.name):
                continue
            key = quoted(column)
            twice = _count(
                warehouse, f"select count({key}) - count(distinct {key}) from {name.sql}"
            )
            fault = f"{twice:,} rows repeat a {column}" if twice else None
            yield Figure("duplicates", f"{name} by {column}", twice, fault)


def _reconciled(warehouse: Warehouse, relations: Sequence[Relation]) -> Iterator[Figure]:
    there = {str(relation.name) for relation in relations}
    for relation in relations:
        name = relation.name
        if name.schema != "silver" or not name.name.endswith(REJECTIONS_SUFFIX):
            continue
        if not warehouse.columns(name.schema, name.name).keys() >= _REJECTION_COLUMNS:
            continue
        domain = name.name.removesuffix(REJECTIONS_SUFFIX)
        rejected = warehouse.rows(
            f"select source, left_out_of, entity, sum(row_count)::bigint from {name.sql}"
            " where left_out_of like 'silver.%' and entity in ('line', 'customer')"
            " group by all order by all"
        )
        for source, target, entity, count in rejected:
            bronze = f"bronze.{domain}_{source}_lines"
            if bronze in there and target in there:
                yield _difference(warehouse, bronze, str(target), str(entity), int(count))


def _difference(
    warehouse: Warehouse, bronze: str, silver: str, entity: str, rejected: int
) -> Figure:
    counts = []
    for relation in (bronze, silver):
        schema, name = relation.split(".", 1)
        key = next(
            (column for column in CUSTOMER_COLUMNS if column in warehouse.columns(schema, name)), ""
        )
        what = f"distinct {quoted(key)}" if entity == "customer" and key else "*"
        counts.append(_count(warehouse, f"select count({what}) from {quoted(schema, name)}"))
    lost = counts[0] - counts[1] - rejected
    where = f"{entity}s: {bronze} = {silver} + {rejected:,} rejected"
    return Figure("reconciled", where, lost, f"{lost:,} are not explained" if lost else None)


def _results(warehouse: Warehouse, there: set[str]) -> Iterator[Figure]:
    wanted = [contract.runs, contract.segments, contract.assignments]
    if any(f"{contract.SCHEMA}.{table.name}" not in there for table in wanted):
        return
    runs, segments, assignments = (Name(contract.SCHEMA, table.name).sql for table in wanted)
    unfinished = _count(
        warehouse, f"select count(*) from {runs} where status = ?", [contract.RUNNING]
    )
    fault = (
        "running, or killed: the next run_clustering marks the dead ones" if unfinished else None
    )
    yield Figure("unfinished runs", "results.runs", unfinished, fault)
    yield from _rows_without_run(warehouse, there, runs)
    dangling = _count(
        warehouse,
        f"select count(*) from {assignments} as a anti join {segments} as s"
        " on a.run_id = s.run_id and a.partition = s.partition and a.segment_id = s.segment_id",
    )
    fault = f"{dangling:,} assignments to a segment that does not exist" if dangling else None
    yield Figure("dangling segments", "results.assignments", dangling, fault)
    yield from _entities(warehouse, there, runs, assignments)


def _rows_without_run(warehouse: Warehouse, there: set[str], runs: str) -> Iterator[Figure]:
    for table in contract.RUN_TABLES:
        name = Name(contract.SCHEMA, table.name)
        if str(name) not in there:
            continue
        count = _count(
            warehouse,
            f"select count(*) from {name.sql} as t anti join"
            f" (select run_id from {runs} where list_contains(?, status)) as r"
            " on t.run_id = r.run_id",
            [list(contract.FINISHED)],
        )
        fault = f"{count:,} rows of runs that did not finish" if count else None
        yield Figure("rows without a finished run", str(name), count, fault)


def _entities(
    warehouse: Warehouse, there: set[str], runs: str, assignments: str
) -> Iterator[Figure]:
    newest = order_of_runs(warehouse)
    latest = warehouse.rows(
        f"select study, max_by(run_id, {newest}), max_by(source_table, {newest}),"
        f" max_by(entity_column, {newest}) from {runs} where status = ? group by study order by 1",
        [contract.DONE],
    )
    for study, run_id, source, column in latest:
        where = f"{study}, latest run"
        if source.startswith(f"{SPARK_SAMPLES}."):
            # Here is a sample of its table alone.
            continue
        if source not in there:
            yield Figure("dangling entities", where, 0, f"its table {source} is gone")
            continue
        gone = _count(
            warehouse,
            f"select count(*) from {assignments} as a anti join"
            f" {quoted(*source.split('.', 1))} as s"
            f" on a.entity_id = cast(s.{quoted(column)} as varchar) where a.run_id = ?",
            [run_id],
        )
        fault = (
            f"{gone:,} of its entities are no longer in {source}: run it again" if gone else None
        )
        yield Figure("dangling entities", where, gone, fault)


def _count(warehouse: Warehouse, sql: str, values: Sequence[object] = ()) -> int:
    records = warehouse.rows(sql, values)
    if len(records) != 1:
        raise WarehouseError(f"{warehouse.path.name}: a count gave {len(records)} rows")
    return int(records[0][0])
