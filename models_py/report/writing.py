"""A run's report: the page, pictures and CSV files, rebuilt from what the run left behind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import committed, settings
from models_py.base.spreadsheet import spreadsheet_frame
from models_py.base.errors import MissingExtraError, SegmenthouseError
from models_py.base.progress import Progress
from models_py.database.connection import WAIT_SECONDS, open_warehouse
from models_py.report.facts import Facts, explored_facts, read_facts
from models_py.runs.finished_runs import find_run

if TYPE_CHECKING:
    import pandas as pd

    from models_py.studies.study import Study

PAGE = "index.html"
FIGURES = "figures"
EXPLORATION = "exploration"
"""Where the page of a table lies beside those of its study's runs."""


class ReportError(SegmenthouseError):
    """The report cannot be written; the run's results stand all the same."""


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes
    ----------
    page
        The page; pictures and CSV files lie beside it.
    notes
        What is left out and how to get it.
    """

    page: Path
    notes: list[str]


def report_dir(study: str, run_id: str) -> Path:
    """Return the folder of a run's report."""
    return settings.report_dir(study, run_id)


def write_report(run_id: str, path: Path, progress: Progress, folder: Path | None = None) -> Report:
    """Write the report of a finished run; what was there of it is replaced.

    Parameters
    ----------
    run_id
        The run.
    path
        The DuckDB file.
    progress
        Shows each step.
    folder
        Where to; ``reports/<study>/<run>`` by default.

    Raises
    ------
    SegmenthouseError
        The run is not known, its gold table is gone or the folder cannot be written.
    """
    from threadpoolctl import threadpool_limits

    progress.step("reading the run for its report")
    facts = read_facts(run_id, path)
    # The layout of neighbours takes longest, on a core of its own; sums of several threads would
    # come in another order each time.
    with threadpool_limits(1):
        facts.begin_layout()
        return _write(facts, folder or report_dir(facts.run.study, run_id), progress)


def _write(facts: Facts, folder: Path, progress: Progress) -> Report:
    from models_py.report.page import write_page

    tables = {**csv_tables(facts), "assignments": _assignments(facts)}
    stamp = f"{facts.run.started_at:%Y%m%dT%H%M%S}"
    files = {f"{name}_{stamp}.csv": table for name, table in sorted(tables.items())}
    notes: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in files.items():
            # People open these in a spreadsheet; programs ask the warehouse (run_sql).
            _replace(folder / name, _as_csv(spreadsheet_frame(table)))
        notes += _draw_pictures(facts, folder / FIGURES, progress)
        page = write_page(facts, list(files), progress)
        _replace(folder / PAGE, page, f"the report lies in {folder}")
    except OSError as error:
        raise ReportError(
            f"{folder} cannot be written ({error.strerror or error}): free space or mend its"
            f" rights, then run python scripts/write_report.py {facts.run.run_id}"
        ) from error
    return Report(folder / PAGE, notes)


def write_exploration(study: Study, path: Path, progress: Progress) -> Path:
    """Write what a study's table says before anything is clustered, and return the page.

    Raises
    ------
    SegmenthouseError
        The table or a column is missing, or the folder cannot be written.
    """
    from models_py.report.page import write_exploration as exploration

    progress.step(f"reading {study.table}")
    page = exploration(explored_facts(study, path), progress)
    file = settings.report_dir(study.name, EXPLORATION) / PAGE
    _write_alone(file, page)
    return file


def write_single_page(facts: Facts, file: Path, progress: Progress) -> None:
    """Write a run's page alone, without pictures and CSV files beside it.

    Raises
    ------
    ReportError
        The file cannot be written.
    """
    from models_py.report.page import write_page

    _write_alone(file, write_page(facts, [], progress))


def _write_alone(file: Path, page: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, page)
    except OSError as error:
        raise ReportError(f"{file} cannot be written ({error.strerror or error})") from error


def csv_tables(facts: Facts) -> dict[str, pd.DataFrame]:
    """Return the run's segments, profiles and candidates; withheld segments by size only."""
    segments = facts.segments.drop(columns="run_id")
    hidden = [c for c in segments.columns if c not in {"partition", "segment_id", "size", "share"}]
    is_withheld = segments["segment_id"].isin(facts.withheld)
    segments = segments.astype(dict.fromkeys(hidden, "object"))
    segments.loc[is_withheld, hidden] = None
    profiles = facts.table("segment_features").drop(columns="run_id")
    metrics = facts.tables["model_search"].drop(columns="run_id")
    return {"summary": segments, "profiles": profiles, "metrics": metrics}


def _assignments(facts: Facts) -> pd.DataFrame:
    rows = facts.tables["assignments"].drop(columns="run_id")
    # Who belongs there is given, and nothing else of them.
    figures = ["confidence", "silhouette", "is_outlier", "spread"]
    rows = rows.astype({"is_outlier": "object"})
    rows.loc[rows["segment_id"].isin(facts.withheld), figures] = None
    names = rows["segment_id"].map(facts.names)
    rows.insert(list(rows.columns).index("segment_id") + 1, "segment_name", names)
    return rows.rename(columns={"entity_id": facts.run.entity_column})


def _as_csv(table: pd.DataFrame) -> str:
    import io

    import pyarrow as pa
    from pyarrow import csv

    # A tenth of the time that pandas takes over a row for each customer.
    text = io.BytesIO()
    csv.write_csv(
        pa.Table.from_pandas(table, preserve_index=False),
        text,
        csv.WriteOptions(quoting_style="needed"),
    )
    return text.getvalue().decode("utf-8")


def _draw_pictures(facts: Facts, folder: Path, progress: Progress) -> list[str]:
    from models_py.report.pictures import draw_pictures

    progress.step("drawing pictures")
    try:
        draw_pictures(facts, folder)
    except MissingExtraError as missing:
        return [f"no PNG pictures: {missing}"]
    return []


def _replace(path: Path, text: str, stays: str = "") -> None:
    # A reader of the page before it is finished would see half of it.
    unfinished = path.with_name(f".{path.name}.part-{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    committed.rename(unfinished, path, stays)


def find_run_id(study: str, run_id: str | None, path: Path) -> str:
    """Return the run asked for, or the newest finished one of a study.

    Raises
    ------
    UsageError
        There is no such finished run.
    DataError
        The study never ran.
    """
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        return find_run(warehouse, study, run_id).run_id
