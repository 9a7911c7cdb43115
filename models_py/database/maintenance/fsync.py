"""Files that survive a crash: on the disk before anybody relies on them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from models_py.base.errors import WarehouseError

SPARE_BYTES = 64 * 2**20


def sync_file(path: Path) -> None:
    """Bring a file to the disk and drop it from the cache, so that it is read from there."""
    # Windows brings to the disk only what may be written.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Bring a folder's names to the disk; Windows opens no folder and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a small file to the disk."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def require_space(folder: Path, needed: int, what: str, way_out: str = "") -> None:
    """Refuse a step that the disk cannot hold.

    Raises
    ------
    WarehouseError
        Too little is free; names how much is there and how much is wanted.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise WarehouseError(
            f"{what} needs {megabytes(needed + SPARE_BYTES)} on the disk of {folder}, which has"
            f" {megabytes(free)} free: free some space{way_out}"
        )


def megabytes(count: float) -> str:
    """Return bytes as megabytes of 10^6."""
    return f"{count / 1e6:,.1f} MB"
