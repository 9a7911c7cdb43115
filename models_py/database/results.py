"""Writing runs: begun in one transaction, finished in one other, never half there."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from models_py.base.sql_text import literal
from models_py.database import contract
from models_py.database.connection import Warehouse
from models_py.database.history import history_view
from models_py.database.locks import is_at_work, remove_sign

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import Table

VIEW_COLUMNS = (
    "run_id",
    "partition",
    "segment_id",
    "segment_name",
    "is_stable",
    "confidence",
    "silhouette",
    "is_outlier",
)
"""Columns of a study's view beside the entity's own."""


@dataclass(frozen=True)
class RunStart:
    """What is known of a run before it reads anything.

    Attributes
    ----------
    run_id
        Begins with the start time by the clock, which may be wrong: the order of runs is that of
        their numbers, which the warehouse gives.
    started_at
        UTC, without zone.
    process_id, host
        Who is at work on it.
    """

    run_id: str
    study: str
    started_at: datetime
    seed: int
    source_table: str
    entity_column: str
    parameters: str
    versions: str
    process_id: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)


def utc_now() -> datetime:
    """Return the time in UTC without its zone, as the tables keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_run_id(now: datetime) -> str:
    """Return an id that begins with the time and that two runs of one moment do not share."""
    return f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"


def begin_run(warehouse: Warehouse, start: RunStart) -> None:
    """Record a running run, and runs whose process is gone as failed.

    Within :func:`models_py.database.locks.run_lock`, or the next start takes it for dead.
    """
    with warehouse.transaction():
        _create_tables(warehouse)
        mark_dead_runs(warehouse)
        _insert_start(warehouse, start)


def record_start(warehouse: Warehouse, start: RunStart) -> None:
    """Record a run as running where it is not recorded yet; inside the open transaction."""
    _create_tables(warehouse)
    _insert_start(warehouse, start)


def _insert_start(warehouse: Warehouse, start: RunStart) -> None:
    if status_of(warehouse, start.run_id) is None:
        warehouse.connection.execute(
            contract.runs.insert().values(
                **asdict(start), status=contract.RUNNING, number=_next_number(warehouse)
            )
        )


def status_of(warehouse: Warehouse, run_id: str) -> str | None:
    """Return how a run stands, None where it is not recorded."""
    if f"{contract.SCHEMA}.{contract.runs.name}" not in warehouse.relations():
        return None
    records = warehouse.rows(
        f"select status from {warehouse.quote(contract.SCHEMA, 'runs')} where run_id = ?", [run_id]
    )
    return str(records[0][0]) if records else None


def failed_runs(warehouse: Warehouse) -> list[str]:
    """Return the ids of the runs that are recorded as failed."""
    records = warehouse.rows(
        f"select run_id from {contract.SCHEMA}.runs where status = ?", [contract.FAILED]
    )
    return [str(run_id) for (run_id,) in records]


def fail_run(warehouse: Warehouse, run_id: str, reason: str) -> None:
    """Record why a run failed; one whose results are there is done, whatever came after."""
    with warehouse.transaction():
        if status_of(warehouse, run_id) not in contract.FINISHED:
            end_run(warehouse, run_id, contract.FAILED, {"error": reason})


def finish_run(
    warehouse: Warehouse,
    run_id: str,
    facts: Mapping[str, object],
    tables: Mapping[str, pd.DataFrame],
    new_segments: pd.DataFrame,
) -> None:
    """Write all of a run's rows, mark it done and point the study's view at it.

    A challenger is marked as one, and the view stays where it is.

    Parameters
    ----------
    warehouse
        The open warehouse.
    run_id
        The run, which :func:`begin_run` recorded.
    facts
        Columns of ``runs`` that are known now; a challenger's with its ``status``.
    tables
        Rows for tables of ``contract.RUN_TABLES`` by name, without ``run_id``.
    new_segments
        Rows for ``segment_registry``.
    """
    stays = f"run {run_id} is done and its results are in the warehouse"
    with warehouse.transaction(stays):
        write_run(warehouse, run_id, facts, run_rows(run_id, tables, new_segments))


