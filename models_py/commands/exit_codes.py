"""How every command ends: one line on an error, an exit code, no traceback."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Any, TextIO, cast

from models_py.base import committed, settings
from models_py.base.errors import SegmenthouseError
from models_py.base.invocation import as_called
from models_py.commands.sharing import share_opened

FAILED = 1
WAITING = 3
"""Finished, and not in the warehouse yet: another process holds it."""
INTERRUPTED = 130
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNAL_EXIT = 128


class Stopped(KeyboardInterrupt):
    """A signal asks the command to end."""

    received: int | None = None
    """The number of the first one, which outlives a library that makes another error of it."""


def run_script(main: Callable[[], int]) -> int:
    """Run a command as a process of its own; return its exit code.

    What can go wrong around a command is taken care of here: standard streams that are closed
    from the start or by a reader that leaves, and signals. A stream that nobody reads takes what
    is written and drops it, so that the work goes on and the exit code is that of the work.
    """
    output, errors = _standard_streams()
    _handle_signals(_stop)
    sys.unraisablehook = _stop_later
    code: int | None = None
    try:
        code = main()
        # A signal that came while the work's last objects were freed is raised here.
        _handle_signals(signal.SIG_IGN)
    except SystemExit as ended:
        # From argparse, which has said what it had to say.
        code = ended.code if isinstance(ended.code, int) else FAILED
    except KeyboardInterrupt:
        code = _interrupted() if code is None else code
    # The work has ended, and so is its exit code.
    _handle_signals(signal.SIG_IGN)
    output.flush()
    if output.problem is not None:
        print(f"error: standard output was not written: {output.problem}", file=sys.stderr)
        code = code or FAILED
    errors.flush()
    return code


def end(work: Callable[[], int], *, as_json: bool = False) -> int:
    """Run a command's work and return its exit code.

    Parameters
    ----------
    work
        Returns the exit code of what it did.
    as_json
        Tell an error as JSON on standard output rather than as a line on standard error.

    Returns
    -------
    int
        What ``work`` returned; 1 failed, 2 wrong usage, 130 interrupted (143 by SIGTERM, 129 by
        SIGHUP).
    """
    committed.clear()
    try:
        with warnings.catch_warnings():
            if not settings.shows_tracebacks():
                # What a library warns its programmers of is nothing a user can mend.
                warnings.simplefilter("ignore")
            code = _code_of(work, as_json)
            shared = _code_of(share_opened, as_json=False)
    except KeyboardInterrupt:
        return _interrupted()
    return code or shared


def _code_of(work: Callable[[], int], as_json: bool) -> int:
    try:
        code = work()
        sys.stdout.flush()
    except Exception as error:
        if Stopped.received is not None:
            # A library made another error of the signal.
            raise KeyboardInterrupt from error
        return _failed(error, as_json)
    return code


def _failed(error: Exception, as_json: bool) -> int:
    if isinstance(error, SegmenthouseError):
        return _tell(_with_what_stays(str(error)), error, error.exit_code, as_json)
    # A fault of this package or of the machine: whatever it is, it becomes one line and a log.
    return _tell(_with_what_stays(unexpected(error)), error, FAILED, as_json)


def unexpected(error: Exception) -> str:
    """Write the traceback of an error that no one foresaw to a log; return the line to tell.

    Returns
    -------
    str
        What happened, in which step, what to do and where the traceback is.
    """
    happened = " ".join([_happened(error), *_notes(error)])
    return f"{happened}; {_way_out(error)}; {_logged(error)}"


def _handle_signals(handler: signal.Handlers | Callable[[int, FrameType | None], None]) -> None:
    for name in STOPPING:
        # What is ignored from the start (nohup, a shell's background) stays so.
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), handler)


def _stop(number: int, _: FrameType | None) -> None:
    # A second signal, of any kind, ends the process at once: a kill loses nothing either.
    _handle_signals(signal.SIG_DFL)
    Stopped.received = number
    raise Stopped(f"by {signal.Signals(number).name}")


def _stop_later(unraisable: sys.UnraisableHookArgs) -> None:
    # Raised where Python can raise nothing, as in a destructor: there it would be lost.
    number = Stopped.received
    if number is None or not isinstance(unraisable.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    _handle_signals(_stop)
    threading.Timer(0.01, os.kill, (os.getpid(), number)).start()


def _interrupted() -> int:
    number = Stopped.received or signal.SIGINT
    said = "interrupted" if number == signal.SIGINT else "stopped"
    stays = "; ".join(committed.so_far())
    print(f"{said}: {stays or 'nothing was written'}", file=sys.stderr)
    return SIGNAL_EXIT + number


def _with_what_stays(line: str) -> str:
    return "; ".join([line, *committed.so_far()])


class _Stream:
    """A standard stream that drops what nobody takes: its reader is gone, or its disk is full.

    Attributes
    ----------
    problem
        Why it could not be written; None where it was, or where its reader left.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._is_written = True
        self.problem: str | None = None

    def write(self, text: str) -> int:
        if self._is_written:
            try:
                self._stream.write(as_called(text))
            except OSError as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        if self._is_written:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError) -> None:
        self._is_written = False
        if not isinstance(error, BrokenPipeError):
            self.problem = str(error.strerror).lower()
        # What is left in the buffer would be tried once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def _standard_streams() -> tuple[_Stream, _Stream]:
    # A closed one gives its number to the first file that is opened, be it the warehouse.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    output, errors = (
        _Stream(stream or open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        for number, stream in ((1, sys.stdout), (2, sys.stderr))
    )
    sys.stdout, sys.stderr = cast("TextIO", output), cast("TextIO", errors)
    return output, errors


def _tell(line: str, error: Exception, code: int, as_json: bool) -> int:
    if settings.shows_tracebacks():
        traceback.print_exception(error)
    if as_json:
        print(json.dumps({"error": line}))
    else:
        print(f"error: {line}", file=sys.stderr)
    return code


def _happened(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror.lower()}"
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


def _notes(error: Exception) -> list[str]:
    # Progress notes the step that was open, and a run that its failure could not be recorded.
    return [f"({note})" for note in getattr(error, "__notes__", [])]


def _way_out(error: Exception) -> str:
    if isinstance(error, OSError):
        return "check that path, its rights and the space left, and run the command again"
    if isinstance(error, MemoryError):
        return "close what else needs memory, or lower the rows with the study's where"
    if isinstance(error, ImportError):
        return "install the package again: pip install -c constraints.txt -e ."
    return (
        "this should not happen: please report it with the log"
        f" ({settings.DEBUG_VARIABLE}=1 shows the traceback here)"
    )


def _logged(error: Exception) -> str:
    now = datetime.now(UTC)
    command = Path(sys.argv[0]).stem or "python"
    path = settings.logs_dir() / f"{command}_{now:%Y%m%dT%H%M%S%f}.log"
    head = f"{now.isoformat()} python {platform.python_version()}\n{' '.join(sys.argv)}\n\n"
    text = head + "".join(traceback.format_exception(error))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as unwritten:
        return f"the traceback could not be written to {path} ({unwritten.strerror})"
    return f"the traceback is in {path}"
