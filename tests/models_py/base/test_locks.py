"""Who holds a file, from this process and from another that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models_py.base import locks

HOLD = """\
import sys
from pathlib import Path
from models_py.base.locks import hold

with hold(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


def test_a_held_file_names_its_holder_until_it_is_let_go(tmp_path: Path) -> None:
    file = tmp_path / "one.lock"
    assert not locks.is_held(file)
    with locks.hold(file):
        assert locks.is_held(file)
        with pytest.raises(locks.HeldError, match=f"^process {os.getpid()} "), locks.hold(file):
            pass
    assert not locks.is_held(file)
    with locks.hold(file):
        assert (tmp_path / "one.lock.pid").read_text() == str(os.getpid())


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "one.lock"
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        waited: list[str] = []
        with pytest.raises(locks.HeldError), locks.hold(file, 0.01, waited.append):
            pass
        assert len(waited) == 1
        assert waited[0].startswith(f"process {process.pid} ")
        process.kill()
        process.wait(timeout=60)
    assert not locks.is_held(file)
    with locks.hold(file):
        pass
    locks.remove(file)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_without_a_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="none"), locks.hold(tmp_path / "none" / "one.lock"):
        pass
