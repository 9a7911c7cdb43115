"""Which run scores: the one asked for, or the standing run of a study, the newest that is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models_py.base.errors import DataError, UsageError, near_match
from models_py.database.connection import Warehouse
from models_py.database import contract
from models_py.database.results import done_runs, read_run_rows
from models_py.database.waiting import Waiting, waiting_runs
from models_py.describe.meanings import offer
from models_py.studies.listing import shipped_studies
from models_py.studies.loading import load_study

COLUMNS = ("run_id", "study", "started_at")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    started_at
        UTC, without zone.
    """

    run_id: str
    study: str
    started_at: datetime


def find_runs(warehouse: Warehouse, study: str) -> list[Run]:
    """Return a study's runs that are done, the oldest first; the last is its standing run.

    Parameters
    ----------
    warehouse
        The open warehouse.
    study
        A study's name, or its file.
    """
    name = load_study(study).name if study.endswith(".toml") else study
    return [run for run in _finished(warehouse) if run.study == name]


def find_run(warehouse: Warehouse, study: str, run_id: str | None = None) -> Run:
    """Return the run asked for, or the standing run of a study.

    Raises
    ------
    UsageError
        There is no such finished run.
    DataError
        The study never ran.
    """
    if run_id is not None:
        return finished_run(warehouse, run_id)
    runs = find_runs(warehouse, study)
    if not runs:
        raise never_ran(warehouse, study)
    return runs[-1]


def find_alternative(warehouse: Warehouse, study: str, rank: int) -> dict[str, object]:
    """Return what section ``choose`` must hold for another grouping that the newest run names.

    Parameters
    ----------
    warehouse
        The open warehouse.
    study
        The study's name.
    rank
        1 the first of them.

    Raises
    ------
    UsageError
        The run names fewer; the message tells them.
    DataError
        The study never ran.
    """
    # A run that took one names no others: the numbers stay those of the answer it stands for.
    runs = [find_run(warehouse, study), *reversed(find_runs(warehouse, study))]
    for run in runs:
        answers = read_run_rows(warehouse, contract.answers, run.run_id)
        others = answers[answers["rank"] > 0]
        if len(others):
            break
    row = others[others["rank"] == rank]
    if row.empty:
        known = "; ".join(f"{other['rank']}: {offer(other)}" for other in others.to_dict("records"))
        raise UsageError(
            f"--alternative {rank}: run {run.run_id} names"
            f" {known or 'no other grouping; run the study first'}"
        )
    [chosen] = row.to_dict("records")
    keys = ("algorithm", "k", "candidate")
    return {key: chosen[key] if key == "algorithm" else int(chosen[key]) for key in keys}


def never_ran(warehouse: Warehouse, study: str) -> DataError:
    """Return the error to raise for a study without a finished run."""
    known, shipped = sorted({run.study for run in _finished(warehouse)}), shipped_studies()
    command = "python scripts/run_clustering.py"
    waits = [item for item, _ in waiting_runs(warehouse.path) if study in (item.study, item.run_id)]
    if waits:
        return DataError(_waits(waits[0]))
    way = f"see the shipped studies with {command} --list-studies"
    if study in shipped or study.endswith(".toml"):
        way = f"run it with {command} --study {study}"
    return DataError(
        f"study {study or repr(study)} has no finished run{near_match(study, [*known, *shipped])}"
        f" (studies with runs: {', '.join(known) or 'none'}); {way}"
    )


def finished_run(warehouse: Warehouse, run_id: str) -> Run:
    """Return a finished run: done, a challenger, or retired.

    Raises
    ------
    UsageError
        There is none with this id; the message names the nearest.
    DataError
        It waits beside the warehouse.
    """
    found = done_runs(warehouse, COLUMNS, run_id)
    if not found:
        for item, _ in waiting_runs(warehouse.path):
            if item.run_id == run_id:
                raise DataError(_waits(item))
        known = [run.run_id for run in _finished(warehouse)]
        raise UsageError(
            f"there is no finished run '{run_id}'{near_match(run_id, known)}; see them with"
            " python scripts/run_sql.py sql/runs.sql"
        )
    return Run(*found[0])


def _waits(item: Waiting) -> str:
    return (
        f"run {item.run_id} of {item.study} waits in {item.folder}: once no other process holds"
        " the warehouse, the next command that writes takes it in"
    )


def _finished(warehouse: Warehouse) -> list[Run]:
    return [Run(*row) for row in done_runs(warehouse, COLUMNS)]
