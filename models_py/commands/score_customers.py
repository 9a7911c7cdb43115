"""Give new or changed customers the segments of a finished run, by the run's own saved chain."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_run, add_study, add_warehouse, command_parser
from models_py.commands.reading_output import loss_words
from models_py.commands.table import print_table
from models_py.studies.loading import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

    from models_py.base.progress import Progress
    from models_py.runs.customers import Source
    from models_py.runs.finished_runs import Run
    from models_py.runs.saved import SavedRun
    from models_py.sources.reading.record import Loss

EXAMPLES = f"""\
examples:
  python scripts/score_customers.py
  python scripts/score_customers.py --input new_customers.csv --output scores.csv
  python scripts/score_customers.py --study grocery_customers --input gold.grocery_customers
  python scripts/score_customers.py --sql > score.sql

Without --study the newest run of {DEFAULT} scores; without --input it scores the study's own gold
table. Scores go to results.scores, one row per run and customer, the last score in place of the
one before; --output writes a file instead. --sql prints one statement for DuckDB that gives the
same labels, for runs whose chain is linear (no network, nearest center).
"""
WAIT_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("score_customers.py", __doc__, EXAMPLES)
    add_study(parser)
    add_run(parser)
    parser.add_argument(
        "--input",
        metavar="FILE|TABLE",
        help="a file as new_study reads it, or a table as schema.name",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="a .csv or .parquet file")
    parser.add_argument("--sql", action="store_true", help="print the scoring as one SQL statement")
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    if asked.sql and (asked.output is not None or asked.json):
        raise UsageError("--sql prints a statement and nothing else; leave --output and --json out")
    with show_progress(quiet=asked.json or asked.sql) as progress:
        progress.step("loading the run")
        if asked.sql:
            statement = _statement(asked)
        else:
            result = _score(asked, progress)
    if asked.sql:
        print(statement, end="")
    elif asked.json:
        print(json.dumps(result, indent=2))
    else:
        _print_summary(result)
    return 0


def _statement(asked: argparse.Namespace) -> str:
    from models_py.database.connection import open_warehouse, quoted
    from models_py.runs.customers import find_source
    from models_py.runs.scoring_sql import scoring_sql

    with open_warehouse(asked.warehouse, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        _, saved = _load(asked, warehouse)
        source = find_source(asked.input, saved)
        if source.file is not None:
            raise UsageError("--sql scores a table of the warehouse; give --input schema.name")
        types = warehouse.columns(source.schema, source.table)
        return scoring_sql(saved, quoted(source.schema, source.table), types)


def _score(asked: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from models_py.database.connection import open_warehouse
    from models_py.database.results import read_assignments, utc_now, write_scores
    from models_py.runs.customers import find_source, read_customers
    from models_py.runs.scores import check_target, write_file

    if asked.output is not None:
        check_target(asked.output)
    with open_warehouse(asked.warehouse, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        run, saved = _load(asked, warehouse)
        source = find_source(asked.input, saved)
        progress.step(f"reading {source.words}")
        losses: list[Loss] = []
        frame = read_customers(source, saved, warehouse, losses)
        before = read_assignments(warehouse, run.run_id)
    progress.step(f"scoring {len(frame):,} customers")
    scored, now = saved.score(frame), utc_now()
    progress.step("writing the scores")
    if asked.output is not None:
        write_file(asked.output, run.run_id, scored, now)
    else:
        with open_warehouse(asked.warehouse, wait_seconds=WAIT_SECONDS) as warehouse:
            write_scores(warehouse, run.run_id, scored, now)
    where = str(asked.output) if asked.output is not None else "results.scores"
    output = _summary(run, saved, source, scored, before, where)
    return output | {"not_read": [loss_words(loss, len(frame)) for loss in losses]}


def _load(asked: argparse.Namespace, warehouse: Any) -> tuple[Run, SavedRun]:
    from models_py.runs.finished_runs import find_run
    from models_py.runs.storage import load_run_models

    run = find_run(warehouse, asked.study, asked.run)
    return run, load_run_models(settings.models_dir(run.run_id), run.run_id)


def _summary(
    run: Run,
    saved: SavedRun,
    source: Source,
    scored: pd.DataFrame,
    before: pd.DataFrame,
    where: str,
) -> dict[str, Any]:
    from models_py.runs.manifest import changed_versions

    known = scored.merge(before, on="entity_id", suffixes=("", "_before"))
    sizes = scored.groupby(["partition", "segment_id"]).size().reset_index(name="customers")
    return {
        "run_id": run.run_id,
        "study": run.study,
        "input": source.words,
        "customers": len(scored),
        "new_customers": len(scored) - len(known),
        "moved_customers": int((known["segment_id"] != known["segment_id_before"]).sum()),
        "methods": sorted(set(scored["method"])),
        "segments": json.loads(sizes.to_json(orient="records")),
        "changed_versions": changed_versions(saved.versions),
        "written_to": where,
    }


def _print_summary(output: dict[str, Any]) -> None:
    print(
        f"\n{output['customers']:,} customers of {output['input']} scored by run {output['run_id']}"
        f" of {output['study']}, by the {' and the '.join(output['methods'])}"
    )
    print()
    rows = [
        [
            str(row["segment_id"]),
            f"{row['customers']:,}",
            "" if row["partition"] == "all" else row["partition"],
        ]
        for row in output["segments"]
    ]
    print_table(["segment", "customers", ""], rows, {0, 1})
    print(
        f"\n{output['new_customers']:,} were not in the run; {output['moved_customers']:,} of the"
        " others are in another segment now"
    )
    for line in output["not_read"]:
        print(f"note: {line}")
    for change in output["changed_versions"]:
        print(f"note: {change}")
    print(f"the scores are in {output['written_to']}")
