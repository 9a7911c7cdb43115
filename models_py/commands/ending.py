"""How every command ends: one line on an error, an exit code, no traceback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from models_py.errors import SegmenthouseError

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
        code = work()
        sys.stdout.flush()
    except SegmenthouseError as error:
        if as_json:
            print(json.dumps({"error": str(error)}))
        else:
            print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at exit; give it somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
