"""Copying a file that this process holds open in DuckDB; also the program that does it.

A POSIX lock belongs to the process, and closing any descriptor of the file would drop DuckDB's lock
on it: so another process reads the file. That one imports the standard library alone.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path


def copy_bytes(source: Path, target: Path) -> str:
    """Copy a file and return the SHA-256 of the original."""
    shutil.copyfile(source, target)
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_locked_file(source: Path, target: Path) -> str:
    """Copy a file in another process and return the SHA-256 of the original.

    Raises
    ------
    WarehouseError
        The copy failed; with the system's reason.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", __file__, str(source), str(target)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        from models_py.base.errors import WarehouseError

        reason = (done.stderr.strip().splitlines() or ["killed"])[-1]
        raise WarehouseError(f"cannot copy {source} to {target}: {reason}")
    return done.stdout.strip()


if __name__ == "__main__":
    print(copy_bytes(Path(sys.argv[1]), Path(sys.argv[2])))
