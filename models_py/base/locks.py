"""A file that one process holds at a time; the system lets go of it when the process ends.

The lock is the operating system's, so that a killed process holds nothing. Beside it stands the
number of the process that holds it, for whoever has to wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOLDER_SUFFIX = ".pid"
POLL_SECONDS = 0.25


class HeldError(Exception):
    """Another process holds the file; the message names it."""


@contextmanager
def hold(
    path: Path, wait_seconds: float = 0.0, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold a file until the block ends.

    The file stays when it is let go, so that nobody locks one that is being removed.

    Parameters
    ----------
    path
        It is made where it is not there; its folder must be.
    wait_seconds
        How long to wait for another process.
    on_wait
        Called once with who is waited for.

    Raises
    ------
    HeldError
        Another process holds it after the wait.
    OSError
        It cannot be written, or its file system has no locks.
    """
    from filelock import FileLock, Timeout

    # A lock that is a file's mere existence would outlive a killed process.
    lock = FileLock(path, fallback_to_soft=False)
    until = time.monotonic() + wait_seconds
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout as error:
            holder = _holder(path)
            if wait_seconds > 0 and on_wait is not None:
                on_wait(holder)
                on_wait = None
            if time.monotonic() >= until:
                raise HeldError(holder) from error
            time.sleep(POLL_SECONDS)
    try:
        _beside(path).write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        _beside(path).unlink(missing_ok=True)
        lock.release()


def is_held(path: Path) -> bool:
    """Tell whether a process, here or on another machine, holds a file; a missing one, nobody."""
    from filelock import FileLock, Timeout

    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0, fallback_to_soft=False):
            return False
    except Timeout:
        return True


def remove(path: Path) -> None:
    """Take away a lock that nobody holds; one that somebody just took stays where it must."""
    for file in (path, _beside(path)):
        with suppress(PermissionError):
            file.unlink(missing_ok=True)


def process_command(process_id: int, program: str) -> str:
    """Return the command line of a process where the system tells it, else its program."""
    try:
        words = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return program
    return " ".join(word.decode(errors="replace") for word in words if word) or program


def _holder(path: Path) -> str:
    try:
        text = _beside(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text.isdigit():
        return "a process that is just starting"
    return f"process {text} ({process_command(int(text), 'unknown')})"


def _beside(path: Path) -> Path:
    return path.with_name(path.name + HOLDER_SUFFIX)
