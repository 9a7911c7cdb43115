"""What a ready question reads of a study: its newest run, its gold table, its columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base.errors import UsageError, near_match
from models_py.database.questions import Question

if TYPE_CHECKING:
    from models_py.database.connection import Warehouse

OF_THE_STUDY = ("study", "gold", "entity", "column", "rejections")
"""Parameters that a study gives, where the user does not."""


def study_values(
    question: Question, study: str | None, given: dict[str, object], path: Path | None
) -> dict[str, object]:
    """Return the parameters of a question: those given, and those that the study gives.

    Parameters
    ----------
    question
        The SQL.
    study
        Name or file; the study of the newest run where it is None.
    given
        What the user set by ``--param``.
    path
        The DuckDB file.

    Raises
    ------
    UsageError
        The question reads nothing of a study, or the table has no such column.
    DataError
        The study has no finished run.
    """
    wanted = [name for name in OF_THE_STUDY if name in question.parameters]
    if study is not None and not wanted:
        raise UsageError(f"{question.path.name} reads nothing of a study: leave out --study")
    if not wanted:
        return given
    from models_py.database.connection import open_warehouse

    study = study if study is not None else _text(given.get("study"))
    with open_warehouse(path, read_only=True) as warehouse:
        if "rejections" in wanted:
            return _rejections(warehouse, study) | given
        run = _run(warehouse, study)
        if run is None:
            return given
        values = {"study": run["study"], "gold": run["source_table"]}
        values["entity"] = run["entity_column"]
        if "column" in wanted:
            values["column"] = _column(warehouse, run, _text(given.get("column")))
    return given | {name: values[name] for name in wanted}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _run(warehouse: Warehouse, study: str | None) -> dict[str, Any] | None:
    """Return the newest run of a study, or of all; None where nothing ever ran."""
    from models_py.database.results import done_runs
    from models_py.runs.finished_runs import find_run

    columns = ["run_id", "study", "source_table", "entity_column", "parameters"]
    run_id = None if study is None else find_run(warehouse, study).run_id
    runs = done_runs(warehouse, columns, run_id)
    return dict(zip(columns, runs[-1], strict=True)) if runs else None


def _column(warehouse: Warehouse, run: dict[str, Any], asked: str | None) -> str:
    """Return the column asked for, or the one that a reader of the study would ask for first."""
    types = warehouse.columns(*str(run["source_table"]).split("."))
    if asked is not None:
        if asked not in types:
            raise UsageError(
                f"--param column={asked}: {run['source_table']} has no such column"
                f"{near_match(asked, types)}"
            )
        return asked
    study = json.loads(run["parameters"])
    of_words = [
        name
        for name, kind in types.items()
        if kind in ("VARCHAR", "BOOLEAN") and name != run["entity_column"]
    ]
    named = [study.get("partition_by"), study.get("label"), *of_words]
    column = next((name for name in named if name in types), None)
    if column is None:
        raise UsageError(
            f"{run['source_table']} has no column of words: name one with --param column=NAME"
        )
    return str(column)


def _rejections(warehouse: Warehouse, study: str | None) -> dict[str, object]:
    # Not every study ran whose table left something out; SQL cannot look up a table's name.
    from models_py.database.rejections import rejections_of, studied_tables
    from models_py.database.results import done_runs
    from models_py.studies.listing import shipped_studies
    from models_py.studies.loading import load_study

    if study is None:
        runs = done_runs(warehouse, ["study"])
        if not runs:
            return {}
        study = str(runs[-1][0])
    name, known = study, []
    if study in shipped_studies() or study.endswith(".toml"):
        loaded = load_study(study)
        name, known = loaded.name, [loaded.schema_and_name[1]]
    tables = [*known, *studied_tables(warehouse, name), name]
    return {"study": study, "rejections": rejections_of(warehouse, study, tables)}
