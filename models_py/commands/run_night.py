"""Bring a study up to date: load or fetch, build, score, drift, refit, gates, page, retention.

A night that was killed goes on at the step that was not finished.
"""

from __future__ import annotations

import argparse
import json
import math
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.errors import (
    SegmenthouseError,
    UsageError,
    WarehouseError,
    WarehouseLockedError,
)
from models_py.base.invocation import as_called
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import WAITING, Stopped, end, unexpected
from models_py.commands.options import (
    add_study,
    add_wait,
    add_warehouse,
    check_wait,
    command_parser,
)
from models_py.database.connection import WAIT_SECONDS

if TYPE_CHECKING:
    from models_py.base.journal import Journal
    from models_py.commands.night_steps import Night, Plan, Step
    from models_py.sources.registry import Source
    from models_py.studies.study import Study

DONE, FAILED, REFUSED, NOT_BETTER, ALERT_FAILED = 0, 1, 4, 5, 6
EXIT_CODES = {
    DONE: "done: the tables, the segments and the page are of the data there are now",
    FAILED: "a step failed: what was done before it stays, the same command goes on there",
    2: "wrong usage: nothing was begun",
    WAITING: "another process holds the warehouse, or is at work on this night: nothing is lost",
    REFUSED: "the new data are refused: yesterday's data and segments stay as they were",
    NOT_BETTER: "done, and a new run does not take over: somebody has to look at it",
    ALERT_FAILED: "done, and the command of --alert failed",
}
"""What a night ends with; 128 and the number of a signal where one stopped it."""
ALERT_SECONDS = 120
FOLDER_SUFFIX = ".nights"
EXAMPLES = """\
examples:
  python scripts/run_night.py --study clients.toml --input clients.csv
  python scripts/run_night.py --study my_shop.toml --input sales.csv -- \\
      --transactions --customer customer --time sold_at --amount price
  python scripts/run_night.py --study bank --from drop/bank --keep-runs 30
  python scripts/run_night.py --study clients.toml --alert 'mail -s night ops@example.org'

Standard output is one line of JSON: each step's outcome and seconds, the verdict, the standing run,
the exit code. --alert gets that line on its standard input when there is something to tell: a
verdict other than keep, a new run that took over or did not, data that were refused, a failure.
The project's scripts/NIGHT.md has a cron line, an Airflow DAG and a GitHub workflow.
"""


class AnotherNightError(WarehouseLockedError):
    """A night of the study is at work."""

    exit_code = WAITING


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, one of :data:`EXIT_CODES`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    words: list[str] = []
    if "--" in given:
        at = given.index("--")
        given, words = given[:at], given[at + 1 :]
    asked = _parser().parse_args(given)
    return end(lambda: _run(asked, words), as_json=True)


def _parser() -> argparse.ArgumentParser:
    codes = "\n".join(f"  {code}  {words}" for code, words in EXIT_CODES.items())
    parser = command_parser("run_night.py", __doc__, f"{EXAMPLES}\nexit codes:\n{codes}")
    add_study(parser)
    data = parser.add_argument_group("new data")
    data.add_argument("--input", metavar="FILE", type=Path, help="of a study of new_study.py")
    data.add_argument(
        "--least-rows",
        metavar="SHARE",
        type=float,
        default=0.5,
        help="refuse a file with fewer rows than this share of yesterday's (default: 0.5)",
    )
    data.add_argument(
        "--from", dest="origin", metavar="PATH", type=Path, help="raw files of a domain"
    )
    data.add_argument("--source", metavar="NAME", help="which source of the domain")
    data.add_argument("--vars", metavar="YAML", help="variables for dbt build")
    parser.add_argument(
        "--refit",
        choices=("drifted", "always", "never"),
        default="drifted",
        help="when a challenger is run (default: on the verdict refit)",
    )
    parser.add_argument("--keep-runs", metavar="N", type=int, help="of every study (default: all)")
    parser.add_argument(
        "--keep-backups", metavar="N", type=int, default=3, help="of cleared runs (default: 3)"
    )
    parser.add_argument("--alert", metavar="COMMAND", help="gets the line when there is news")
    parser.add_argument(
        "--anew", action="store_true", help="begin anew, although a night was cut short"
    )
    add_warehouse(parser)
    add_wait(parser, WAIT_SECONDS)
    return parser


