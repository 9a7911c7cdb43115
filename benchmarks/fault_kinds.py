"""What is done to a command by each kind of fault that is not a kill.

``disk`` needs the right to mount a tmpfs; where that is not given it is left out.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SIGNALS = {"sigint": signal.SIGINT, "sigterm": signal.SIGTERM}
FAULTS = ("kill", *SIGNALS, "filesize", "disk", "reader", "clock")
PATIENCE = 300.0
BALLOON = "balloon"
ROOM = 160 * 2**20
"""What a disk has to spare that gets full only while the command works."""
READER = (
    "import duckdb, sys; held = duckdb.connect(sys.argv[1], read_only=True);"
    " print('open', flush=True); sys.stdin.read()"
)
CLOCK = """\
import random, runpy, sys
from datetime import timedelta
jumps = random.Random(sys.argv.pop(1))
from models_py.database import results
from models_py.commands import cleanup_temp_tables
true = results.utc_now
def jumping():
    return true() + timedelta(days=jumps.uniform(-9000, 9000))
results.utc_now = cleanup_temp_tables._now = jumping
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, negative for a signal, and all that it printed."""

    code: int
    output: str


def run(
    command: list[str],
    home: Path,
    while_running: Callable[[subprocess.Popen[bytes]], object] | None = None,
    *,
    largest: int | None = None,
) -> Ended:
    """Run a command in a home, do something to it meanwhile, and wait for its end.

    With ``largest`` it may write no file beyond that many bytes, as with a quota.
    """
    limit = [] if largest is None else ["prlimit", f"--fsize={largest}"]
    environment = {**os.environ, "SEGMENTHOUSE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    printed = home.with_name(f"{home.name}.printed")
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [*limit, sys.executable, *command],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if while_running is not None:
                while_running(process)
            process.wait(timeout=PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    text = printed.read_text(errors="replace")
    printed.unlink()
    return Ended(process.returncode, text)


def largest_file(home: Path) -> int:
    """Return the bytes of the largest file of a home."""
    return max(file.stat().st_size for file in home.rglob("*") if file.is_file())


def total_size(home: Path) -> int:
    """Return the bytes of all files of a home."""
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())


@contextlib.contextmanager
def small_disk(home: Path, spare: int) -> Iterator[None]:
    """Put a home on a disk of its own with so many bytes to spare."""
    aside = home.with_name(f"{home.name}.aside")
    home.rename(aside)
    home.mkdir()
    pages = 4096 * sum(1 for _ in aside.rglob("*"))
    size = total_size(aside) + pages + 64 * 1024 + spare
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(home)], check=True)
    try:
        shutil.copytree(aside, home, dirs_exist_ok=True)
        shutil.rmtree(aside)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


def fill(home: Path) -> None:
    """Take all that is left of a small disk, as another process might."""
    with contextlib.suppress(OSError), (home / BALLOON).open("wb", buffering=0) as balloon:
        while balloon.write(bytes(2**20)):
            pass


def free_again(home: Path) -> None:
    """Give a small disk room."""
    (home / BALLOON).unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=2g", str(home)], check=True)


def can_mount(folder: Path) -> bool:
    """Tell whether this user may mount a disk of its own."""
    tried = folder / "mount"
    tried.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(tried)], capture_output=True, check=False
    )
    if done.returncode == 0:
        subprocess.run(["umount", str(tried)], check=True)
    tried.rmdir()
    return done.returncode == 0


@contextlib.contextmanager
def reader_of(path: Path) -> Iterator[None]:
    """Hold a database file for reading in another process; none, where a writer has it."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        yield
        reader.kill()


def with_jumping_clock(command: list[str], seed: str) -> list[str]:
    """Return a command whose every look at the clock is up to 25 years off, either way."""
    return ["-c", CLOCK, seed, *command]
