"""Check whether a study's standing run is still true of its gold table: keep, watch or refit."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_run, add_study, add_warehouse, command_parser
from models_py.commands.table import print_table
from models_py.database.connection import WAIT_SECONDS
from models_py.studies.listing import DEFAULT

if TYPE_CHECKING:
    from models_py.base.progress import Progress
    from models_py.runs.drift import Drift

EXAMPLES = f"""\
examples:
  python scripts/check_drift.py
  python scripts/check_drift.py --study grocery_lifestages --json
  python scripts/check_drift.py --fail-on refit || python scripts/run_clustering.py --challenger
  python scripts/run_clustering.py --if-drifted        # the same in one command

Without --study the standing run of {DEFAULT} is checked. A check that worked ends with 0 whatever
its verdict; with --fail-on a verdict as grave as that ends with 3.
"""
FAILED_ON = 3
MOST_SHOWN = 10
MOVED = {"keep": "", "watch": "moved", "refit": "shifted"}
TITLES = {
    "segment_distance": "customers that would have to change segment",
    "jensen_shannon": "Jensen-Shannon distance of the segments' shares",
    "silhouette_drop": "drop of the silhouette",
    "reconstruction_ratio": "reconstruction error, times the run's",
    "new_share": "new customers",
    "gone_share": "customers gone",
    "unknown_partition_share": "customers in a partition never seen",
    "shifted_features_share": "features shifted",
    "age_days": "age of the run in days",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 failed on."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("check_drift.py", __doc__, EXAMPLES)
    add_study(parser)
    add_run(parser)
    parser.add_argument(
        "--input", metavar="FILE|TABLE", help="customers now (default: the study's own table)"
    )
    parser.add_argument(
        "--fail-on", choices=("watch", "refit"), help="end with 3 on this verdict or a graver one"
    )
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    with show_progress(quiet=asked.json) as progress:
        progress.step("loading the run")
        drift = _measure(asked, progress)
    if asked.json:
        print(json.dumps(as_json(drift), indent=2))
    else:
        print_drift(drift)
    grave = {"watch": ("watch", "refit"), "refit": ("refit",)}.get(asked.fail_on, ())
    return FAILED_ON if drift.verdict in grave else 0


def _measure(asked: argparse.Namespace, progress: Progress) -> Drift:
    return drift_of(asked.warehouse, asked.study, asked.run, asked.input, progress)


def drift_of(
    path: Path | None, study: str, run_id: str | None, customers: str | None, progress: Progress
) -> Drift:
    """Hold customers against a run: the study's standing one, and its own table, where None.

    Parameters
    ----------
    path
        The warehouse; the home's where None.
    study, run_id
        The study's name or file, or one of its runs.
    customers
        A file or table.
    progress
        Shows each step.
    """
    from models_py.database.connection import open_warehouse
    from models_py.database.results import read_assignments, utc_now
    from models_py.runs.drift import measure_drift
    from models_py.runs.customers import check_all_are_here, find_source, read_customers
    from models_py.runs.finished_runs import find_run
    from models_py.runs.storage import load_run_models

    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        run = find_run(warehouse, study, run_id)
        saved = load_run_models(settings.models_dir(run.run_id), run.run_id)
        source = find_source(customers, saved)
        check_all_are_here(source, saved)
        progress.step(f"reading {source.words}")
        frame = read_customers(source, saved, warehouse)
        then = read_assignments(warehouse, run.run_id)["entity_id"]
    progress.step(f"measuring {len(frame):,} customers")
    return measure_drift(saved, frame, list(then), run.started_at, utc_now())


def as_json(drift: Drift) -> dict[str, object]:
    """Return what was measured as JSON has it; null where a figure is not measured."""
    return {
        "run_id": drift.run_id,
        "study": drift.study,
        "customers": drift.rows,
        "entity": drift.entity,
        "unseen": [item.words for item in drift.unseen],
        "not_scored": drift.not_scored,
        "verdict": drift.verdict,
        "triggers": drift.triggers,
        "reasons": [asdict(reason) for reason in drift.reasons],
        "figures": {
            name: None if math.isnan(value) else value for name, value in drift.figures.items()
        },
        "features": [asdict(feature) | {"verdict": feature.verdict} for feature in drift.features],
    }


def print_drift(drift: Drift) -> None:
    """Print the verdict with its reasons, and what moved."""
    print(
        f"\n{drift.verdict}: run {drift.run_id} of {drift.study}, {drift.rows:,} {drift.things} now"
    )
    for reason in drift.reasons or []:
        print(f"  {reason.verdict}: {reason.words}")
    if not drift.reasons:
        print("  nothing moved past its limit")
    for row in drift.not_scored:
        print(f"  left out: {row}")
    for item in drift.unseen:
        print(f"  note: {item.words}")
    print()
    for name, title in TITLES.items():
        value = drift.figures[name]
        is_share = name in {"segment_distance", "silhouette_drop"} or name.endswith("_share")
        text = "-" if math.isnan(value) else f"{value:.1%}" if is_share else f"{value:.2f}"
        print(f"{title:<48} {text:>8}")
    print()
    rows = [
        [
            moved.feature,
            f"{moved.psi:.3f}",
            f"{moved.ks:.3f}",
            "" if moved.partition == "all" else moved.partition,
            MOVED[moved.verdict],
        ]
        for moved in drift.features[:MOST_SHOWN]
    ]
    print_table(["feature", "PSI", "KS", "", ""], rows, {1, 2})
    if len(drift.features) > MOST_SHOWN:
        print(f"{len(drift.features) - MOST_SHOWN} more moved less; --json has them all")
    if drift.verdict == "refit":
        print(f"\ntriggers: {', '.join(drift.triggers)}")
        print(f"Next: python scripts/run_clustering.py --if-drifted --study {drift.study}")