def _run(asked: argparse.Namespace, words: Sequence[str]) -> int:
    from models_py.base.journal import open_journal
    from models_py.commands.night_steps import Night

    check_wait(asked)
    alert = _alert_words(asked.alert)
    plan = _plan(asked, words)
    folder = plan.path.with_name(f"{plan.path.name}{FOLDER_SUFFIX}")
    with _alone(folder, plan.study.name), show_progress() as progress:
        journal = open_journal(
            folder / f"{plan.study.name}.json",
            f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(2)}",
            _about(plan),
            anew=asked.anew,
        )
        night = Night(plan, progress, journal.work_id, dict(journal.steps))
        said = _do_steps(night, journal)
        code = _exit_code(said)
        if code in (DONE, NOT_BETTER):
            journal.end()
    said["exit_code"] = code
    said["alerts"] = _alerts(said)
    if alert and said["alerts"]:
        said["alert"] = _tell(alert, said)
        if said["alert"]["error"] is not None:
            print(f"note: --alert failed: {said['alert']['error']}", file=sys.stderr)
            said["exit_code"] = said["exit_code"] or ALERT_FAILED
    print(json.dumps(_plain(said), default=str))
    return int(said["exit_code"])


def _plan(asked: argparse.Namespace, words: Sequence[str]) -> Plan:
    from models_py.commands.night_steps import Plan, check_plan
    from models_py.database.dbt import domain_of
    from models_py.studies.loading import load_study

    study = load_study(asked.study)
    if study.engine == "spark":
        raise UsageError(
            f"study {study.name} has its table on Spark, and a night works in the warehouse file:"
            " run it with python scripts/run_clustering.py"
        )
    domain = domain_of(study.table) if study.reading is None else None
    plan = Plan(
        study=study,
        path=(asked.warehouse or settings.warehouse_path()).expanduser().resolve(),
        file=asked.input,
        words=tuple(words),
        source=_source(domain, asked),
        origin=asked.origin,
        domain=domain,
        variables=asked.vars,
        refit=asked.refit,
        keep_runs=asked.keep_runs,
        keep_backups=asked.keep_backups,
        least_rows=asked.least_rows,
        wait_seconds=asked.wait,
    )
    check_plan(plan)
    if domain is not None and plan.path != settings.warehouse_path().resolve():
        raise UsageError(
            "dbt builds the warehouse of the home: leave out --warehouse and set"
            f" {settings.HOME_VARIABLE}"
        )
    return plan


def _source(domain: str | None, asked: argparse.Namespace) -> Source | None:
    from models_py.sources.registry import choose_source, domains

    if domain is None or domain not in domains():
        return None
    return choose_source(domain, asked.source, asked.origin is not None)


def _alert_words(command: str | None) -> list[str]:
    if command is None:
        return []
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--alert {command}: {error}") from error
    if not words:
        raise UsageError("--alert: name a command")
    return words


def _about(plan: Plan) -> dict[str, Any]:
    """Return what a night is about: with another file or study it is another night."""
    from hashlib import sha256

    from models_py.base import checksums

    study: Study = plan.study
    files = []
    if plan.origin is not None:
        inside = sorted(plan.origin.rglob("*")) if plan.origin.is_dir() else [plan.origin]
        seen = [(str(f), f.stat()) for f in inside if f.is_file()]
        files = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in seen]
    return {
        "study": study.name,
        "recipe": sha256(study.model_dump_json().encode()).hexdigest(),
        "input": None if plan.file is None else checksums.sha256(plan.file),
        "words": list(plan.words),
        "from": files,
        "refit": plan.refit,
    }


@contextmanager
def _alone(folder: Path, study: str) -> Iterator[None]:
    from models_py.base import locks

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locks.hold(folder / f"{study}.lock"):
            yield
    except locks.HeldError as error:
        raise AnotherNightError(
            f"another night of {study} is at work: {error}; wait until it is done"
        ) from error
    except OSError as error:
        raise WarehouseError(
            f"{folder} cannot be written ({error.strerror or error}): check its rights"
        ) from error


def _do_steps(night: Night, journal: Journal) -> dict[str, Any]:
    from models_py.commands.night_steps import STEPS

    steps: dict[str, dict[str, Any]] = {}
    said = {
        "night": journal.work_id,
        "study": night.plan.study.name,
        "started_at": journal.started_at.isoformat(),
        "resumed_at": None,
        "steps": steps,
        "error": None,
    }
    if journal.is_resumed:
        _take_in_waiting(night)
    for step in STEPS:
        if step.name in journal.steps:
            steps[step.name] = journal.steps[step.name]
            continue
        if journal.is_resumed and said["resumed_at"] is None:
            said["resumed_at"] = step.name
        steps[step.name] = _do_step(step, night, journal)
        if "error" in steps[step.name]:
            said["error"] = f"{step.name}: {steps[step.name]['error']}"
            said["failed_with"] = steps[step.name].pop("code")
            break
    return said


