"""The steps of a night, in their order: what each does, and how one that was killed is known.

A step that commits is asked for its traces before it is done again, so that a kill between its
commit and the journal's line makes nothing twice.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import committed, settings
from models_py.base.errors import DataError, SegmenthouseError, UsageError, WarehouseError
from models_py.base.plurals import plural

if TYPE_CHECKING:
    from models_py.base.progress import Progress
    from models_py.sources.registry import Source
    from models_py.studies.study import Study

Facts = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a night is asked to do.

    Attributes
    ----------
    study, path
        The recipe, and the DuckDB file.
    file, words
        A new file of the study's own, and what else ``new_study`` was given; None without.
    source, origin
        Raw files of the study's domain, and where they come from.
    domain
        Whose dbt models make the study's table; None where none do.
    variables
        For dbt, as JSON or YAML.
    refit
        ``drifted``, ``always`` or ``never``.
    keep_runs, keep_backups
        What retention leaves; None keeps all.
    least_rows
        Share of yesterday's rows that a new file must have.
    wait_seconds
        How long another process is waited for.
    """

    study: Study
    path: Path
    file: Path | None = None
    words: tuple[str, ...] = ()
    source: Source | None = None
    origin: Path | None = None
    domain: str | None = None
    variables: str | None = None
    refit: str = "drifted"
    keep_runs: int | None = None
    keep_backups: int = 3
    least_rows: float = 0.5
    wait_seconds: float = 0.0


@dataclass
class Night:
    """A night at work: its plan, and what its steps have said so far."""

    plan: Plan
    progress: Progress
    mark: str
    said: dict[str, Facts] = field(default_factory=dict)

    def of(self, step: str, key: str) -> Any:
        """Return what a finished step said; None where it did not."""
        return self.said.get(step, {}).get(key)


class SkippedError(Exception):
    """A step has nothing to do; the message says why."""


class RefusedError(DataError):
    """The new data cannot be used: what was there before stays."""

    exit_code = 4


class StillWaitingError(WarehouseError):
    """A step is finished, and its results wait beside the warehouse."""

    exit_code = 3


def _nothing(_: Night) -> Facts:
    return {}


def _never(_night: Night, _before: Mapping[str, Any], _began_at: datetime) -> Facts | None:
    return None


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes
    ----------
    name
        Its key in the night's line.
    work
        Does it and returns what is to be said.
    before
        What is known before it, for ``committed``.
    committed
        Returns what is to be said of a step that was killed after it had committed; None where it
        had not.
    """

    name: str
    work: Callable[[Night], Facts]
    before: Callable[[Night], Facts] = _nothing
    committed: Callable[[Night, Mapping[str, Any], datetime], Facts | None] = _never


def _standing(night: Night) -> str | None:
    from models_py.database.connection import open_warehouse
    from models_py.database.results import latest_run

    plan = night.plan
    if not plan.path.is_file():
        return None
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        return latest_run(warehouse, plan.study.name)


def _require_standing(night: Night) -> str:
    run_id = _standing(night)
    if run_id is None:
        raise SkippedError("the study has no run yet")
    return run_id


# Fetching and loading.


def _fetch(night: Night) -> Facts:
    from models_py.sources.fetching import fetch

    plan = night.plan
    if plan.source is None:
        raise SkippedError("the study's table is of no domain")
    try:
        fetched = fetch(
            plan.source,
            settings.raw_dir(plan.source.domain),
            origin=plan.origin,
            force=plan.origin is not None,
            progress=night.progress,
        )
    except SegmenthouseError as error:
        problems: tuple[str, ...] = getattr(error, "problems", ())
        raise RefusedError("; ".join(problems) or str(error)) from error
    rows = sum(file.rows or 0 for file in fetched.files)
    taken = sum(file.action not in ("kept", "installed") for file in fetched.files)
    return {"source": plan.source.name, "files": len(fetched.files), "taken": taken, "rows": rows}


def _loaded_table(plan: Plan) -> tuple[str, bool]:
    """Return the name that a study's file was loaded under, and whether it was a log."""
    _, name = plan.study.schema_and_name
    is_log = "--transactions" in plan.words
    return (name.removesuffix("_customers") if is_log else name), is_log


def _rows_there(night: Night) -> int:
    from models_py.database.connection import open_warehouse
    from models_py.database.own_data import row_count

    plan = night.plan
    if not plan.path.is_file():
        return 0
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        if plan.study.table not in warehouse.relations():
            return 0
        return row_count(warehouse, *plan.study.schema_and_name)


