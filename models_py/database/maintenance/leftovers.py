"""Folders of work that is not finished: locked while somebody is at it, swept when nobody is."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models_py.base import locks

STILL_SECONDS = 86_400.0
"""What has no lock, as earlier versions worked, goes when nothing of it was written for so long:
a process id does not tell, for another process may have it by now, or another host."""

_LOCK = ".lock"
_UNFINISHED = re.compile(
    r".+\.unfinished-[0-9a-f]{8}"
    # As earlier versions named them.
    r"|backup_[0-9_]+\.(?:partial|removed)-[0-9]+|.+\.duckdb\.restoring"
)


@contextmanager
def unfinished_folder(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder for something that gets its name when it is whole; it goes at the end.

    A lock beside it, which the system ends with the process, tells those that sweep that
    somebody is at work in it: here, or on another machine that sees the same disk.
    """
    folder = parent / f"{name}.unfinished-{secrets.token_hex(4)}"
    lock = folder.with_name(f"{folder.name}{_LOCK}")
    try:
        with locks.hold(lock):
            try:
                folder.mkdir()
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        locks.remove(lock)


def sweep_unfinished(parent: Path) -> list[Path]:
    """Remove what killed backups and restores left behind, and nothing that is at work."""
    swept = []
    for folder in unfinished(parent):
        shutil.rmtree(folder, ignore_errors=True)
        locks.remove(folder.with_name(f"{folder.name}{_LOCK}"))
        swept.append(folder)
    for lock in parent.glob(f"*.unfinished-*{_LOCK}") if parent.is_dir() else []:
        # Killed between the folder's going and the lock's.
        if not lock.with_name(lock.name.removesuffix(_LOCK)).exists() and not _is_held(lock):
            locks.remove(lock)
    return swept


def unfinished(parent: Path) -> list[Path]:
    """Return what killed backups and restores left behind in a folder."""
    folders = sorted(parent.iterdir()) if parent.is_dir() else []
    return [
        folder for folder in folders if _UNFINISHED.fullmatch(folder.name) and not _is_alive(folder)
    ]


def _is_alive(folder: Path) -> bool:
    lock = folder.with_name(f"{folder.name}{_LOCK}")
    if lock.is_file():
        return _is_held(lock)
    files = [folder, *folder.rglob("*")] if folder.is_dir() else [folder]
    written = max((file.lstat().st_mtime for file in files), default=0.0)
    return time.time() - written < STILL_SECONDS


def _is_held(lock: Path) -> bool:
    try:
        return locks.is_held(lock)
    except OSError:
        # A file system without locks cannot tell: then it stays.
        return True
