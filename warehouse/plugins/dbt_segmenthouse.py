"""The plugin that dbt finds by the name of this module.

It opens Spark for ``--target spark``, and brings the readers' copy of a DuckDB warehouse up to date
after a command of dbt's wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from dbt.plugins.manager import dbtPlugin

PROJECT = "segmenthouse"
WRITING = ("build", "run", "seed", "snapshot", "retry")


class Plugin(dbtPlugin):
    """What dbt calls once it has read the profile."""

    def initialize(self) -> None:
        """Hand the command and the chosen target on; nothing happens for another project."""
        context = click.get_current_context(silent=True)
        profile = (context.obj or {}).get("profile") if context else None
        if context is None or profile is None or self.project_name != PROJECT:
            return
        if profile.credentials.type == "spark":
            from models_py.database.spark_opening import open_for_dbt

            open_for_dbt(str(context.info_name), profile.credentials)
        elif context.info_name in WRITING:
            context.with_resource(shared_afterwards())


@contextmanager
def shared_afterwards() -> Iterator[None]:
    """Bring the readers' copy up to date when dbt is done; where it failed, the copy stays."""
    yield
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    from models_py.commands.sharing import share_opened

    # dbt itself lets go of the file when its process ends.
    DuckDBConnectionManager.close_all_connections()
    share_opened()


plugins = [Plugin]
