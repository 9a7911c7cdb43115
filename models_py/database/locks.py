"""Who is at work on a warehouse: one maintenance at a time, and a sign for each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from models_py.base import locks
from models_py.base.errors import WarehouseError, WarehouseLockedError

RUNS_SUFFIX = ".running"
MAINTENANCE_SUFFIX = ".maintenance"


@contextmanager
def maintenance_lock(
    path: Path, wait_seconds: float = 0.0, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the right to maintain a warehouse file.

    DuckDB's own lock lets two readers in, and a compaction reads: without this lock two of
    them could swap the file one after the other, and lose what was written in between.

    Raises
    ------
    WarehouseLockedError
        Another process maintains the file; it is named.
    """
    others = f"another maintenance of {path} is at work"

    def announce(holder: str) -> None:
        if on_wait is not None:
            on_wait(f"waiting up to {wait_seconds:g} s: {others}: {holder}")

    file = path.with_name(path.name + MAINTENANCE_SUFFIX)
    with ExitStack() as held:
        try:
            held.enter_context(locks.hold(file, wait_seconds, announce))
        except locks.HeldError as error:
            raise WarehouseLockedError(f"{others}: {error}; wait until it is done") from error
        except OSError as error:
            raise WarehouseError(
                f"cannot write beside {path} ({error.strerror}): check the rights of {path.parent}"
            ) from error
        yield


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
    sign = _sign(warehouse_path, run_id)
    with ExitStack() as at_work:
        try:
            sign.parent.mkdir(exist_ok=True)
            at_work.enter_context(locks.hold(sign))
        except (OSError, locks.HeldError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"held by {error}"
            raise WarehouseError(
                f"cannot write and lock a file beside {warehouse_path} ({reason}): check the"
                f" rights of {sign.parent.parent}, or move the warehouse to a local disk"
            ) from error
        try:
            yield
        finally:
            at_work.close()
            locks.remove(sign)


def is_at_work(warehouse_path: Path, run_id: str) -> bool:
    """Tell whether a process, here or elsewhere, is at work on a run of this warehouse.

    Without a sign there is none: a run has its sign before it is recorded and until it has
    ended, and a copied warehouse comes without the signs of runs that work on the first one.
    """
    return locks.is_held(_sign(warehouse_path, run_id))


def remove_sign(warehouse_path: Path, run_id: str) -> None:
    """Take away what a killed run left."""
    locks.remove(_sign(warehouse_path, run_id))


def _sign(warehouse_path: Path, run_id: str) -> Path:
    file = warehouse_path.resolve()
    return file.with_name(f"{file.name}{RUNS_SUFFIX}") / run_id
