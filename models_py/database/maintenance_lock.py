"""One maintenance at a time: cleanups, compactions and restores exclude each other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models_py.database.connection import POLL_SECONDS, process_command
from models_py.base.errors import WarehouseError, WarehouseLockedError

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