def run_rows(
    run_id: str, tables: Mapping[str, pd.DataFrame], new_segments: pd.DataFrame
) -> dict[str, pa.Table]:
    """Return all rows of a run by table, as they are written; parameters as :func:`finish_run`."""
    import pyarrow as pa

    frames = {name: frame.assign(run_id=run_id) for name, frame in tables.items()}
    frames[contract.segment_registry.name] = new_segments.assign(first_run_id=run_id)
    return {
        name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()
    }


def write_run(
    warehouse: Warehouse, run_id: str, facts: Mapping[str, object], rows: Mapping[str, pa.Table]
) -> None:
    """Write what :func:`run_rows` gives and mark the run done; inside the open transaction."""
    by_name = {table.name: table for table in contract.ALL_TABLES}
    for name, table_rows in rows.items():
        warehouse.append(by_name[name], table_rows)
    end_run(warehouse, run_id, contract.DONE, {**facts, "error": None})
    if status_of(warehouse, run_id) == contract.DONE:
        _point_view(warehouse, run_id)


def stand(warehouse: Warehouse, study: str, run_id: str) -> list[str]:
    """Make a finished run its study's standing run, inside the open transaction.

    Runs that are done and newer are retired: the standing run is the newest that is done.

    Returns
    -------
    list of str
        The runs that were retired.
    """
    runs = warehouse.quote(contract.SCHEMA, contract.runs.name)
    _create_tables(warehouse)
    newer = warehouse.rows(
        f"select run_id, number from {runs} where study = $1 and status = $2 and number >"
        f" (select number from {runs} where run_id = $3) order by number",
        [study, contract.DONE, run_id],
    )
    retired = [str(newer_id) for newer_id, _ in newer]
    change = f"update {runs} set status = ? where list_contains(?, run_id)"
    warehouse.rows(change, [contract.RETIRED, retired])
    warehouse.rows(change, [contract.DONE, [run_id]])
    ((source,),) = warehouse.rows(f"select source_table from {runs} where run_id = ?", [run_id])
    if source in warehouse.relations():
        _point_view(warehouse, run_id)
    return retired


def mark_dead_runs(warehouse: Warehouse) -> int:
    """Record as failed the running runs that no process works on; return how many."""
    runs = contract.runs
    running = warehouse.connection.execute(
        runs.select().where(runs.c.status == contract.RUNNING)
    ).all()
    dead = [run for run in running if not is_at_work(warehouse.path, run.run_id)]
    for run in dead:
        reason = f"its process {run.process_id} on {run.host} ended without finishing it"
        end_run(warehouse, run.run_id, contract.FAILED, {"error": reason})
        remove_sign(warehouse.path, run.run_id)
    return len(dead)


def _next_number(warehouse: Warehouse) -> int:
    runs = warehouse.quote(contract.SCHEMA, contract.runs.name)
    return int(warehouse.rows(f"select coalesce(max(number), 0) + 1 from {runs}")[0][0])


def order_of_runs(warehouse: Warehouse) -> str:
    """Return the SQL expression that sorts ``results.runs``, the newest last.

    A warehouse of an earlier version has no numbers until it is written: there it is the id.
    """
    columns = warehouse.columns(contract.SCHEMA, contract.runs.name)
    return "(coalesce(number, 0), run_id)" if "number" in columns else "run_id"


def latest_run(warehouse: Warehouse, study: str) -> str | None:
    """Return the standing run of a study: the newest that is done."""
    if f"{contract.SCHEMA}.{contract.runs.name}" not in warehouse.relations():
        return None
    records = warehouse.rows(
        f"select max_by(run_id, {order_of_runs(warehouse)})"
        f" from {warehouse.quote(contract.SCHEMA, 'runs')} where study = ? and status = ?",
        [study, contract.DONE],
    )
    return None if records[0][0] is None else str(records[0][0])


