"""Spark's own parser, for a process of its own: Java keeps what it has opened until it ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spark import SPARK_PARAMETERS

from models_py.base import settings
from models_py.database.spark_opening import open_session


def refused_by_spark(home: Path, statements: Mapping[str, str]) -> dict[str, str]:
    """Return the statements that Spark cannot parse, with what it says of each."""
    from pyspark.errors import ParseException

    with settings.home_at(home):
        session = open_session(SPARK_PARAMETERS)
    parser = session._jsparkSession.sessionState().sqlParser()
    refused = {}
    for name, text in statements.items():
        try:
            parser.parsePlan(text)
        except ParseException as error:
            refused[name] = str(error)
    return refused
