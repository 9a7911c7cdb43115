"""Run a study: find the segments of a gold table and write them to the results tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.errors import SegmenthouseError, UsageError
from models_py.base.invocation import as_called
from models_py.base.plurals import plural
from models_py.base.progress import show_progress
from models_py.commands.check_drift import as_json as drift_json, drift_of
from models_py.commands.exit_codes import WAITING, end, unexpected
from models_py.commands.options import (
    add_json,
    add_study,
    add_wait,
    add_warehouse,
    check_wait,
    command_parser,
    still_waiting,
)
from models_py.commands.promote_run import (
    challenge_json,
    print_challenge,
    settle_challenger,
)
from models_py.commands.tracking import (
    Tracking,
    add_track,
    print_tracked,
    say_not_tracked,
    track_finished,
    wants_tracking,
)
from models_py.database.connection import WAIT_SECONDS
from models_py.studies.listing import DEFAULT, shipped_studies

if TYPE_CHECKING:
    from models_py.base.progress import Progress
    from models_py.pipeline import Finished
    from models_py.runs.challenge import Challenge
    from models_py.studies.study import Study

EXAMPLES = f"""\
examples:
  python scripts/run_clustering.py
  python scripts/run_clustering.py --study grocery_lifestages
  python scripts/run_clustering.py --study my_study.toml --seed 7
  python scripts/run_clustering.py --study my_study.toml --explore
  python scripts/run_clustering.py --k 5
  python scripts/run_clustering.py --if-drifted
  python scripts/run_clustering.py --track
  python scripts/run_clustering.py --list-studies

A new run answers for its study from then on. With --challenger the run before keeps answering
until the new one is as good in stability, identity and validity; --if-drifted runs a challenger
only where check_drift says refit. python scripts/promote_run.py goes back.

While another process holds the warehouse for longer than --wait, a finished run waits beside it
(exit code 3): the next command that writes takes it in.

