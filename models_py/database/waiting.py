"""Results that wait beside the warehouse while another process holds it, and how they get in.

``<warehouse>.waiting/<name>/`` holds one thing that waits: a manifest with a checksum of itself
and of each file, and a parquet file a table. ``<run_id>`` is a run that has ended,
``<run_id>.begun`` a run that works and could not be recorded, ``<run_id>.<table>-<8 hex digits>``
rows of an earlier run.
Whoever opens the warehouse for writing by :func:`open_for_writing` takes all of it in first, each
in one transaction and in the order in which it came, which is a number and no clock.
"""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from models_py.base import checksums, committed, locks
from models_py.base.errors import SegmenthouseError, WarehouseError, WarehouseLockedError
from models_py.database import contract, results
from models_py.database.connection import WAIT_SECONDS, Warehouse, open_warehouse
from models_py.database.locks import is_at_work, remove_sign
from models_py.database.maintenance import fsync

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SUFFIX = ".waiting"
BEGUN, RUN, ROWS = "begun", "run", "rows"
WAITING = "waiting"
"""The status that a run is shown with while its results are not in the warehouse."""

_LOCK = ".lock"
_REPLACED = "replaced.parquet"


class WaitingError(checksums.SavedFilesError):
    """What waits is damaged, or its place in the warehouse is taken."""

    again: ClassVar[str] = "run the study again, and remove that folder"


@dataclass(frozen=True)
class Waiting:
    """One thing that waits.

    Attributes
    ----------
    folder
        Where it lies.
    kind
        ``begun``, ``run`` or ``rows``.
    run_id, study
        Whose it is.
    order
        Its place among all that wait.
    since
        UTC, without zone.
    content
        The manifest.
    problem
        Why it cannot be read, None where it can.
    """

    folder: Path
    kind: str
    run_id: str
    study: str = ""
    order: int = 0
    since: datetime | None = None
    content: Mapping[str, Any] | None = None
    problem: str | None = None

    @property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())


@dataclass(frozen=True)
class Predecessor:
    """What a run's segment ids go by: the study's last finished run and the highest id given."""

    run_id: str | None
    last_segment_id: int


def waiting_root(warehouse_path: Path) -> Path:
    """Return the folder beside a warehouse whose folders wait; it need not be there."""
    file = warehouse_path.resolve()
    return file.with_name(f"{file.name}{SUFFIX}")


def list_waiting(warehouse_path: Path) -> list[Waiting]:
    """Return all that waits for a warehouse, the first to be taken in first."""
    root = waiting_root(warehouse_path)
    if not root.is_dir():
        return []
    folders = [f for f in root.iterdir() if f.is_dir() and not f.name.startswith(".")]
    return sorted(map(_read, folders), key=lambda item: (item.order, item.folder.name))


def remove_waiting(item: Waiting) -> None:
    """Remove what waits, whole: a kill leaves nothing that looks as if it waited."""
    removed = item.folder.with_name(f".{item.folder.name}.removed-{secrets.token_hex(4)}")
    item.folder.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