def _fingerprint(night: Night) -> str | None:
    from models_py.segmentation.studied import read_studied

    try:
        return read_studied(night.plan.study, night.plan.path).fingerprint
    except SegmenthouseError:
        # There is no such table yet, or it lacks a column: then no load is known by it.
        return None


def _before_load(night: Night) -> Facts:
    if night.plan.file is None or not night.plan.path.is_file():
        return {"fingerprint": None}
    return {"fingerprint": _fingerprint(night)}


def _load(night: Night) -> Facts:
    from models_py.commands.new_study import load_again
    from models_py.commands.reading_output import loss_words
    from models_py.segmentation.studied import read_studied

    plan, study = night.plan, night.plan.study
    if plan.file is None or study.reading is None:
        raise SkippedError("no new file is given")
    rows_before = _rows_there(night)

    def check() -> None:
        rows = _rows_there(night)
        if rows < plan.least_rows * rows_before:
            enough = floor(100 * rows / rows_before) / 100
            raise DataError(
                f"{plan.file} has {rows:,} rows for {study.table}, which had {rows_before:,}: a"
                f" file cut short? --least-rows {enough:g} takes it all the same"
            )
        read_studied(study, plan.path)

    name, is_log = _loaded_table(plan)
    entity = "row" if study.reading.numbered else study.entity
    own = () if is_log else ("--id", entity, *(("--label", study.label) if study.label else ()))
    words = ["--input", str(plan.file), "--name", name, *own, *plan.words]
    words += ["--wait", str(plan.wait_seconds)]
    if not is_log:
        words += ["--warehouse", str(plan.path)]
    try:
        # Days count back from the last date of the new file, not of the one of long ago.
        reading = study.reading.model_copy(update={"last_date": None})
        loaded = load_again(words, reading, check, night.progress)
    except SegmenthouseError as error:
        if _is_held(error):
            raise
        raise RefusedError(_with_file(str(error), plan.file)) from error
    losses = [loss_words(loss, loaded.record.lines) for loss in loaded.record.losses]
    rows = _rows_there(night)
    return {"file": str(plan.file), "rows": rows, "rows_before": rows_before, "losses": losses}


def _with_file(text: str, file: Path) -> str:
    return text if file.name in text else f"{file.name}: {text}"


def _is_held(error: SegmenthouseError) -> bool:
    from models_py.base.errors import WarehouseLockedError

    return isinstance(error, WarehouseLockedError)


def _is_loaded(night: Night, before: Mapping[str, Any], _: datetime) -> Facts | None:
    from models_py.database.connection import open_warehouse
    from models_py.database.nights import is_aside
    from models_py.database.reading.replacing import ASIDE, loaded_relations

    plan = night.plan
    if plan.file is None or not plan.path.is_file():
        return None
    name, is_log = _loaded_table(plan)
    relations = loaded_relations(name, is_log=is_log)
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        if is_aside(warehouse, relations, ASIDE):
            return None
    now = _fingerprint(night)
    if now is None or now == before.get("fingerprint"):
        return None
    return {"file": str(plan.file), "rows": _rows_there(night)}


def _build(night: Night) -> Facts:
    from models_py.database.dbt import build_marked

    plan = night.plan
    if plan.domain is None:
        raise SkippedError("no dbt model of a domain makes the study's table")
    words = ["--selector", plan.domain, *(("--vars", plan.variables) if plan.variables else ())]
    night.progress.step(f"building {plan.domain} (dbt build)")
    build_marked(words, plan.domain, night.mark, plan.wait_seconds)
    return {"domain": plan.domain, "rows": _rows_there(night)}


def _is_domain_built(night: Night, _: Mapping[str, Any], __: datetime) -> Facts | None:
    from models_py.database.dbt import is_built

    if night.plan.domain is None or not is_built(night.mark):
        return None
    return {"domain": night.plan.domain, "rows": _rows_there(night)}


# Scoring, drift and refit.


def _score(night: Night) -> Facts:
    from models_py.commands.score_customers import score_study

    plan = night.plan
    _require_standing(night)
    result = score_study(plan.study.name, plan.path, plan.wait_seconds, night.progress)
    if result["held_by"] is not None:
        raise StillWaitingError(
            f"the scores of run {result['run_id']} lie in {result['written_to']}, since"
            f" {result['held_by']}"
        )
    kept = ("run_id", "customers", "new_customers", "moved_customers", "not_scored", "unseen")
    return {key: result[key] for key in kept}


