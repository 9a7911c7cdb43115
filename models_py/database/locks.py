"""One maintenance at a time: cleanups, compactions and restores exclude each other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models_py.base.errors import WarehouseError, WarehouseLockedError
from models_py.database.connection import POLL_SECONDS, process_command

FOLDER_SUFFIX = ".running"


LOCK_SUFFIX = ".maintenance"


@contextmanager
def maintenance_lock(
    path: Path, wait_seconds: float = 0.0, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the right to maintain a warehouse file; the system ends it with the process.

    DuckDB's own lock lets two readers in, and a compaction reads: without this lock two of
    them could swap the file one after the other, and lose what was written in between. The
    lock file stays beside the warehouse, so that nobody locks one that is being removed.

    Raises
    ------
    WarehouseLockedError
        Another process maintains the file; it is named.
    """
    import fcntl

    try:
        descriptor = os.open(f"{path}{LOCK_SUFFIX}", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WarehouseError(
            f"cannot write beside {path} ({error.strerror}): check the rights of {path.parent}"
        ) from error
    try:
        until = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                said = f"another maintenance of {path} is at work: {_holder(descriptor)}"
                if wait_seconds > 0 and on_wait is not None:
                    on_wait(f"waiting up to {wait_seconds:g} s: {said}")
                    on_wait = None
                if time.monotonic() >= until:
                    raise WarehouseLockedError(f"{said}; wait until it is done") from error
                time.sleep(POLL_SECONDS)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
    if not text.isdigit():
        return "a process that is just starting"
    return f"process {text} ({process_command(int(text), 'unknown')})"


@contextmanager
def run_lock(warehouse_path: Path, run_id: str) -> Iterator[None]:
    """Hold the sign that a run is at work.

    Parameters
    ----------
    warehouse_path
        The DuckDB file.
    run_id
        The run; it is recorded as running only inside.

    Raises
    ------
    WarehouseError
        The folder of the warehouse cannot be written, or its file system has no locks.
    """
    import fcntl

    sign = _sign(warehouse_path, run_id)
    try:
        sign.parent.mkdir(exist_ok=True)
        descriptor = os.open(sign, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise WarehouseError(
            f"cannot write and lock a file beside {warehouse_path} ({error.strerror}): check the"
            f" rights of {sign.parent.parent}, or move the warehouse to a local disk"
        ) from error
    try:
        yield
    finally:
        sign.unlink(missing_ok=True)
        os.close(descriptor)


def is_at_work(warehouse_path: Path, run_id: str) -> bool:
    """Tell whether a process, here or elsewhere, is at work on a run of this warehouse.

    Without a sign there is none: a run has its sign before it is recorded and until it has
    ended, and a copied warehouse comes without the signs of runs that work on the first one.
    """
    import fcntl

    try:
        descriptor = os.open(_sign(warehouse_path, run_id), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_sign(warehouse_path: Path, run_id: str) -> None:
    """Take away what a killed run left."""
    _sign(warehouse_path, run_id).unlink(missing_ok=True)


def _sign(warehouse_path: Path, run_id: str) -> Path:
    file = warehouse_path.resolve()
    return file.with_name(f"{file.name}{FOLDER_SUFFIX}") / run_id
