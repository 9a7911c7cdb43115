"""The readers' copy of the warehouse, brought up to date after a command wrote."""

from __future__ import annotations

import sys
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import SegmenthouseError


def share_written(path: Path) -> None:
    """Bring the copy up to date, unless it is turned off; what was written stands all the same."""
    if not settings.shares_copies():
        return
    from models_py.database.share import share

    try:
        share(path)
    except SegmenthouseError as error:
        print(
            f"note: the copy for readers is as it was: {error}; the next command that writes"
            " brings it up to date",
            file=sys.stderr,
        )
