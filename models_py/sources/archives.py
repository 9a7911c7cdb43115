"""Zip files: taking wanted members out, also where a zip file lies in a zip file."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from models_py.base.errors import SourceError

PIECE_BYTES = 1_048_576
DEEPEST_NESTING = 2


def unpack_members(archive: Path, wanted: Callable[[str], int | None], folder: Path) -> list[Path]:
    """Take the wanted members out of a zip file.

    Parameters
    ----------
    archive
        The zip file.
    wanted
        Tells for a member's bare name the bytes it may have, or None for one not wanted.
    folder
        Where to put them, by their bare names.

    Returns
    -------
    list of Path
        Files written, in the order of the archive.

    Raises
    ------
    SourceError
        If the archive is damaged, encrypted or holds a member twice or larger than it may be.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return list(_members(opened, archive.name, wanted, folder, DEEPEST_NESTING))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceError(
            f"{archive.name}: is not a whole, unencrypted zip file ({error}); download it again"
        ) from error


def _members(
    opened: zipfile.ZipFile,
    shown: str,
    wanted: Callable[[str], int | None],
    folder: Path,
    depth: int,
) -> Iterator[Path]:
    for member in opened.infolist():
        name = PurePosixPath(member.filename).name
        if member.is_dir() or name.startswith("._"):
            continue
        allowed = wanted(name)
        if allowed is not None:
            with opened.open(member) as stream:
                yield _write(stream, folder / name, allowed, f"{shown}: {member.filename}")
        elif name.lower().endswith(".zip") and depth:
            with opened.open(member) as stream, zipfile.ZipFile(stream) as inner:
                yield from _members(inner, f"{shown}/{name}", wanted, folder, depth - 1)


def _write(stream: IO[bytes], target: Path, bytes_at_most: int, shown: str) -> Path:
    if target.exists():
        raise SourceError(f"{shown} is there twice; keep one")
    with target.open("xb") as written:
        while piece := stream.read(PIECE_BYTES):
            written.write(piece)
            if written.tell() > bytes_at_most:
                raise SourceError(
                    f"{shown} unpacks to more than the {bytes_at_most:,} bytes expected"
                )
    return target
