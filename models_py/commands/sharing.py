"""The readers' copy of the warehouse, brought up to date after a command wrote."""

from __future__ import annotations

import sys

from models_py.base import committed, settings
from models_py.base.errors import SegmenthouseError


def share_opened() -> int:
    """Bring the copies of all that was opened for writing up to date, unless that is turned off.

    What was written stands all the same, and so does an exit code of 0.
    """
    files = [file for file in committed.take_opened() if file.is_file()]
    if not files or not settings.shares_copies():
        return 0
    from models_py.database.share import share

    for file in files:
        try:
            share(file)
        except SegmenthouseError as error:
            print(
                f"note: the copy for readers is as it was: {error}; the next command that writes"
                " brings it up to date",
                file=sys.stderr,
            )
    return 0
