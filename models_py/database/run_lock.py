"""The sign that a run is at work: a file beside the warehouse, locked for as long as it lives.

A run holds the warehouse itself only while it reads and while it writes; in the minutes between
nothing in the database tells a run at work from a killed one. The system gives up a file's lock
with its process, on whatever host and in whatever container, where the file system carries
locks between them; on one that does not, DuckDB cannot protect the warehouse either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models_py.base.errors import WarehouseError

FOLDER_SUFFIX = ".running"


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