def _is_scored(night: Night, _: Mapping[str, Any], began_at: datetime) -> Facts | None:
    from models_py.database.connection import open_warehouse
    from models_py.database.nights import last_scored

    run_id, plan = _standing(night), night.plan
    if run_id is None:
        return None
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        at = last_scored(warehouse, run_id)
    return {"run_id": run_id} if at is not None and at >= began_at else None


def _drift(night: Night) -> Facts:
    from models_py.commands.check_drift import drift_of

    plan = night.plan
    run_id = _require_standing(night)
    drift = drift_of(plan.path, plan.study.name, run_id, None, night.progress)
    return {
        "run_id": run_id,
        "verdict": drift.verdict,
        "triggers": drift.triggers,
        "reasons": [reason.words for reason in drift.reasons],
    }


def _before_refit(night: Night) -> Facts:
    from models_py.database.connection import open_warehouse
    from models_py.database.nights import newest_number

    plan = night.plan
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        return {"newest_number": newest_number(warehouse)}


def _refit(night: Night) -> Facts:
    from models_py.pipeline import run_study

    plan, verdict = night.plan, night.of("drift", "verdict")
    is_first = _standing(night) is None
    if not is_first and plan.refit == "never":
        raise SkippedError("--refit never")
    if not is_first and plan.refit == "drifted" and verdict != "refit":
        raise SkippedError(f"the verdict is {verdict}")
    finished = run_study(
        plan.study,
        plan.path,
        plan.study.seed,
        night.progress,
        plan.wait_seconds,
        is_challenger=True,
    )
    if finished.waits_in is not None:
        raise StillWaitingError(
            f"run {finished.run_id} is finished and lies in {finished.waits_in}, since"
            f" {finished.holder}"
        )
    return {"run_id": finished.run_id, "is_challenger": finished.is_challenger}


def _is_refitted(night: Night, before: Mapping[str, Any], _: datetime) -> Facts | None:
    from models_py.database.connection import open_warehouse
    from models_py.database.nights import finished_since, is_challenger

    plan, number = night.plan, before["newest_number"]
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        run_id = finished_since(warehouse, plan.study.name, number)
        if run_id is None:
            return None
        return {"run_id": run_id, "is_challenger": is_challenger(warehouse, run_id)}


def _gates(night: Night) -> Facts:
    from models_py.commands.promote_run import challenge_json, settle_challenger

    run_id = night.of("refit", "run_id")
    if run_id is None or not night.of("refit", "is_challenger"):
        raise SkippedError("there is no challenger")
    night.progress.step("comparing with the standing run")
    challenge = settle_challenger(night.plan.path, run_id)
    kept = ("challenger", "took_over_from", "standing_run_id", "checks")
    said = challenge_json(challenge)
    return {"is_met": challenge.is_met} | {key: said[key] for key in kept}


def _is_settled(night: Night, _: Mapping[str, Any], __: datetime) -> Facts | None:
    from models_py.database import contract
    from models_py.database.connection import open_warehouse
    from models_py.database.results import latest_run, read_run_rows

    plan, run_id = night.plan, night.of("refit", "run_id")
    if run_id is None:
        return None
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        rows = read_run_rows(warehouse, contract.challenges, run_id)
        standing = latest_run(warehouse, plan.study.name)
    if rows.empty:
        return None
    is_met = bool(rows["is_met"].all())
    before = str(rows["standing_run_id"].iloc[0])
    checks = json.loads(rows.drop(columns=["run_id", "standing_run_id"]).to_json(orient="records"))
    return {
        "is_met": is_met,
        "challenger": run_id,
        "took_over_from": before if is_met else None,
        "standing_run_id": standing,
        "checks": checks,
    }


# What is said of it.


def _forecast(night: Night) -> Facts:
    from models_py.database import contract
    from models_py.database.connection import open_warehouse
    from models_py.database.results import read_run_rows
    from models_py.runs.moving import forecast_moves

    plan, run_id = night.plan, _require_standing(night)
    with open_warehouse(plan.path, read_only=True, wait_seconds=plan.wait_seconds) as warehouse:
        if not read_run_rows(warehouse, contract.move_forecasts, run_id).empty:
            raise SkippedError("it was made for the standing run already")
    night.progress.step("foretelling who moves next")
    forecast = forecast_moves(plan.path, run_id, plan.wait_seconds)
    auc = None if forecast.refused is not None else forecast.auc
    return {"run_id": run_id, "auc": auc, "refused": forecast.refused}


