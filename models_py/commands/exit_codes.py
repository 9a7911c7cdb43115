"""How every command ends: one line on an error, an exit code, no traceback."""

from __future__ import annotations

import json
import os
import platform
import sys
import traceback
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import SegmenthouseError

FAILED = 1
WAITING = 3
"""Finished, and not in the warehouse yet: another process holds it."""
INTERRUPTED = 130


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
        What ``work`` returned; 1 failed, 2 wrong usage, 130 interrupted. A reader that
        closed the pipe early (``| head``) is no failure.
    """
    try:
        with warnings.catch_warnings():
            if not settings.shows_tracebacks():
                # What a library warns its programmers of is nothing a user can mend.
                warnings.simplefilter("ignore")
            code = work()
        sys.stdout.flush()
    except SegmenthouseError as error:
        return _tell(str(error), error, error.exit_code, as_json)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at exit; give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001
        # A fault of this package or of the machine: whatever it is, it becomes one line and a log.
        return _tell(unexpected(error), error, FAILED, as_json)
    return code


def unexpected(error: Exception) -> str:
    """Write the traceback of an error that no one foresaw to a log; return the line to tell.

    Returns
    -------
    str
        What happened, in which step, what to do and where the traceback is.
    """
    happened = " ".join([_happened(error), *_notes(error)])
    return f"{happened}; {_way_out(error)}; {_logged(error)}"


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
