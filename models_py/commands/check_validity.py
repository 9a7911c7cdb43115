"""Ask whether a study's segments tell of what customers do next, beside simpler groupings."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import WAITING, end
from models_py.commands.options import (
    add_json,
    add_run,
    add_study,
    add_wait,
    add_warehouse,
    check_wait,
    command_parser,
    still_waiting,
)
from models_py.commands.table import print_table
from models_py.database.connection import WAIT_SECONDS
from models_py.studies.listing import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = f"""\
examples:
  python scripts/check_validity.py
  python scripts/check_validity.py --study my_study.toml --json

The study's table is built again from the first part of the period, segments are found there, and
the rest of the period is held against them. The figures go into results.validity for the study's
newest run. Without --study it is {DEFAULT}.
"""
TITLES = {
    "segments": "these segments",
    "rfm": "RFM quintile cells",
    "rfm_score": "RFM score, as many groups",
    "kmeans": "plain k-means, as many groups",
}
OUTCOMES = {
    "spend": "spend",
    "visits": "visits",
    "churn": "churn",
    "return_share": "share returned",
    "returned": "returned",
}
MEANINGS = {
    "churn": "churn (no visit): AUC, 0.5 is chance",
    "returned": "of who bought again: share returned, of the variance; returned (anything): AUC",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("check_validity.py", __doc__, EXAMPLES)
    add_study(parser)
    add_run(parser)
    add_warehouse(parser)
    add_wait(parser, WAIT_SECONDS)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    check_wait(asked)
    from models_py.studies.loading import load_study

    study = load_study(asked.study)
    path = asked.warehouse or settings.warehouse_path()
    with show_progress(quiet=asked.json) as progress:
        progress.step("starting")
        from models_py.database import contract
        from models_py.database.connection import open_warehouse
        from models_py.database.results import frame_rows
        from models_py.runs.finished_runs import find_run
        from models_py.runs.recording import write_rows
        from models_py.runs.validity import check_validity

        with open_warehouse(path, read_only=True, wait_seconds=asked.wait) as warehouse:
            run = find_run(warehouse, study.name, asked.run)
        result = check_validity(study, path, study.seed, progress)
        rows = frame_rows(run.run_id, result)
        written = write_rows(path, contract.validity, run.run_id, rows, wait_seconds=asked.wait)
    if asked.json:
        rows = json.loads(result.to_json(orient="records", date_format="iso"))
        print(json.dumps({"run_id": run.run_id, "validity": rows}, indent=2))
    else:
        _print_validity(study.title, result)
    if written.waits_in is not None:
        said = f"the validity of run {run.run_id}"
        print(still_waiting(said, written.waits_in, written.holder), file=sys.stderr)
        return WAITING
    if not asked.json:
        print(f"written to results.validity for run {run.run_id}")
    return 0


def _print_validity(title: str, table: pd.DataFrame) -> None:
    first = table.iloc[0]
    print(
        f"\n{title}: segments of what was before {first['split_on']}, {first['rows']:,} rows, and"
        " what came after\n"
    )
    asked = [outcome for outcome in OUTCOMES if (table["outcome"] == outcome).any()]
    rows = []
    for grouping, part in table.groupby("grouping", sort=False):
        values = part.set_index("outcome")["value"]
        figures = [_figure_text(values[outcome]) for outcome in asked]
        rows.append([TITLES[str(grouping)], str(part["groups"].iloc[0]), *figures])
    head = ["grouping", "groups", *(OUTCOMES[outcome] for outcome in asked)]
    print_table(head, rows, range(1, len(head)))
    meanings = "; ".join(MEANINGS[outcome] for outcome in asked if outcome in MEANINGS)
    print(f"\nspend and visits: share of the variance explained; {meanings}; all out of fold")


def _figure_text(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"