def _page(night: Night) -> Facts:
    from models_py.report.writing import write_report

    run_id = _require_standing(night)
    report = write_report(run_id, night.plan.path, night.progress)
    return {"run_id": run_id, "page": str(report.page), "notes": report.notes}


def _is_page_written(night: Night, _: Mapping[str, Any], began_at: datetime) -> Facts | None:
    from datetime import UTC

    run_id = _standing(night)
    if run_id is None:
        return None
    page = settings.report_dir(night.plan.study.name, run_id) / "index.html"
    if not page.is_file() or page.stat().st_mtime < began_at.replace(tzinfo=UTC).timestamp():
        return None
    return {"run_id": run_id, "page": str(page), "notes": []}


def _retain(night: Night) -> Facts:
    from models_py.commands.cleanup_temp_tables import DONE, NOTHING_FOUND, main

    plan = night.plan
    if plan.keep_runs is None:
        raise SkippedError("all runs are kept: --keep-runs says how many")
    night.progress.step(f"clearing runs beyond the newest {plan.keep_runs}")
    words = ["--class", "runs", "--keep-runs", str(plan.keep_runs), "--execute", "--yes", "--json"]
    words += ["--keep-backups", str(plan.keep_backups), "--without-manifest"]
    words += ["--warehouse", str(plan.path), "--wait", str(plan.wait_seconds)]
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = main(words)
    answer = json.loads(printed.getvalue() or "{}")
    if code not in (DONE, NOTHING_FOUND):
        raise WarehouseError(f"runs were not cleared: {answer.get('error', 'it said nothing')}")
    backup = answer.get("backup") or {}
    return {"dropped": answer.get("dropped", []), "backup": backup.get("folder")}


def _share(night: Night) -> Facts:
    from models_py.database.share import share

    if not settings.shares_copies():
        raise SkippedError(f"{settings.SHARE_VARIABLE}=0")
    night.progress.step("copying for readers")
    shared = share(night.plan.path)
    committed.take_opened()
    return {"file": str(shared.file), "copied": len(shared.copied)}


STEPS = (
    Step("fetch", _fetch),
    Step("load", _load, _before_load, _is_loaded),
    Step("build", _build, committed=_is_domain_built),
    Step("score", _score, committed=_is_scored),
    Step("drift", _drift),
    Step("refit", _refit, _before_refit, _is_refitted),
    Step("gates", _gates, committed=_is_settled),
    Step("moves", _forecast),
    Step("page", _page, committed=_is_page_written),
    Step("retention", _retain),
    Step("share", _share),
)


def check_plan(plan: Plan) -> None:
    """Refuse a plan that contradicts itself.

    Raises
    ------
    UsageError
        In one line.
    """
    if plan.file is not None and plan.study.reading is None:
        raise UsageError(
            f"--input {plan.file}: study {plan.study.name} was not drafted from a file by"
            " new_study.py; the raw files of a domain come with --from"
        )
    if plan.file is not None and not plan.file.is_file():
        raise UsageError(f"--input {plan.file}: there is no such file")
    if plan.origin is not None and plan.source is None:
        raise UsageError(f"--from {plan.origin}: {plan.study.table} is of no domain")
    if plan.words and plan.file is None:
        raise UsageError("words after -- go to new_study.py with --input")
    if plan.file is not None and _is_of_a_log(plan.study) and "--transactions" not in plan.words:
        raise UsageError(
            f"study {plan.study.name} was drafted from a log: say after -- what new_study.py was"
            " given: --transactions --customer COLUMN --time COLUMN --amount COLUMN"
        )
    if not 0 <= plan.least_rows <= 1:
        raise UsageError(f"--least-rows must be from 0 to 1, not {plan.least_rows:g}")
    if plan.keep_runs is not None and plan.keep_runs < 1:
        raise UsageError(f"--keep-runs must be 1 or more, not {plural(plan.keep_runs, 'run')}")


def _is_of_a_log(study: Study) -> bool:
    reading = study.reading
    return reading is not None and study.entity not in {*reading.columns, reading.numbered}