@contextmanager
def open_for_writing(
    path: Path | None = None,
    *,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[Warehouse]:
    """Open the warehouse for writing, with all that waited for it taken in.

    Parameters and errors are those of :func:`models_py.database.connection.open_warehouse`.
    """
    with open_warehouse(path, wait_seconds=wait_seconds, on_wait=on_wait) as warehouse:
        committed.opened(warehouse.path)
        take_in(warehouse)
        yield warehouse


def take_in(warehouse: Warehouse) -> list[Waiting]:
    """Write all that waits into the warehouse, each in one transaction; return what got in.

    What is damaged, or was matched against a run that is no longer the study's last, stays where
    it is, and standard error says why.
    """
    root = waiting_root(warehouse.path)
    if not root.is_dir():
        return []
    with waiting_lock(warehouse.path):
        for left in root.glob(".*-*"):
            shutil.rmtree(left, ignore_errors=True)
        return [item for item in list_waiting(warehouse.path) if _is_taken_in(warehouse, item)]


@contextmanager
def waiting_lock(warehouse_path: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to add to what waits, or to take it in."""
    root = waiting_root(warehouse_path)
    try:
        root.mkdir(exist_ok=True)
        with locks.hold(root / _LOCK, wait_seconds):
            yield
    except locks.HeldError as error:
        raise WarehouseLockedError(f"{root} is being written by {error}: run again") from error


def predecessor(
    warehouse_path: Path, study: str, recorded: Predecessor
) -> tuple[Predecessor, Waiting | None]:
    """Return what the next run's ids go by, counting runs that wait, and the last of these.

    Parameters
    ----------
    warehouse_path
        The DuckDB file; its :func:`waiting_lock` is held.
    study
        The study.
    recorded
        What the warehouse itself says.
    """
    last, highest = None, recorded.last_segment_id
    for item in list_waiting(warehouse_path):
        if item.study == study and item.content and item.content.get("status") == contract.DONE:
            if item.content["facts"].get("status") != contract.CHALLENGER:
                last = item
            highest = max(highest, int(item.content["highest_segment_id"]))
    if last is None:
        return Predecessor(recorded.run_id, highest), None
    return Predecessor(last.run_id, highest), last


def read_waiting_assignments(item: Waiting) -> pd.DataFrame:
    """Return ``entity_id``, ``partition`` and ``segment_id`` of a run that waits."""
    rows = _read_rows(item, contract.assignments.name)
    frame: pd.DataFrame = rows.select(["entity_id", "partition", "segment_id"]).to_pandas()
    return frame.sort_values("entity_id", ignore_index=True)


def stage_begun(warehouse_path: Path, start: results.RunStart) -> Path:
    """Let it wait that a run has begun: killed, it is recorded as failed by the next taking in."""
    with waiting_lock(warehouse_path):
        return _stage(warehouse_path, f"{start.run_id}.{BEGUN}", BEGUN, _started(start), {})


def stage_run(
    warehouse_path: Path,
    start: results.RunStart,
    facts: Mapping[str, object],
    rows: Mapping[str, pa.Table],
    matched: Predecessor,
) -> Path:
    """Let a finished run's rows wait.

    Parameters
    ----------
    warehouse_path
        The DuckDB file; its :func:`waiting_lock` is held.
    start, facts
        What stands in ``results.runs``.
    rows
        As :func:`models_py.database.results.run_rows` gives them.
    matched
        What the segment ids were matched against.
    """
    new = [int(n) for n in rows[contract.segment_registry.name]["segment_id"].to_numpy()]
    content = {
        **_started(start),
        "status": contract.DONE,
        "ended_at": results.utc_now().isoformat(),
        "facts": dict(facts),
        "predecessor": asdict(matched),
        "highest_segment_id": max([matched.last_segment_id, *new]),
    }
    folder = waiting_root(warehouse_path) / start.run_id
    stays = f"run {start.run_id} is done and its results wait in {folder}"
    return _stage(warehouse_path, start.run_id, RUN, content, rows, stays)


def stage_failure(warehouse_path: Path, start: results.RunStart, reason: str) -> Path:
    """Let it wait why a run failed."""
    content = {
        **_started(start),
        "status": contract.FAILED,
        "ended_at": results.utc_now().isoformat(),
        "facts": {"error": reason},
    }
    with waiting_lock(warehouse_path):
        return _stage(warehouse_path, start.run_id, RUN, content, {})


def stage_rows(
    warehouse_path: Path, table: str, run_id: str, rows: pa.Table, replaced: pa.Table | None = None
) -> Path:
    """Let rows of a finished run wait; parameters as of :func:`~.results.put_rows`."""
    name = f"{run_id}.{table}-{secrets.token_hex(4)}"
    content = {"run_id": run_id, "table": table, "replaces": replaced is not None}
    files = {table: rows} if replaced is None else {table: rows, Path(_REPLACED).stem: replaced}
    stays = f"rows of {contract.SCHEMA}.{table} wait in {waiting_root(warehouse_path) / name}"
    with waiting_lock(warehouse_path):
        return _stage(warehouse_path, name, ROWS, content, files, stays)


def _started(start: results.RunStart) -> dict[str, Any]:
    stated = asdict(start) | {"started_at": start.started_at.isoformat()}
    return {"run_id": start.run_id, "study": start.study, "start": stated}


def _stage(
    warehouse_path: Path,
    name: str,
    kind: str,
    content: Mapping[str, Any],
    rows: Mapping[str, pa.Table],
    stays: str = "",
) -> Path:
    from pyarrow import parquet

    root = waiting_root(warehouse_path)
    orders = [item.order for item in list_waiting(warehouse_path)]
    unfinished = root / f".{name}.unfinished-{secrets.token_hex(4)}"
    try:
        unfinished.mkdir()
        for table, table_rows in rows.items():
            parquet.write_table(table_rows, unfinished / f"{table}.parquet")
        stated = {
            "kind": kind,
            "order": max(orders, default=0) + 1,
            "since": results.utc_now().isoformat(),
            **content,
        }
        checksums.write_manifest(unfinished, stated, checksums.files_in(unfinished))
        for file in unfinished.iterdir():
            fsync.sync_file(file)
        committed.rename(unfinished, root / name, stays)
        fsync.sync_folder(root)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise WarehouseError(
            f"{root}: the results cannot wait there ({error.strerror or error}): free space or"
            " mend its rights, and run again"
        ) from error
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return root / name


def _read(folder: Path) -> Waiting:
    try:
        content = checksums.read_manifest(folder, WaitingError)
        return Waiting(
            folder,
            str(content["kind"]),
            str(content["run_id"]),
            str(content.get("study", "")),
            int(content["order"]),
            datetime.fromisoformat(content["since"]),
            content,
        )
    except (WaitingError, KeyError, ValueError, TypeError) as error:
        return Waiting(folder, RUN, folder.name.split(".")[0], problem=str(error))


def _is_taken_in(warehouse: Warehouse, item: Waiting) -> bool:
    try:
        if item.problem is not None:
            raise WaitingError(item.problem)
        _TAKERS[item.kind](warehouse, item)
    except SegmenthouseError as error:
        print(f"note: {item.folder} still waits: {error}", file=sys.stderr)
        return False
    remove_waiting(item)
    return True


def _take_begun(warehouse: Warehouse, item: Waiting) -> None:
    if item.folder.with_name(item.run_id).is_dir():
        return  # It has ended since, and that waits too.
    start = _start_of(item)
    with warehouse.transaction():
        results.record_start(warehouse, start)
    if not is_at_work(warehouse.path, item.run_id):
        reason = f"its process {start.process_id} on {start.host} ended without finishing it"
        results.fail_run(warehouse, item.run_id, reason)
        remove_sign(warehouse.path, item.run_id)


def _take_run(warehouse: Warehouse, item: Waiting) -> None:
    content = _content_of(item)
    start = _start_of(item)
    facts = {**content["facts"], "ended_at": datetime.fromisoformat(content["ended_at"])}
    with warehouse.transaction():
        results.record_start(warehouse, start)
        if results.status_of(warehouse, item.run_id) in contract.FINISHED:
            return
        if content["status"] == contract.FAILED:
            results.end_run(warehouse, item.run_id, contract.FAILED, facts)
            return
        _require_predecessor(warehouse, item, Predecessor(**content["predecessor"]))
        rows = {Path(name).stem: _read_rows(item, Path(name).stem) for name in content["files"]}
        results.write_run(warehouse, item.run_id, facts, rows)


def _require_predecessor(warehouse: Warehouse, item: Waiting, matched: Predecessor) -> None:
    now = recorded_predecessor(warehouse, item.study)
    if now != matched:
        raise WaitingError(
            f"its segments were matched with run {matched.run_id or 'none'} of"
            f" {item.study}, and run {now.run_id or 'none'} is the last by now, so that"
            f" their ids would name other segments; {WaitingError.again}"
        )


def recorded_predecessor(warehouse: Warehouse, study: str) -> Predecessor:
    """Return what the next run's segment ids go by, as the warehouse itself says."""
    previous = results.latest_run(warehouse, study)
    there = f"{contract.SCHEMA}.{contract.segment_registry.name}" in warehouse.relations()
    return Predecessor(previous, results.last_segment_id(warehouse, study) if there else 0)


def _take_rows(warehouse: Warehouse, item: Waiting) -> None:
    content = _content_of(item)
    tables = {table.name: table for table in contract.RUN_TABLES}
    if content["table"] not in tables:
        raise WaitingError(f"there is no table {content['table']}; {WaitingError.again}")
    if results.status_of(warehouse, item.run_id) not in contract.FINISHED:
        raise WaitingError(f"run {item.run_id} is not in the warehouse; remove that folder")
    replaced = _read_rows(item, Path(_REPLACED).stem) if content["replaces"] else None
    rows = _read_rows(item, content["table"])
    with warehouse.transaction():
        results.put_rows(warehouse, tables[content["table"]], item.run_id, rows, replaced)


def _content_of(item: Waiting) -> Mapping[str, Any]:
    content = item.content or {}
    checksums.check_files(item.folder, content["files"], WaitingError)
    return content


def _start_of(item: Waiting) -> results.RunStart:
    stated = dict((item.content or {})["start"])
    return results.RunStart(**stated | {"started_at": datetime.fromisoformat(stated["started_at"])})


def _read_rows(item: Waiting, table: str) -> pa.Table:
    from pyarrow import parquet

    return parquet.read_table(item.folder / f"{table}.parquet", memory_map=False)


_TAKERS: dict[str, Callable[[Warehouse, Waiting], None]] = {
    BEGUN: _take_begun,
    RUN: _take_run,
    ROWS: _take_rows,
}


def waiting_runs(warehouse_path: Path) -> list[tuple[Waiting, str]]:
    """Return the runs that a list of runs must show beside the recorded ones, and how they stand.

    A run whose results wait is ``waiting``; one that could not be recorded is ``running`` or
    ``failed``.
    """
    items = list_waiting(warehouse_path)
    ended = {item.run_id for item in items if item.kind == RUN}
    return [
        (item, _status(warehouse_path, item))
        for item in items
        if item.kind == RUN or (item.kind == BEGUN and item.run_id not in ended)
    ]


def _status(warehouse_path: Path, item: Waiting) -> str:
    if item.kind == BEGUN:
        at_work = is_at_work(warehouse_path, item.run_id)
        return contract.RUNNING if at_work else contract.FAILED
    has_failed = item.content is not None and item.content["status"] == contract.FAILED
    return contract.FAILED if has_failed else WAITING
