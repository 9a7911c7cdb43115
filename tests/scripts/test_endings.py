"""A command is stopped, not read, or its disk is full: it ends with the truth."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import duckdb
import pytest

from models_py.base import committed, settings
from models_py.base.errors import CheckpointError, DataError, WarehouseError
from models_py.commands.exit_codes import Stopped, end
from models_py.database.connection import explained, open_warehouse

SCRIPTS = settings.repository() / "scripts"
PRINTS = """\
import sys
from models_py.commands.exit_codes import end, run_script

def work():
    print("said")
    print("told", file=sys.stderr)
    open({file!r}, "w").write("written")
    return 3

sys.exit(run_script(lambda: end(work)))
"""
WAITS = """\
import signal, sys, time
from models_py.base import committed
from models_py.commands.exit_codes import end, run_script

def work():
    committed.record("the backup lies in /there")
    print("at work", flush=True)
    time.sleep(60)
    return 0

# A shell that runs the suite in its background has it ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_script(lambda: end(work)))
"""
ENDS = """\
import ctypes, operator, os, signal, sys, weakref
from models_py.commands.exit_codes import run_script

class Warehouse:
    pass

class Watch(weakref.ref):
    # As a function of C, it lets no signal in before it has returned.
    kill = ctypes.CDLL(None).kill

watches = []

def main():
    warehouse = Warehouse()
    kill = operator.methodcaller("kill", os.getpid(), signal.{name})
    watches.append(Watch(warehouse, kill))
    return 3

signal.signal(signal.SIGINT, signal.default_int_handler)
code = run_script(main)
assert watches[0]() is None
sys.exit(code)
"""


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
def test_a_stream_closed_from_the_start_gives_its_number_to_no_file(
    tmp_path: Path, closed: str
) -> None:
    file = tmp_path / "written"
    script = PRINTS.format(file=str(file))
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {closed}', sys.executable, script],
        cwd=settings.repository(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert file.read_text() == "written"
    assert done.stdout == ("" if "1>" in closed else "said\n")
    assert done.stderr == ("" if "2>" in closed else "told\n")


@pytest.mark.parametrize(
    ("outputs", "code", "told"),
    [
        ("2>&1 | true", 3, ""),
        ("> /dev/full", 3, "told\nerror: standard output was not written: no space left on device"),
        ("2> /dev/full", 3, ""),
    ],
)
def test_what_nobody_takes_is_dropped_and_the_work_goes_on(
    tmp_path: Path, outputs: str, code: int, told: str
) -> None:
    file = tmp_path / "written"
    line = f'(sleep 0.3; "$0" -c "$1"; echo $? > "$2") {outputs}'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, PRINTS.format(file=str(file)), str(tmp_path / "code")],
        cwd=settings.repository(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.read_text() == "written"
    assert (tmp_path / "code").read_text() == f"{code}\n"
    assert done.stderr.strip() == told


def test_an_answer_that_was_not_written_is_no_success(tmp_path: Path) -> None:
    script = PRINTS.format(file=str(tmp_path / "written")).replace("return 3", "return 0")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=settings.repository(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "said"), [("SIGINT", "interrupted"), ("SIGTERM", "stopped")])
def test_a_signal_ends_in_one_line_that_says_what_stays(name: str, said: str) -> None:
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", WAITS],
        cwd=settings.repository(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert told == f"{said}: the backup lies in /there\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_as_the_works_last_objects_are_freed_changes_nothing(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS.format(name=name)],
        cwd=settings.repository(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_ctrl_c_while_the_script_is_loaded_says_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", str(SCRIPTS / "run_clustering.py"), "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "models_py.base" in line)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGINT, 130)
    assert "Traceback" not in told


def test_every_script_is_run_as_one() -> None:
    for script in SCRIPTS.glob("*.py"):
        text = script.read_text(encoding="utf-8")
        assert "sys.exit(run_script(main))" in text
        assert text.index("SIG_DFL") < text.index("models_py")


def test_an_error_says_what_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        committed.record("the backup lies in /there")
        raise DataError("no rows")

    assert end(work) == 1
    assert capsys.readouterr().err == "error: no rows; the backup lies in /there\n"
    assert end(lambda: 0) == 0
    assert committed.so_far() == []


def test_an_error_that_a_library_made_of_a_signal(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stopped, "received", None)

    def work() -> int:
        Stopped.received = signal.SIGTERM
        raise RuntimeError("Query interrupted")

    assert end(work) == 143
    assert capsys.readouterr().err == "stopped: nothing was written\n"


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "own.duckdb"
    with duckdb.connect(str(file)) as database:
        database.execute("create table kept as select range as number from range(2000)")
    return file


def test_a_commit_that_holds_is_no_error_although_the_disk_is_full(
    path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with open_warehouse(path) as warehouse:
        warehouse.rows("set checkpoint_threshold = '1KB'")
        with no_file_beyond(os.path.getsize(path) + 150_000):
            with warehouse.transaction():
                warehouse.rows("create table made as select md5(range::text) from range(3000)")
            with pytest.raises(
                CheckpointError, match=r"is safe in own\.duckdb\.wal, but could not"
            ):
                warehouse.rows("select 1")
    assert "file too large" in capsys.readouterr().err
    assert caplog.records == []
    with open_warehouse(path) as warehouse:
        assert warehouse.rows("select count(*) from made") == [(3000,)]


def test_a_commit_that_does_not_hold_is_an_error(path: Path) -> None:
    with (
        open_warehouse(path) as warehouse,
        no_file_beyond(0),
        pytest.raises(WarehouseError, match="nothing of this step was kept"),
        warehouse.transaction(),
    ):
        warehouse.rows("create table made as select 1 as number")
    with open_warehouse(path) as warehouse:
        assert warehouse.relations() == ["main.kept"]


def test_a_checkpoint_that_fails_takes_nothing_back() -> None:
    text = (
        "FATAL Error: Failed to create checkpoint because of error: Could not write file"
        ' "own.duckdb": No space left on device'
    )
    error = explained(Path("own.duckdb"), text)
    assert isinstance(error, CheckpointError)
    assert not error.is_commit
    assert "nothing" not in str(error)


@pytest.mark.parametrize("line", range(40))
def test_no_line_passes_over_what_stays(tmp_path: Path, line: int) -> None:
    """Interrupt at each line of the commit and of the rename in turn: what is there is said."""
    path, finished, target = (tmp_path / name for name in ("w.duckdb", "finished", "target"))
    finished.write_text("whole")
    duckdb.connect(str(path)).close()
    committed.clear()
    left = [line]

    def interrupt(frame: FrameType, event: str, _: object) -> object:
        code = frame.f_code
        is_ours = code.co_name == "transaction" or code.co_filename.endswith("committed.py")
        if event == "line" and is_ours:
            left[0] -= 1
            if left[0] < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return interrupt

    try:
        with open_warehouse(path) as warehouse:
            sys.settrace(interrupt)
            with warehouse.transaction("the table is there"):
                warehouse.rows("create table made (a int)")
            committed.rename(finished, target, "the file is there")
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    said = " ".join(committed.so_far())
    committed.clear()
    with open_warehouse(path, read_only=True) as warehouse:
        is_made = "main.made" in warehouse.relations()
    assert not is_made or "the table is there" in said or "under way" in said
    assert not target.exists() or "the file is there" in said or "under way" in said
