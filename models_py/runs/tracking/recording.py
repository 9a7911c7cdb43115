"""A finished run written to MLflow, once and whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.runs.tracking.contents import (
    RunContents,
    candidate_measures,
    candidate_parameters,
    read_contents,
)
from models_py.runs.tracking.model import register
from models_py.runs.tracking.store import IS_RUN, RUN_ID, Store

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param

PARENT = "mlflow.parentRunId"
NOTE = "mlflow.note.content"
IS_COMPLETE = "segmenthouse.is_complete"
MOST_PARAMETERS = 100
"""In one call, as MLflow allows."""
PAGE = "index.html"
FIGURES = "figures"
DIGEST_LENGTH = 36


@dataclass(frozen=True)
class Tracked:
    """A run in MLflow.

    Attributes
    ----------
    run_id, study
        The run.
    tracked_id
        Its MLflow run.
    version
        Its version of the registered model, which is named like the study.
    """

    run_id: str
    study: str
    tracked_id: str
    version: str


def record(store: Store, path: Path, run_id: str, *, candidates: bool = False) -> Tracked:
    """Write a finished run to MLflow; what is there already stays, its page is brought up to date.

    Parameters
    ----------
    store
        Open.
    path
        The warehouse.
    run_id
        The run: done, a challenger, or retired.
    candidates
        Every candidate of the search as a child run, too.

    Raises
    ------
    SegmenthouseError
        There is no such finished run, or its saved models are damaged.
    """
    contents = read_contents(path, run_id)
    study = str(contents.facts["study"])
    experiment = store.experiment_id(study)
    tracked = _complete_run(store, study, run_id)
    if tracked is None:
        tracked = _record_run(store, experiment, contents)
    version = store.version_of(study, run_id)
    number = str(version.version) if version else register(store, tracked, study, run_id)
    _record_page(store, tracked, study, run_id)
    if candidates:
        _record_candidates(store, experiment, tracked, contents)
    return Tracked(run_id, study, tracked, number)


def _complete_run(store: Store, study: str, run_id: str) -> str | None:
    """Return the MLflow run of a run; one that was cut short is removed and begun again."""
    tracked = store.run_ids(study).get(run_id)
    if tracked is None or IS_COMPLETE in store.client.get_run(tracked).data.tags:
        return tracked
    store.client.delete_run(tracked)
    return None


def _record_run(store: Store, experiment: str, contents: RunContents) -> str:
    facts, client = contents.facts, store.client
    tags = {
        RUN_ID: facts["run_id"],
        IS_RUN: "yes",
        NOTE: contents.note(),
        "segmenthouse.status": facts["status"],
        "segmenthouse.data_fingerprint": facts["data_fingerprint"],
        "segmenthouse.previous_run_id": facts["previous_run_id"],
        "segmenthouse.chosen_because": facts["chosen_because"],
    }
    tracked = client.create_run(
        experiment,
        start_time=_milliseconds(facts["started_at"]),
        tags={name: str(value) for name, value in tags.items() if value is not None},
        run_name=str(facts["run_id"]),
    ).info.run_id
    _record_values(store, tracked, contents.parameters(), contents.measures())
    _record_data(store, tracked, contents)
    client.log_table(tracked, contents.candidates(), "candidates.json")
    client.log_table(tracked, contents.segments(), "segments.json")
    client.log_dict(tracked, json.loads(facts["parameters"]), "study.json")
    client.log_dict(tracked, json.loads(facts["versions"]), "versions.json")
    client.set_tag(tracked, IS_COMPLETE, "yes")
    client.set_terminated(tracked, "FINISHED", _milliseconds(facts["ended_at"]))
    return str(tracked)


def _record_values(
    store: Store, tracked: str, parameters: Mapping[str, str], measures: Mapping[str, float]
) -> None:
    from mlflow.entities import Param

    listed: list[Param] = [Param(name, value) for name, value in parameters.items()]
    metrics = _metrics(measures)
    for first in range(0, max(len(listed), 1), MOST_PARAMETERS):
        some = listed[first : first + MOST_PARAMETERS]
        store.client.log_batch(tracked, metrics if first == 0 else [], some)


def _metrics(measures: Mapping[str, float]) -> list[Metric]:
    from mlflow.entities import Metric

    now = _milliseconds(datetime.now(UTC).replace(tzinfo=None))
    return [Metric(name, value, now, 0) for name, value in measures.items()]


def _record_data(store: Store, tracked: str, contents: RunContents) -> None:
    from mlflow.entities import Dataset, DatasetInput

    facts = contents.facts
    data = Dataset(
        name=str(facts["source_table"]),
        digest=str(facts["data_fingerprint"])[:DIGEST_LENGTH],
        source_type="local",
        source=json.dumps({"uri": contents.file.resolve().as_uri()}),
        profile=json.dumps({"num_rows": facts["rows_read"]}),
    )
    store.client.log_inputs(tracked, [DatasetInput(data)])


def _record_page(store: Store, tracked: str, study: str, run_id: str) -> None:
    # The page's pictures, and not the CSV files beside it, which name customers.
    folder = settings.report_dir(study, run_id)
    if (folder / PAGE).is_file():
        store.client.log_artifact(tracked, str(folder / PAGE), "page")
    if (folder / FIGURES).is_dir():
        store.client.log_artifacts(tracked, str(folder / FIGURES), FIGURES)


def _record_candidates(store: Store, experiment: str, tracked: str, contents: RunContents) -> None:
    client = store.client
    there = {
        run.info.run_name
        for run in client.search_runs(
            [experiment], f"tags.`{PARENT}` = '{tracked}'", max_results=5000
        )
        if run.info.status == "FINISHED"
    }
    begun = _milliseconds(contents.facts["started_at"])
    for row in contents.candidates().to_dict("records"):
        partition = "" if row["partition"] == "all" else f" {row['partition']}"
        name = f"candidate {row['candidate']}{partition}: {row['algorithm']} k={row['k']}"
        if name in there:
            continue
        tags = {PARENT: tracked, "segmenthouse.is_chosen": str(bool(row["is_chosen"])).lower()}
        child = client.create_run(experiment, start_time=begun, tags=tags, run_name=name)
        named = {str(column): value for column, value in row.items()}
        identity = child.info.run_id
        _record_values(store, identity, candidate_parameters(named), candidate_measures(named))
        seconds = named["seconds"]
        taken = 0 if seconds is None or seconds != seconds else int(1000 * seconds)  # noqa: PLR0124
        client.set_terminated(identity, "FINISHED", begun + taken)


def _milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1000)