def done_runs(
    warehouse: Warehouse, columns: Sequence[str], run_id: str | None = None
) -> list[tuple[Any, ...]]:
    """Return columns of ``results.runs`` for the runs that are done, the oldest first, or for one.

    The last of a study is its standing run. The one asked for may be a challenger or retired,
    too. There are none where nothing ever ran, or where the run is not there or did not finish.
    """
    if f"{contract.SCHEMA}.{contract.runs.name}" not in warehouse.relations():
        return []
    return warehouse.rows(
        f"select {', '.join(map(warehouse.quote, columns))}"
        f" from {warehouse.quote(contract.SCHEMA, contract.runs.name)}"
        " where list_contains($1, status) and run_id = coalesce($2, run_id)"
        f" order by {order_of_runs(warehouse)}",
        [[contract.DONE] if run_id is None else list(contract.FINISHED), run_id],
    )


def read_assignments(warehouse: Warehouse, run_id: str) -> pd.DataFrame:
    """Return a run's ``entity_id``, ``partition`` and ``segment_id``."""
    return warehouse.frame(
        "select entity_id, partition, segment_id from"
        f" {warehouse.quote(contract.SCHEMA, 'assignments')} where run_id = ? order by entity_id",
        [run_id],
    )


def entity_column(warehouse: Warehouse, run_id: str) -> str:
    """Return the column of a run's table that tells its rows apart."""
    ((column,),) = warehouse.rows(
        f"select coalesce(max(entity_column), '')"
        f" from {warehouse.quote(contract.SCHEMA, 'runs')} where run_id = ?",
        [run_id],
    )
    return str(column)


def segment_names(warehouse: Warehouse, run_id: str) -> dict[int, str]:
    """Return the names of a run's segments by their ids."""
    rows = warehouse.rows(
        f"select segment_id, name from {warehouse.quote(contract.SCHEMA, 'segments')}"
        " where run_id = ? order by segment_id",
        [run_id],
    )
    return {int(segment_id): str(name) for segment_id, name in rows}


def read_run_rows(warehouse: Warehouse, table: Table, run_id: str) -> pd.DataFrame:
    """Return a run's rows of one table of the contract, in the order of its columns.

    A warehouse of an earlier version may lack the table or some columns: then there are no
    rows, or no such columns.
    """
    import pandas as pd

    if not warehouse.has_table(contract.SCHEMA, table.name):
        return pd.DataFrame(columns=[column.name for column in table.columns])
    return warehouse.frame(
        f"select * from {warehouse.quote(contract.SCHEMA, table.name)} where run_id = ?"
        " order by all",
        [run_id],
    )


def frame_rows(run_id: str, rows: pd.DataFrame) -> pa.Table:
    """Return rows with the run that they are of."""
    import pyarrow as pa

    return pa.Table.from_pandas(rows.assign(run_id=run_id), preserve_index=False)


def score_rows(run_id: str, scored: pd.DataFrame, scored_at: datetime) -> tuple[pa.Table, pa.Table]:
    """Return rows of ``results.scores`` and the entities whose earlier ones they replace."""
    import pyarrow as pa

    kept = scored[scored["segment_id"].notna()].astype({"segment_id": "int64"})
    rows = pa.Table.from_pandas(
        kept.assign(run_id=run_id, scored_at=scored_at), preserve_index=False
    )
    return rows, pa.table({"entity_id": pa.array(scored["entity_id"], pa.string())})


def put_rows(
    warehouse: Warehouse,
    table: Table,
    run_id: str,
    rows: pa.Table,
    replaced: pa.Table | None = None,
) -> None:
    """Put rows in the place of a finished run's earlier ones; inside the open transaction.

    Parameters
    ----------
    warehouse
        Open for writing.
    table
        Of ``contract.RUN_TABLES``.
    run_id
        The run.
    rows
        With ``run_id``.
    replaced
        ``entity_id`` of the earlier rows that go; all of the run's where it is None.
    """
    _create_tables(warehouse)
    target = warehouse.quote(contract.SCHEMA, table.name)
    if replaced is None:
        warehouse.rows(f"delete from {target} where run_id = ?", [run_id])
    else:
        warehouse.raw.register("replaced_rows", replaced)
        try:
            warehouse.rows(
                f"delete from {target} where run_id = ?"
                " and entity_id in (select entity_id from replaced_rows)",
                [run_id],
            )
        finally:
            warehouse.raw.unregister("replaced_rows")
    warehouse.append(table, rows)


