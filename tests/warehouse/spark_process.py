"""What Spark is asked in a process of its own: Java keeps what it has opened until it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

from spark import SPARK_PARAMETERS

from models_py.base import settings
from models_py.database.spark_opening import open_session


def dbt_on_spark(home: Path, words: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a dbt command on the home's Spark tables; fail with what it printed."""
    from dbt.cli.main import dbtRunner

    # Where dbt finds the plugin that opens Spark.
    plugins = str(settings.dbt_project_dir() / "plugins")
    if plugins not in sys.path:
        sys.path.insert(0, plugins)
    folders = ["--target-path", str(home / "target"), "--log-path", str(home / "target")]
    given = [*words, "--target", "spark", "--vars", json.dumps(variables), *folders]
    printed = StringIO()
    with chdir(settings.dbt_project_dir()), redirect_stdout(printed):
        done = dbtRunner().invoke(["--no-use-colors", *given])
    assert done.success, f"{done.exception}\n{printed.getvalue()[-3000:]}"


def refused_by_spark(statements: Mapping[str, str]) -> dict[str, str]:
    """Return the statements that Spark cannot parse, with what it says of each."""
    from pyspark.errors import ParseException

    session = open_session(SPARK_PARAMETERS)
    parser = session._jsparkSession.sessionState().sqlParser()
    refused = {}
    for name, text in statements.items():
        try:
            parser.parsePlan(text)
        except ParseException as error:
            refused[name] = str(error)
    return refused