def _take_in_waiting(night: Night) -> None:
    # A run that waited beside the warehouse is this night's, and is not made again.
    from models_py.database.waiting import list_waiting, open_for_writing

    if list_waiting(night.plan.path):
        try:
            with open_for_writing(night.plan.path, wait_seconds=night.plan.wait_seconds):
                pass
        except WarehouseLockedError:
            return  # The next step meets it, and says so.


def _do_step(step: Step, night: Night, journal: Journal) -> dict[str, Any]:
    from models_py.commands.night_steps import SkippedError

    began = time.perf_counter()
    result: dict[str, Any]
    try:
        traces = None
        if journal.at_work == step.name and journal.began_at is not None:
            traces = step.committed(night, journal.before, journal.began_at)
        if traces is None:
            journal.begin(step.name, step.before(night))
            result = {"outcome": "done", **step.work(night)}
        else:
            result = {"outcome": "done", "was_committed": True, **traces}
    except SkippedError as skipped:
        result = {"outcome": "skipped", "why": str(skipped)}
    except SegmenthouseError as error:
        return _failed(str(error), _code_of(error), began)
    except Exception as error:
        if Stopped.received is not None:
            raise
        return _failed(unexpected(error), FAILED, began)
    result["seconds"] = round(time.perf_counter() - began, 2)
    night.said[step.name] = result
    journal.finish(step.name, _plain(result))
    return result


def _code_of(error: SegmenthouseError) -> int:
    if isinstance(error, WarehouseLockedError):
        return WAITING
    return error.exit_code if error.exit_code in (WAITING, REFUSED) else FAILED


def _failed(words: str, code: int, began: float) -> dict[str, Any]:
    outcome = {WAITING: "waiting", REFUSED: "refused"}.get(code, "failed")
    line = as_called(" ".join(words.split()))
    print(f"{outcome}: {line}", file=sys.stderr)
    return {
        "outcome": outcome,
        "error": line,
        "code": code,
        "seconds": round(time.perf_counter() - began, 2),
    }


def _exit_code(said: dict[str, Any]) -> int:
    steps = said["steps"]
    for key, step in (("verdict", "drift"), ("run_id", "page"), ("page", "page")):
        said[key] = steps.get(step, {}).get(key)
    code = said.pop("failed_with", None)
    if code is not None:
        return int(code)
    return NOT_BETTER if steps["gates"].get("is_met") is False else DONE


def _alerts(said: dict[str, Any]) -> list[str]:
    """Return what somebody should know, a line each."""
    steps, alerts = said["steps"], []
    if said["error"] is not None:
        alerts.append(said["error"])
    drift, gates = steps.get("drift", {}), steps.get("gates", {})
    if drift.get("verdict") in ("watch", "refit"):
        alerts.append(f"drift: {drift['verdict']}: {'; '.join(drift['reasons'])}")
    if gates.get("is_met") is True:
        alerts.append(f"run {gates['challenger']} took over from {gates['took_over_from']}")
    elif gates.get("is_met") is False:
        low = [check["measure"] for check in gates["checks"] if not check["is_met"]]
        alerts.append(
            f"run {gates['challenger']} does not take over: too low: {', '.join(low)}; it does all"
            f" the same with {as_called('python scripts/promote_run.py')} {gates['challenger']}"
        )
    return alerts


def _tell(command: list[str], said: dict[str, Any]) -> dict[str, Any]:
    """Run the command of ``--alert``; whatever it does changes nothing of the night."""
    line = json.dumps(_plain(said), default=str) + "\n"
    try:
        ended = subprocess.run(
            command, input=line, capture_output=True, text=True, timeout=ALERT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or f"not done within {ALERT_SECONDS} s"
        return {"exit_code": None, "error": f"{command[0]}: {str(reason).lower()}"}
    lines = (ended.stderr or ended.stdout).strip().splitlines()
    said_why = f": {lines[0]}" if lines else ""
    failed = f"{command[0]} ended with {ended.returncode}{said_why}" if ended.returncode else None
    return {"exit_code": ended.returncode, "error": failed}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: what is not measured is null."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