def last_segment_id(warehouse: Warehouse, study: str) -> int:
    """Return the highest segment id that the study ever gave, 0 before the first."""
    records = warehouse.rows(
        f"select coalesce(max(segment_id), 0) from"
        f" {warehouse.quote(contract.SCHEMA, 'segment_registry')} where study = ?",
        [study],
    )
    return int(records[0][0])


def _create_tables(warehouse: Warehouse) -> None:
    from sqlalchemy.schema import CreateSchema

    warehouse.connection.execute(CreateSchema(contract.SCHEMA, if_not_exists=True))
    there = warehouse.columns_of(contract.SCHEMA)
    for table in contract.ALL_TABLES:
        if table.name not in there:
            warehouse.create(table)
        else:
            _add_missing_columns(warehouse, table, there[table.name])
    _number_earlier_runs(warehouse)
    warehouse.rows(history_view())


def _number_earlier_runs(warehouse: Warehouse) -> None:
    """Give the runs of an earlier version their numbers, and let its views go by them."""
    runs = warehouse.quote(contract.SCHEMA, contract.runs.name)
    if not warehouse.rows(f"select 1 from {runs} where number is null limit 1"):
        return
    warehouse.rows(
        f"update {runs} as runs set number = numbered.place from (select run_id,"
        " (select coalesce(max(number), 0) from {runs}) + row_number() over (order by run_id)"
        " as place from {runs} where number is null) as numbered"
        " where runs.run_id = numbered.run_id".replace("{runs}", runs)
    )
    there = set(warehouse.relations())
    for run_id, source in warehouse.rows(
        f"select max_by(run_id, number), max_by(source_table, number) from {runs}"
        " where status = ? group by study",
        [contract.DONE],
    ):
        if source in there:
            _point_view(warehouse, run_id)


def _add_missing_columns(warehouse: Warehouse, table: Table, there: Collection[str]) -> None:
    # A warehouse of an earlier version keeps its rows; columns that came since are null there.
    for column in table.columns:
        if column.name not in there:
            kind = column.type.compile(warehouse.connection.dialect)
            warehouse.raw.execute(
                f"alter table {warehouse.quote(contract.SCHEMA, table.name)}"
                f" add column {warehouse.quote(column.name)} {kind}"
            )


def end_run(warehouse: Warehouse, run_id: str, status: str, facts: Mapping[str, object]) -> None:
    """Record how a run ended, with what else is known of it; inside the open transaction."""
    runs = contract.runs
    warehouse.connection.execute(
        runs.update()
        .where(runs.c.run_id == run_id)
        .values(**{"status": status, "ended_at": utc_now(), **facts})
    )


def _point_view(warehouse: Warehouse, run_id: str) -> None:
    runs = contract.runs
    run = warehouse.connection.execute(runs.select().where(runs.c.run_id == run_id)).one()
    schema, _, name = run.source_table.partition(".")
    entity_type = warehouse.columns(schema, name)[run.entity_column]
    assignments = warehouse.quote(contract.SCHEMA, "assignments")
    segments = warehouse.quote(contract.SCHEMA, "segments")
    newest = (
        f"select max_by(run_id, number) from {warehouse.quote(contract.SCHEMA, 'runs')}"
        f" where study = {literal(run.study)} and status = {literal(contract.DONE)}"
    )
    warehouse.raw.execute(
        f"create or replace view {warehouse.quote(contract.SCHEMA, f'{run.study}_latest')} as"
        f" select cast(assignments.entity_id as {entity_type})"
        f" as {warehouse.quote(run.entity_column)},"
        " assignments.run_id, assignments.partition, assignments.segment_id,"
        " segments.name as segment_name, segments.is_stable, assignments.confidence,"
        " assignments.silhouette, assignments.is_outlier"
        f" from {assignments} as assignments join {segments} as segments"
        " using (run_id, segment_id)"
        f" where assignments.run_id = ({newest})"
    )