Without --study the study {DEFAULT} runs. The results stand in the schema 'results'; ask them
with python scripts/run_sql.py latest_segments.
"""


@dataclass(frozen=True)
class WrittenReport:
    """The page of a run, or why there is none, and what the page lacks."""

    report: str | None = None
    report_problem: str | None = None
    report_notes: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 it waits."""
    asked = _parser().parse_args(arguments)
    work = _list_studies if asked.list_studies else _run
    return end(lambda: work(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("run_clustering.py", __doc__, EXAMPLES)
    add_study(parser)
    add_warehouse(parser)
    add_wait(parser, WAIT_SECONDS)
    parser.add_argument("--seed", type=int, help="in place of the study's own")
    parser.add_argument("--k", type=int, help="this number of segments only")
    parser.add_argument(
        "--challenger", action="store_true", help="compare it with the standing run first"
    )
    parser.add_argument(
        "--if-drifted", action="store_true", help="a challenger, and only on the verdict refit"
    )
    parser.add_argument("--list-studies", action="store_true", help="list the shipped studies")
    parser.add_argument(
        "--extras", action="store_true", help="print the extras that the study needs installed"
    )
    parser.add_argument(
        "--alternative",
        type=int,
        metavar="N",
        help="take the Nth of the other groupings that the study's newest run names",
    )
    parser.add_argument(
        "--explore", action="store_true", help="write what the table says, and cluster nothing"
    )
    parser.add_argument("--no-report", action="store_true", help="write no report of the run")
    add_track(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    from models_py.studies.loading import load_study, with_k

    study = load_study(asked.study)
    path = asked.warehouse or settings.warehouse_path()
    if asked.explore:
        return _explore(study, path, asked.json)
    if asked.extras:
        return _print_extras(study, asked)
    if asked.k is not None:
        study = with_k(study, asked.k)
    check_wait(asked)
    if asked.alternative is not None:
        study = _with_alternative(study, path, asked)
    seed = study.seed if asked.seed is None else asked.seed
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed {seed}: a seed is a whole number from 0 to 4294967295")
    is_tracked = wants_tracking(asked.track)
    with show_progress(quiet=asked.json) as progress:
        progress.step("starting")
        if asked.if_drifted and not _asks_for_refit(asked, study.name, path, progress):
            return 0
        from models_py.pipeline import run_study

        is_challenger = asked.challenger or asked.if_drifted
        finished = run_study(study, path, seed, progress, asked.wait, is_challenger=is_challenger)
        is_written = finished.waits_in is None
        if is_written:
            progress.step("foretelling who moves next")
            _forecast_moves(path, finished.run_id)
        wants_report = is_written and not asked.no_report
        written = _write_report(finished, path, progress) if wants_report else WrittenReport()
        challenge = None
        if finished.is_challenger and is_written:
            progress.step("comparing with the standing run")
            challenge = settle_challenger(path, finished.run_id)
        tracking = (
            track_finished(path, finished.run_id, asked.track, progress)
            if is_tracked and is_written
            else Tracking()
        )
    for reason in finished.skipped:
        print(f"not explained: {reason}", file=sys.stderr)
    _print(asked, study, finished, written, challenge, tracking)
    if not is_written:
        print(_waiting_line(finished, is_tracked), file=sys.stderr)
        return WAITING
    code = say_not_tracked(finished.run_id, tracking)
    if written.report_problem is None:
        return code
    print(
        f"error: run {finished.run_id} is done and its results are there, but its report is not:"
        f" {written.report_problem}; write it with"
        f" python scripts/write_report.py {finished.run_id}",
        file=sys.stderr,
    )
    return 1


def _print_extras(study: Study, asked: argparse.Namespace) -> int:
    # Without LightGBM the segments stay unexplained, which a page would miss most.
    skipped = {"report"} if asked.no_report else set()
    print(",".join(extra for extra in study.extras if extra not in skipped))
    return 0


def _explore(study: Study, path: Path, as_json: bool) -> int:
    from models_py.report.writing import write_exploration

    with show_progress(quiet=as_json) as progress:
        if study.engine == "spark":
            from models_py.database.spark_tables import keep_sample, open_spark_table

            progress.step(f"drawing a sample of {study.table}")
            keep_sample(path, open_spark_table(study, study.seed), WAIT_SECONDS)
        page = write_exploration(study, path, progress)
    print(json.dumps({"study": study.name, "report": str(page)}, indent=2) if as_json else page)
    return 0


def _print(
    asked: argparse.Namespace,
    study: Study,
    finished: Finished,
    written: WrittenReport,
    challenge: Challenge | None,
    tracking: Tracking,
) -> None:
    if asked.json:
        compared = {} if challenge is None else {"challenge": challenge_json(challenge)}
        tracked = tracking.as_json() if tracking != Tracking() else {}
        output = _as_json(finished) | asdict(written) | compared | tracked
        print(json.dumps(output, indent=2, default=str))
        return
    _print_finished(study, finished)
    _print_report(written)
    if challenge is not None:
        print_challenge(challenge)
    if tracking.tracked is not None:
        print_tracked(tracking.tracked)


def _asks_for_refit(asked: argparse.Namespace, study: str, path: Path, progress: Progress) -> bool:
    """Say how far the standing run drifted; a study that never ran has to."""
    from models_py.database.connection import open_warehouse
    from models_py.database.results import latest_run

    progress.step("measuring the drift of the standing run")
    with open_warehouse(path, read_only=True, wait_seconds=asked.wait) as warehouse:
        standing = latest_run(warehouse, study)
    if standing is None:
        return True
    drift = drift_of(path, study, standing, None, progress)
    if drift.verdict == "refit":
        if not asked.json:
            print(f"refit: {', '.join(drift.triggers)}", file=sys.stderr)
        return True
    if asked.json:
        print(json.dumps({"run_id": None, "standing_run_id": standing, "drift": drift_json(drift)}))
    else:
        reasons = "; ".join(reason.words for reason in drift.reasons)
        said = reasons or "nothing moved past its limit"
        print(f"{drift.verdict}: run {standing} stays the answer for {study}: {said}")
    return False


def _waiting_line(finished: Finished, is_tracked: bool) -> str:
    report = f"; then write its report: python scripts/write_report.py {finished.run_id}"
    if finished.is_challenger:
        report += f", and compare it: python scripts/promote_run.py {finished.run_id} --if-better"
    if is_tracked:
        report += f", and track it: python scripts/track_run.py {finished.run_id}"
    return still_waiting(f"run {finished.run_id}", finished.waits_in, finished.holder) + report


def _forecast_moves(path: Path, run_id: str) -> None:
    from models_py.runs.moving import forecast_moves

    try:
        forecast_moves(path, run_id)
    except SegmenthouseError as error:
        print(f"note: who is likely to move next is not known: {error}", file=sys.stderr)


def _write_report(finished: Finished, path: Path, progress: Progress) -> WrittenReport:
    # The results are committed: whatever the report meets must not look as if they were not.
    from models_py.report.writing import write_report

    try:
        report = write_report(finished.run_id, path, progress)
    except SegmenthouseError as error:
        return WrittenReport(report_problem=str(error))
    except Exception as error:  # noqa: BLE001
        return WrittenReport(report_problem=unexpected(error))
    return WrittenReport(str(report.page), None, report.notes)


def _print_report(written: WrittenReport) -> None:
    if written.report is not None:
        print(f"  open the report in a browser: {written.report}")
    for note in written.report_notes:
        print(f"  {note}", file=sys.stderr)


def _list_studies(asked: argparse.Namespace) -> int:
    from models_py.studies.loading import load_study

    studies = [load_study(name) for name in shipped_studies()]
    if asked.json:
        rows = [{"name": s.name, "title": s.title, "table": s.table} for s in studies]
        print(json.dumps(rows, indent=2))
        return 0
    for study in studies:
        print(f"{study.name:<22} {study.table:<24} {study.description or study.title}")
    return 0


def _with_alternative(study: Study, path: Path, asked: argparse.Namespace) -> Study:
    from models_py.database.connection import open_warehouse
    from models_py.runs.finished_runs import find_alternative

    if study.partition_by is not None or asked.k is not None:
        raise UsageError(
            "--alternative goes with one search and no other number: leave --k out, and for a study"
            " with partition_by set choose.algorithm and choose.k in the study's file"
        )
    with open_warehouse(path, read_only=True, wait_seconds=asked.wait) as warehouse:
        chosen = find_alternative(warehouse, study.name, asked.alternative)
    return study.model_copy(update={"choose": study.choose.model_copy(update=chosen)})


def _as_json(finished: Finished) -> dict[str, object]:
    segments = finished.tables.rows["segments"]
    return {
        "run_id": finished.run_id,
        "study": finished.study,
        "previous_run_id": finished.previous_run_id,
        "rows_read": finished.rows_read,
        "status": "done" if finished.waits_in is None else "waiting",
        "waits_in": finished.waits_in,
        "chosen_because": finished.reasons,
        "segments": json.loads(segments.to_json(orient="records")),
    }


def _print_finished(study: Study, finished: Finished) -> None:
    segments = finished.tables.rows["segments"].to_dict("records")
    print(
        f"\n{study.title}: {plural(len(segments), 'segment')} of {finished.rows_read:,} rows"
        f" of {study.table}"
    )
    width = max(len(str(row["name"])) for row in segments)
    print(f"\n{'segment':>7}  {'name':<{width}} {'size':>7} {'share':>6}  stability")
    partition = "all"
    for row in segments:
        if row["partition"] != partition:
            partition = str(row["partition"])
            print(f"{study.partition_by} = {partition}")
        print(
            f"{row['segment_id']:>7}  {row['name']:<{width}} {row['size']:>7,}"
            f" {row['share']:>6.1%}  {_stability(row)}"
        )
        for part in str(row["description"]).split("; "):
            print(f"{'':>9}{part}")
    for name, reason in finished.reasons.items():
        print(f"\nwhy these{_of(name)}: {reason}")
        _print_answers(study, finished, name)
    if "partition_comparison" in finished.tables.rows:
        print(f"\n{finished.tables.rows['partition_comparison']['sentence'].iloc[0]}")
    surrogates = finished.tables.rows.get("surrogates")
    if surrogates is not None and "text_comparison" in surrogates:
        for text in surrogates["text_comparison"].dropna():
            print(f"\n{text}")
    if "label_agreement" in finished.tables.rows:
        for row in finished.tables.rows["label_agreement"].to_dict("records"):
            print(_agreement(row))
    if finished.waits_in is not None:
        return
    print(f"\nrun {finished.run_id} is in the schema 'results'. Next:")
    purposes = {
        f"python scripts/run_sql.py segment_value --study {study.name}": "what they are worth",
        f"python scripts/run_sql.py segment_rules --study {study.name}": "each as a rule",
        "python scripts/run_sql.py --list": "every ready question",
        "python scripts/run_clustering.py --list-studies": "other studies",
    }
    commands = [as_called(command) for command in purposes]
    width = max(map(len, commands))
    for command, purpose in zip(commands, purposes.values(), strict=True):
        print(f"  {command:<{width}}  {purpose}")


def _print_answers(study: Study, finished: Finished, partition: str) -> None:
    from models_py.describe.meanings import offer, sureness

    answers = finished.tables.rows["answers"]
    answer, *others = answers[answers["partition"] == partition].to_dict("records")
    said = sureness(float(answer["likely_right"]))
    if said is not None:
        print(f"how sure: {said}")
    if not others or study.choose.candidate is not None:
        return
    ranks = [str(row["rank"]) for row in others]
    choices = " or ".join(filter(None, [", ".join(ranks[:-1]), ranks[-1]]))
    print("or else:" if partition != "all" else f"or else, with --alternative {choices}:")
    for row in others:
        print(f"  {row['rank']}  {offer(row)}")


def _agreement(row: dict[Hashable, Any]) -> str:
    text = (
        f"\nbeside the known {row['label_column']}{_of(row['partition'])}: purity"
        f" {row['purity']:.1%} (the commonest label alone {row['majority_share']:.1%}), adjusted"
        f" Rand {row['adjusted_rand']:.3f}, mutual information {row['mutual_information']:.3f}"
    )
    if row["folds"] is None or isnan(row["folds"]):
        return text
    return (
        f"{text};\na supervised LightGBM that is given the labels reaches"
        f" {row['supervised_accuracy']:.1%} (adjusted Rand {row['supervised_adjusted_rand']:.3f})"
        f" in {row['folds']:.0f}-fold cross-validation"
    )


def _stability(row: dict[Hashable, Any]) -> str:
    if isnan(row["stability"]):
        return "-"
    return f"{row['stability']:.2f}" + ("" if row["is_stable"] else " unstable")


def _of(partition: str) -> str:
    return "" if partition == "all" else f" in {partition}"
