"""How a run is recorded, begun and ended, whether or not another process holds the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import committed
from models_py.base.errors import SegmenthouseError, WarehouseLockedError
from models_py.database import contract, results
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.gold import evaluate, evaluate_frame
from models_py.database.results import RunStart
from models_py.database.waiting import (
    Predecessor,
    open_for_writing,
    predecessor,
    read_waiting_assignments,
    recorded_predecessor,
    stage_begun,
    stage_failure,
    stage_rows,
    stage_run,
    waiting_lock,
    waiting_root,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sqlalchemy import Table

    from models_py.describe.explanation import AskGold
    from models_py.studies.study import Study


@dataclass(frozen=True)
class Before:
    """The study's runs as they stood when gold was read."""

    last: Predecessor
    assignments: pd.DataFrame | None


@dataclass(frozen=True)
class Ending:
    """Where a run's results go.

    Attributes
    ----------
    last
        What its segment ids go by.
    assignments
        ``entity_id``, ``partition`` and ``segment_id`` of the run before; None for the first.
    ask_gold
        Runs rules on the gold rows.
    warehouse
        Open for writing; None where another process holds the file.
    holder
        Who does, in words.
    """

    path: Path
    start: RunStart
    last: Predecessor
    assignments: pd.DataFrame | None
    ask_gold: AskGold
    warehouse: Warehouse | None = None
    holder: str = ""

    def finish(
        self,
        facts: Mapping[str, object],
        tables: Mapping[str, pd.DataFrame],
        new_segments: pd.DataFrame,
    ) -> Path | None:
        """Write all of the run's rows, or let them wait; return where they do.

        Parameters are those of :func:`models_py.database.results.finish_run`.
        """
        run_id = self.start.run_id
        if self.warehouse is not None:
            results.finish_run(self.warehouse, run_id, facts, tables, new_segments)
            return None
        rows = results.run_rows(run_id, tables, new_segments)
        return stage_run(self.path, self.start, facts, rows, self.last)


def begin(path: Path, start: RunStart, wait_seconds: float) -> list[str]:
    """Record a running run, in the warehouse or beside it; return the runs known as failed.

    One that reads the file is no hindrance; one that writes it is waited for.

    Raises
    ------
    WarehouseLockedError
        Another process writes the file after the wait.
    """
    try:
        try:
            return _begin(path, start)
        except WarehouseLockedError:
            with open_warehouse(path, read_only=True, wait_seconds=wait_seconds):
                pass
        try:
            return _begin(path, start)
        except WarehouseLockedError:
            stage_begun(path, start)
            return []
    except KeyboardInterrupt as interrupt:
        record_failure(path, start, interrupt)
        raise


def _begin(path: Path, start: RunStart) -> list[str]:
    with open_for_writing(path) as warehouse:
        results.begin_run(warehouse, start)
        return results.failed_runs(warehouse)


@dataclass(frozen=True)
class Written:
    """Where rows are: in the warehouse, or in a folder beside it since a process holds it."""

    waits_in: Path | None = None
    holder: str | None = None


def write_rows(
    path: Path,
    table: Table,
    run_id: str,
    rows: pa.Table,
    replaced: pa.Table | None = None,
    wait_seconds: float = 0.0,
) -> Written:
    """Put rows into the warehouse, or let them wait; see :func:`.results.put_rows`."""
    try:
        with open_for_writing(path, wait_seconds=wait_seconds) as warehouse:
            with warehouse.transaction(f"the rows are in {table.schema}.{table.name}"):
                results.put_rows(warehouse, table, run_id, rows, replaced)
            return Written()
    except WarehouseLockedError as error:
        return Written(stage_rows(path, table.name, run_id, rows, replaced), str(error))


def runs_before(path: Path, study: str, wait_seconds: float) -> Before:
    """Return the study's runs as they stand now."""
    with open_warehouse(path, read_only=True, wait_seconds=wait_seconds) as warehouse:
        last = recorded_predecessor(warehouse, study)
        return Before(last, _assignments(warehouse, last))


@contextmanager
def open_ending(
    path: Path,
    start: RunStart,
    study: Study,
    frame: pd.DataFrame,
    before: Before,
    wait_seconds: float,
) -> Iterator[Ending]:
    """Open the warehouse for a run's results, or, where it stays held, the folder beside it.

    Nobody else ends a run of this warehouse meanwhile: whoever writes it is kept out by this
    process reading it, whoever lets results wait by the lock on what waits. Where the file cannot
    be read either, the study's runs are what they were when gold was read.

    Parameters
    ----------
    path, start, study
        The run.
    frame
        Its gold rows.
    before
        From :func:`runs_before`.
    wait_seconds
        How long another process is waited for.
    """
    schema, name = study.schema_and_name
    asked = (schema, name, study.entity, study.where, study.at_least)
    reads = partial(evaluate, under=study.under)
    with ExitStack() as stack:
        try:
            warehouse = stack.enter_context(open_for_writing(path, wait_seconds=wait_seconds))
        except WarehouseLockedError as error:
            holder = str(error)
        else:
            last = recorded_predecessor(warehouse, study.name)
            rows = _assignments(warehouse, last)
            yield Ending(
                path, start, last, rows, partial(reads, warehouse, *asked), warehouse=warehouse
            )
            return
        stack.enter_context(waiting_lock(path))
        reader = _reader(stack, path)
        recorded = before.last if reader is None else recorded_predecessor(reader, study.name)
        last, waiting = predecessor(path, study.name, recorded)
        if waiting is not None:
            rows = read_waiting_assignments(waiting)
        else:
            rows = before.assignments if reader is None else _assignments(reader, last)
        ask_gold = (
            partial(evaluate_frame, frame, study.entity)
            if reader is None
            else partial(reads, reader, *asked)
        )
        yield Ending(path, start, last, rows, ask_gold, holder=holder)


def _reader(stack: ExitStack, path: Path) -> Warehouse | None:
    try:
        return stack.enter_context(open_warehouse(path, read_only=True))
    except WarehouseLockedError:
        return None


def _assignments(warehouse: Warehouse, last: Predecessor) -> pd.DataFrame | None:
    return None if last.run_id is None else results.read_assignments(warehouse, last.run_id)


def _tell_of_failure(run_id: str) -> None:
    committed.record(f"run {run_id} is recorded as failed and none of its rows was written")


def record_failure(path: Path, start: RunStart, error: BaseException) -> bool:
    """Record why a run failed, in the warehouse or beside it.

    Returns
    -------
    bool
        Whether the results are in the warehouse all the same: what failed came after.
    """
    ours = isinstance(error, SegmenthouseError)
    reason = str(error) if ours else f"{type(error).__name__}: {error}".removesuffix(": ")
    try:
        with open_for_writing(path) as warehouse:
            if results.status_of(warehouse, start.run_id) is None:
                return False
            results.fail_run(warehouse, start.run_id, reason)
            is_done = results.status_of(warehouse, start.run_id) in contract.FINISHED
        if not is_done:
            _tell_of_failure(start.run_id)
        return is_done
    except WarehouseLockedError:
        if (waiting_root(path) / start.run_id).is_dir():
            return True
        stage_failure(path, start, reason)
        _tell_of_failure(start.run_id)
    except SegmenthouseError as unrecorded:
        # The next start of any run finds the dead one and records it.
        error.add_note(f"the run could not be recorded as failed: {unrecorded}")
    return False
