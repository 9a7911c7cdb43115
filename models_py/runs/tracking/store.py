"""MLflow's store: opened with its telemetry off, its errors in one line."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import MissingExtraError, SegmenthouseError, first_line_of
from models_py.base.imports import is_installed

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

INSTALL = "pip install -c constraints.txt -e '.[mlflow]'"
SQLITE = "sqlite:///"
TALKATIVE = ("mlflow", "alembic", "git")


class TrackingError(SegmenthouseError):
    """The run could not be tracked; its results stand all the same."""


@dataclass(frozen=True)
class Store:
    """An open store of tracked runs.

    Attributes
    ----------
    uri
        Where it is.
    client
        Talks to it.
    """

    uri: str
    client: MlflowClient

    @property
    def shown_uri(self) -> str:
        """Where it is, as a message may say it."""
        return _without_password(self.uri)

    def experiment_id(self, study: str) -> str:
        """Return the experiment of a study, made where there is none."""
        there = self.client.get_experiment_by_name(study)
        if there is None:
            return str(self.client.create_experiment(study, _artifact_location(self.uri, study)))
        if there.lifecycle_stage == "deleted":
            self.client.restore_experiment(there.experiment_id)
        return str(there.experiment_id)

    def run_ids(self, study: str) -> dict[str, str]:
        """Return the MLflow run of each tracked run of a study, by the run's own id."""
        there = self.client.get_experiment_by_name(study)
        if there is None or there.lifecycle_stage == "deleted":
            return {}
        found, token = {}, None
        while True:
            page = self.client.search_runs(
                [there.experiment_id], f"tags.{IS_RUN} = 'yes'", page_token=token
            )
            found.update({run.data.tags[RUN_ID]: run.info.run_id for run in page})
            token = page.token
            if not token:
                return found

    def version_of(self, study: str, run_id: str) -> ModelVersion | None:
        """Return the registered version of a run, None where there is none."""
        versions = self.client.search_model_versions(f"name = '{study}'")
        own = [version for version in versions if version.tags.get(RUN_ID) == run_id]
        return max(own, key=lambda version: int(version.version)) if own else None

    def version_by_alias(self, study: str, alias: str) -> ModelVersion | None:
        """Return the version that an alias names, None where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_model_version_by_alias(study, alias)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise


RUN_ID = "segmenthouse.run_id"
IS_RUN = "segmenthouse.is_run"
"""Tags: which run an MLflow run or a version is of; and of runs, not of their candidates."""


def check_installed() -> None:
    """Refuse to go on without MLflow.

    Raises
    ------
    MissingExtraError
        With the command that installs it.
    """
    if not is_installed("mlflow"):
        raise MissingExtraError(f"tracking needs MLflow: {INSTALL}")


@contextmanager
def open_store() -> Iterator[Store]:
    """Open the store that the settings name.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    TrackingError
        MLflow or its store failed, be it inside the block.
    """
    check_installed()
    settings.keep_mlflow_quiet()
    uri = settings.tracking_uri()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        mlflow.utils.logging_utils.disable_logging()
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            _make_folder(uri)
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)
            yield Store(uri, mlflow.MlflowClient(uri, uri))
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise TrackingError(f"MLflow at {_without_password(uri)}: {_cause(error)}") from error


def serve(host: str, port: int) -> int:
    """Serve MLflow's own pages over the store that the settings name, until this process ends."""
    uri = settings.tracking_uri()
    _make_folder(uri)
    place = ["--host", host, "--port", str(port), "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, *place]
    # A session of its own, so that the processes it starts end with it.
    server = subprocess.Popen(
        command, env=settings.environment_of(settings.home()), start_new_session=True
    )
    try:
        return server.wait()
    finally:
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
        server.terminate()
        server.wait()


def _make_folder(uri: str) -> None:
    if uri.startswith(SQLITE):
        Path(uri.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)


def _cause(error: Exception) -> str:
    # The outer error quotes every retry; the innermost says what it was.
    innermost: BaseException = error
    while innermost.__context__ is not None and isinstance(innermost.__context__, OSError):
        innermost = innermost.__context__
    return first_line_of(innermost)


def _without_password(uri: str) -> str:
    head, at, tail = uri.rpartition("@")
    return f"{head.partition('://')[0]}://...@{tail}" if at else uri


def _artifact_location(uri: str, study: str) -> str | None:
    # Without a place of their own MLflow lays files into the folder it was started from; a server
    # and a folder know theirs.
    if uri.startswith(SQLITE):
        root = Path(uri.removeprefix(SQLITE)).resolve().parent
    elif uri.partition("://")[0].partition("+")[0] in ("postgresql", "mysql", "mssql"):
        root = settings.tracking_file().parent
    else:
        return None
    return (root / "artifacts" / study).as_uri()
