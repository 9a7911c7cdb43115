"""Copying a file byte by byte while its checksum is taken; also a program of its own.

As a program it copies a file that the calling process holds open in DuckDB: a POSIX lock belongs
to the process, and closing any descriptor of the file there would drop DuckDB's lock on it. So it
imports the standard library alone.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 8 * 2**20


def copy_bytes(source: Path, target: Path) -> str:
    """Copy a file onto the disk and return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("xb") as written, ThreadPoolExecutor(1) as pool:
        while chunk := read.read(CHUNK_BYTES):
            hashed = pool.submit(digest.update, chunk)
            written.write(chunk)
            hashed.result()
        written.flush()
        os.fsync(written.fileno())
        if hasattr(os, "posix_fadvise"):
            # Whoever looks at the copy next shall see what the disk holds.
            os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.hexdigest()


@dataclass
class Copying:
    """A copy that another process makes.

    Attributes
    ----------
    sha256
        Of what was read; empty until the copy is done.
    fault
        Why there is no copy.
    """

    sha256: str = ""
    fault: str = ""


@contextlib.contextmanager
def copying_locked_file(source: Path, target: Path) -> Iterator[Copying]:
    """Copy a file that this process holds open in DuckDB while the block is at work.

    The copy is done, or has failed, when the block is left; an error in the block ends it.
    """
    copied = Copying()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(source), str(target)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield copied
        output, said = process.communicate()
    finally:
        # Ended before anybody removes the folder that it writes into.
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if process.returncode == 0:
        copied.sha256 = output.strip()
    else:
        copied.fault = (said.strip().splitlines() or ["killed"])[-1]


if __name__ == "__main__":
    print(copy_bytes(Path(sys.argv[1]), Path(sys.argv[2])))
