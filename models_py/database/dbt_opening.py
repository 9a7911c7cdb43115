"""The dbt-duckdb plugin that opens the warehouse as the other commands do.

A file that another process holds ends ``dbt build`` in one line that names the process, after a
wait where ``SEGMENTHOUSE_WAIT`` asks for one; and what waits beside the file is taken in.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from models_py.base import settings
from models_py.base.errors import SegmenthouseError
from models_py.database.waiting import open_for_writing


def tell_of_interrupt(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an interrupt as one line, any other error as Python does."""
    if issubclass(kind, KeyboardInterrupt):
        print(
            "interrupted: every model that dbt called OK is in the warehouse, the one it was at"
            " is as it was before",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)


class Plugin(BasePlugin):
    """What dbt-duckdb calls before and after it opens the database."""

    def initialize(self, config: dict[str, Any]) -> None:  # noqa: ARG002
        """From here on an interrupt is one line, and a log that nobody reads is dropped."""
        logging.raiseExceptions = False
        sys.excepthook = tell_of_interrupt

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:  # noqa: ARG002
        """Wait for the file, or stop with the line that names who holds it."""
        path = settings.warehouse_path()
        if creds.path == ":memory:" or not path.is_file():
            return
        try:
            with open_for_writing(path, wait_seconds=settings.wait_seconds(), on_wait=print):
                pass  # What waits is in; dbt opens the file again, as it wants it.
        except SegmenthouseError as error:
            # The one kind of error that dbt-duckdb takes for a connection that failed.
            raise RuntimeError(str(error)) from error
