"""The plugin that dbt finds by the name of this module: it opens Spark for ``--target spark``."""

from __future__ import annotations

import click
from dbt.plugins.manager import dbtPlugin


class Plugin(dbtPlugin):
    """What dbt calls once it has read the profile."""

    def initialize(self) -> None:
        """Hand the command and the chosen target on; nothing happens for another engine."""
        context = click.get_current_context(silent=True)
        profile = (context.obj or {}).get("profile") if context else None
        if context is None or profile is None or profile.credentials.type != "spark":
            return
        from models_py.database.spark_opening import open_for_dbt

        open_for_dbt(str(context.info_name), profile.credentials)


plugins = [Plugin]
