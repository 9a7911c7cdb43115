"""Giving space back: a copy of the warehouse without holes takes its place in one rename."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models_py.base.errors import WarehouseError
from models_py.base.progress import Progress, Silent
from models_py.base.sql_text import literal
from models_py.database.connection import Warehouse, open_warehouse, quoted
from models_py.database.waiting import open_for_writing
from models_py.database.maintenance import definitions, fsync
from models_py.database.maintenance.catalog import TABLE, current_database, read_relations
from models_py.database.maintenance.fingerprint import differences, take_fingerprints

COPY_SUFFIX = ".compacting"
COPIED = "segmenthouse_copy"
SWAP_GRACE_SECONDS = 0.5


@dataclass(frozen=True)
class Compaction:
    """Bytes of the file before and after; DuckDB does not always shrink."""

    bytes_before: int
    bytes_after: int


def compact(
    path: Path,
    *,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> Compaction:
    """Rewrite the warehouse file without its holes, and swap it in atomically.

    The caller holds the maintenance lock. While the copy is made and proven the old file is
    held for reading, which keeps every writer out and lets readers in. DuckDB must not close
    a writing connection after the swap: it would delete the write-ahead log by its name, and
    by then that name belongs to the new file. So the log is folded in first, and the copy
    starts only when there is none.

    Parameters
    ----------
    path
        The warehouse file.
    wait_seconds
        How long to wait for other processes.
    on_wait
        Called once with who is waited for.
    progress
        Shows each step.

    Raises
    ------
    WarehouseError
        Too little space, or the copy is not the same; the old file stays as it was.
    """
    path, progress = path.resolve(), progress or Silent()
    copy = path.with_name(path.name + COPY_SUFFIX)
    remove_unfinished(path)
    before = path.stat().st_size
    progress.step("folding the write-ahead log in")
    with open_for_writing(path, wait_seconds=wait_seconds, on_wait=on_wait) as warehouse:
        warehouse.rows("checkpoint")
        used = int(
            warehouse.rows("select used_blocks * block_size from pragma_database_size()")[0][0]
        )
    fsync.require_space(path.parent, used, "the compaction")
    try:
        with open_warehouse(
            path, read_only=True, wait_seconds=wait_seconds, on_wait=on_wait
        ) as warehouse:
            require_no_log(path)
            _rewrite(warehouse, copy, progress)
            progress.step("swapping the files")
            _swap(copy, path)
            # A process that opened the old file before the rename and asks for its lock only
            # now still finds it held, and stops; see also connection._connect_current.
            time.sleep(SWAP_GRACE_SECONDS)
    finally:
        remove_unfinished(path)
    return Compaction(before, path.stat().st_size)


def remove_unfinished(path: Path) -> bool:
    """Remove the copy that a killed compaction left behind; return whether there was one."""
    left = [
        path.with_name(path.name + COPY_SUFFIX),
        path.with_name(path.name + COPY_SUFFIX + ".wal"),
    ]
    results = [file for file in left if file.exists()]
    for file in results:
        file.unlink()
    return bool(results)


def require_no_log(path: Path) -> None:
    """Refuse a file whose write-ahead log is not folded in: a copy of it would lack the log.

    Raises
    ------
    WarehouseError
        There is one.
    """
    log = path.with_name(path.name + ".wal")
    if log.exists() and log.stat().st_size > 0:
        raise WarehouseError(f"{log} is not folded into the file: nothing was done, run it again")


def _rewrite(warehouse: Warehouse, copy: Path, progress: Progress) -> None:
    # One connection holds the old file and writes the new one: a second one to the old file
    # in this process would drop the lock on it when it closes.
    source, target = current_database(warehouse), quoted(COPIED)
    file = literal(str(copy))
    progress.step("copying what is left")
    warehouse.rows(f"attach {file} as {target} (read_write, {_storage(warehouse)})")
    warehouse.rows(f"copy from database {quoted(source)} to {target}")
    warehouse.rows(f"detach {target}")
    fsync.sync_file(copy)
    progress.step("proving the copy")
    warehouse.rows(f"attach {file} as {target} (read_only)")
    _require_same(warehouse, source, COPIED, progress)
    warehouse.rows(f"detach {target}")


def _storage(warehouse: Warehouse) -> str:
    version, size = warehouse.rows(
        "select tags['storage_version'], block_size from duckdb_databases()"
        " join pragma_database_size() using (database_name)"
        " where database_name = current_database()"
    )[0]
    return f"storage_version '{str(version).removesuffix('+')}', block_size {int(size)}"


def _require_same(warehouse: Warehouse, source: str, copied: str, progress: Progress) -> None:
    was, now = (definitions.read_definitions(warehouse, name) for name in (source, copied))
    wrong = [
        f"{kind} {schema}.{name} differs"
        for kind, schema, name in sorted(definitions.different(was, now))
    ]
    tables = [
        relation.name for relation in read_relations(warehouse, source) if relation.kind == TABLE
    ]
    before = take_fingerprints(warehouse, source, tables, progress)
    after = take_fingerprints(warehouse, copied, tables, progress)
    wrong += differences(before, after)
    if wrong:
        raise WarehouseError(f"nothing was compacted, the copy differs: {'; '.join(wrong[:5])}")


def _swap(copy: Path, path: Path) -> None:
    status = path.stat()
    os.chmod(copy, status.st_mode & 0o7777)
    # Windows has owners that are no numbers: the copy is the process's own there.
    if hasattr(os, "chown") and (status.st_uid, status.st_gid) != (os.getuid(), os.getgid()):
        os.chown(copy, status.st_uid, status.st_gid)
    os.replace(copy, path)
    fsync.sync_folder(path.parent)
