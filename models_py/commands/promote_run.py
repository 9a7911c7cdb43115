"""Say which run answers for a study: let a challenger take over, or go back to an earlier run."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_study, add_warehouse, command_parser
from models_py.commands.table import print_table
from models_py.commands.tracking import follow_promotion
from models_py.studies.listing import DEFAULT

if TYPE_CHECKING:
    from models_py.runs.challenge import Challenge

EXAMPLES = f"""\
examples:
  python scripts/promote_run.py --back
  python scripts/promote_run.py 20260105T020000000000-91a6 --if-better
  python scripts/promote_run.py 20260105T020000000000-91a6

The standing run answers for its study: scores, questions, views and pages. --back goes back to the
run that stood before it ({DEFAULT} without --study); a run named here takes over whatever
the comparison says, with --if-better only where it is as good on every measure. Runs that are
stepped back from stay as 'retired', and can take over again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("promote_run.py", __doc__, EXAMPLES)
    parser.add_argument("run", nargs="?", metavar="RUN", help="a finished run")
    add_study(parser)
    parser.add_argument("--back", action="store_true", help="the run that stood before")
    parser.add_argument(
        "--if-better", action="store_true", help="compare it with the standing run first"
    )
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    if (asked.run is None) != asked.back:
        raise UsageError("name a run, or say --back for the one that stood before")
    if asked.back and asked.if_better:
        raise UsageError("--back compares nothing: leave out --if-better, or name the run")
    path = asked.warehouse or settings.warehouse_path()
    if asked.if_better:
        return _compare(asked, path)
    from models_py.runs.challenge import promote, run_before_standing

    run_id = asked.run or run_before_standing(path, asked.study)
    study, retired = promote(path, run_id)
    said = follow_promotion(study, run_id)
    if asked.json:
        print(json.dumps({"study": study, "standing_run_id": run_id, "retired": retired}, indent=2))
        return 0
    after = f"; retired: {', '.join(retired)}" if retired else ""
    print(f"run {run_id} is the standing run of {study}{after}")
    if said is not None:
        print(said)
    return 0


def _compare(asked: argparse.Namespace, path: Path) -> int:
    with show_progress(quiet=asked.json) as progress:
        progress.step("comparing with the standing run")
        challenge = settle_challenger(path, asked.run)
    if asked.json:
        print(json.dumps(challenge_json(challenge), indent=2))
    else:
        print_challenge(challenge)
    if challenge.is_met:
        follow_promotion(challenge.study, challenge.run_id)
    return 0


def settle_challenger(path: Path, run_id: str) -> Challenge:
    """Compare a challenger with the standing run, and let it take over where it is as good."""
    from models_py.runs.challenge import compare_with_standing, settle

    challenge = compare_with_standing(path, run_id)
    settle(path, challenge)
    return challenge


def challenge_json(challenge: Challenge) -> dict[str, object]:
    """Return a comparison as JSON has it; null where a figure is not measured."""
    checks = [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(check).items()
        }
        | {"is_met": check.is_met}
        for check in challenge.checks
    ]
    return {
        "study": challenge.study,
        "challenger": challenge.run_id,
        "took_over_from": challenge.standing_run_id if challenge.is_met else None,
        "standing_run_id": challenge.run_id if challenge.is_met else challenge.standing_run_id,
        "checks": checks,
    }


def print_challenge(challenge: Challenge) -> None:
    """Print the measures of a challenger beside the standing run's, and who stands now."""
    print(f"\nchallenger {challenge.run_id} beside the standing run {challenge.standing_run_id}:\n")
    rows = [
        [
            check.measure,
            _figure(check.value),
            _figure(check.standing_value),
            _figure(check.at_least),
            "" if check.is_met else "too low",
        ]
        for check in challenge.checks
    ]
    print_table(["measure", "challenger", "standing", "at least", ""], rows, {1, 2, 3})
    if challenge.is_met:
        print(
            f"\nthe challenger takes over: it is the standing run of {challenge.study} now; back"
            f" with python scripts/promote_run.py --back --study {challenge.study}"
        )
        return
    print(
        f"\nrun {challenge.standing_run_id} stays the answer; the challenger takes over all the"
        f" same with python scripts/promote_run.py {challenge.run_id}"
    )


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
