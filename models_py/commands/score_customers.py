"""Give new or changed customers the segments of a finished run, by the run's own saved chain."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models_py.base import settings
from models_py.base.errors import UsageError
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
from models_py.commands.reading_output import loss_words
from models_py.commands.table import print_table
from models_py.database.connection import WAIT_SECONDS
from models_py.studies.listing import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

    from models_py.base.progress import Progress
    from models_py.runs.customers import Source
    from models_py.runs.finished_runs import Run
    from models_py.runs.saved import SavedRun
    from models_py.runs.tracking.model import LoadedModel
    from models_py.sources.reading.record import Loss

EXAMPLES = f"""\
examples:
  python scripts/score_customers.py
  python scripts/score_customers.py --input new_customers.csv --output scores.csv
  python scripts/score_customers.py --study grocery_customers --input gold.grocery_customers
  python scripts/score_customers.py --study bank_text --coordinates --output embeddings.parquet
  python scripts/score_customers.py --sql > score.sql
  python scripts/score_customers.py --model grocery_customers@champion

While another process holds the warehouse for longer than --wait, scores wait beside it (exit code
3): the next command that writes takes them in.

Without --study the newest run of {DEFAULT} scores; without --input it scores the study's own gold
table. Scores go to results.scores, one row per run and customer, the last score in place of the
one before; --output writes a file instead. --sql prints one statement for DuckDB and
for Spark that gives the same labels, for runs whose chain is linear (no network, nearest center).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage, 3 it waits."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("score_customers.py", __doc__, EXAMPLES)
    add_study(parser)
    add_run(parser)
    parser.add_argument(
        "--model",
        metavar="NAME@ALIAS",
        help="a model that MLflow keeps, in place of a run: NAME@ALIAS or NAME/VERSION",
    )
    parser.add_argument(
        "--input",
        metavar="FILE|TABLE",
        help="a file as new_study reads it, or a table as schema.name",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="a .csv or .parquet file")
    parser.add_argument(
        "--coordinates",
        action="store_true",
        help="with --output: add where each row stands in the encoding that was clustered",
    )
    parser.add_argument("--sql", action="store_true", help="print the scoring as one SQL statement")
    add_warehouse(parser)
    add_wait(parser, WAIT_SECONDS)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    if asked.sql and (asked.output is not None or asked.json):
        raise UsageError("--sql prints a statement and nothing else; leave --output and --json out")
    if asked.model is not None and asked.run is not None:
        raise UsageError("--model names the run that scores: leave out --run")
    if asked.coordinates and asked.output is None:
        raise UsageError("--coordinates go to a file: name it with --output embeddings.parquet")
    if asked.coordinates and asked.model is not None:
        raise UsageError("--coordinates are of a run: name it with --run in place of --model")
    check_wait(asked)
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
    if not asked.sql and result["held_by"] is not None:
        said = f"scoring by run {result['run_id']}"
        print(still_waiting(said, Path(result["written_to"]), result["held_by"]), file=sys.stderr)
        return WAITING
    return 0


def score_study(study: str, path: Path, wait_seconds: float, progress: Progress) -> dict[str, Any]:
    """Score a study's own table by its standing run; return what ``--json`` prints."""
    words = ["--study", study, "--warehouse", str(path), "--wait", str(wait_seconds)]
    return _score(_parser().parse_args(words), progress)


def _statement(asked: argparse.Namespace) -> str:
    from models_py.database.connection import open_warehouse, quoted
    from models_py.database.results import segment_names
    from models_py.runs.customers import find_source
    from models_py.runs.scoring_sql import scoring_sql

    model = _load_model(asked)
    with open_warehouse(asked.warehouse, read_only=True, wait_seconds=asked.wait) as warehouse:
        _, saved = _load(asked, warehouse, model)
        source = find_source(asked.input, saved)
        if source.file is not None:
            raise UsageError("--sql scores a table of the warehouse; give --input schema.name")
        types = warehouse.columns(source.schema, source.table)
        names = segment_names(warehouse, saved.run_id)
        return scoring_sql(saved, quoted(*source.words.split(".", 1)), types, names)


def _score(asked: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from models_py.database import contract
    from models_py.database.connection import open_warehouse
    from models_py.database.results import (
        read_assignments,
        score_rows,
        segment_names,
        utc_now,
    )
    from models_py.runs.customers import check_all_are_here, find_source, read_customers
    from models_py.runs.recording import Written, write_rows
    from models_py.runs.scores import check_target, with_names, write_file
    from models_py.runs.unseen import unseen_values

    if asked.output is not None:
        check_target(asked.output)
    model = _load_model(asked)
    with open_warehouse(asked.warehouse, read_only=True, wait_seconds=asked.wait) as warehouse:
        run, saved = _load(asked, warehouse, model)
        source = find_source(asked.input, saved)
        check_all_are_here(source, saved)
        progress.step(f"reading {source.words}")
        losses: list[Loss] = []
        frame = read_customers(source, saved, warehouse, losses)
        before = read_assignments(warehouse, run.run_id)
        names = segment_names(warehouse, run.run_id)
    progress.step(f"scoring {len(frame):,} customers")
    if model is None:
        scored, now = saved.score(frame, with_coordinates=asked.coordinates), utc_now()
    else:
        scored, now = model.score(frame), utc_now()
    unseen = [unseen_value.words for unseen_value in unseen_values(saved, frame)]
    progress.step("writing the scores")
    written = Written()
    if asked.output is not None:
        named = with_names(scored, saved.study.entity, names, saved.study.label)
        write_file(asked.output, run.run_id, named, now)
    else:
        path = asked.warehouse or settings.warehouse_path()
        rows = score_rows(run.run_id, scored, now)
        written = write_rows(path, contract.scores, run.run_id, *rows, wait_seconds=asked.wait)
    where = str(asked.output) if asked.output is not None else "results.scores"
    if written.waits_in is not None:
        where = str(written.waits_in)
    output = _summary(run, saved, source, scored, before, where, names)
    return output | {
        "not_read": [loss_words(loss, len(frame)) for loss in losses],
        "unseen": unseen,
        "not_scored": _not_scored(scored),
        "held_by": written.holder,
    }


def _load_model(asked: argparse.Namespace) -> LoadedModel | None:
    if asked.model is None:
        return None
    from models_py.runs.tracking.model import load_model
    from models_py.runs.tracking.store import open_store

    with open_store() as store:
        return load_model(store, asked.model)


def _load(
    asked: argparse.Namespace, warehouse: Any, model: LoadedModel | None
) -> tuple[Run, SavedRun]:
    from models_py.runs.finished_runs import find_run
    from models_py.runs.storage import load_run_models

    if model is not None:
        return find_run(warehouse, model.saved.study.name, model.saved.run_id), model.saved
    run = find_run(warehouse, asked.study, asked.run)
    return run, load_run_models(settings.models_dir(run.run_id), run.run_id)


def _summary(
    run: Run,
    saved: SavedRun,
    source: Source,
    scored: pd.DataFrame,
    before: pd.DataFrame,
    where: str,
    names: dict[int, str],
) -> dict[str, Any]:
    from models_py.describe.names import study_rows
    from models_py.runs.manifest import changed_versions

    known = scored.merge(before, on="entity_id", suffixes=("", "_before"))
    given = scored[scored["segment_id"].notna()]
    sizes = given.groupby(["partition", "segment_id"]).size().reset_index(name="customers")
    sizes.insert(2, "segment_name", sizes["segment_id"].map(names))
    is_moved = (known["segment_id"] != known["segment_id_before"]) & known["segment_id"].notna()
    return {
        "run_id": run.run_id,
        "study": run.study,
        "input": source.words,
        "entity": saved.study.entity,
        "things": study_rows(saved.study),
        "customers": len(scored),
        "new_customers": len(scored) - len(known),
        "moved_customers": int(is_moved.sum()),
        "methods": sorted(set(given["method"])),
        "segments": json.loads(sizes.to_json(orient="records")),
        "changed_versions": changed_versions(saved.versions),
        "written_to": where,
    }


def _not_scored(scored: pd.DataFrame) -> list[dict[str, Any]]:
    left = scored[scored["segment_id"].isna()]
    return [
        {"reason": str(reason), "customers": len(rows), "first": list(rows["entity_id"][:3])}
        for reason, rows in left.groupby("note")
    ]


def _print_summary(output: dict[str, Any]) -> None:
    things = output["things"]
    by = " and the ".join(output["methods"]) or "run's own chain"
    print(
        f"\n{output['customers']:,} {things} of {output['input']} scored by run {output['run_id']}"
        f" of {output['study']}, by the {by}"
    )
    print()
    rows = [
        [
            str(row["segment_id"]),
            f"{row['customers']:,}",
            row["segment_name"],
            "" if row["partition"] == "all" else row["partition"],
        ]
        for row in output["segments"]
    ]
    print_table(["segment", things, "name", ""], rows, {0, 1})
    print(
        f"\n{output['new_customers']:,} were not in the run; {output['moved_customers']:,} of the"
        " others are in another segment now"
    )
    for row in output["not_scored"]:
        first = ", ".join(row["first"])
        print(
            f"not scored: {row['customers']:,} {things}, such as {output['entity']} {first}:"
            f" {row['reason']}"
        )
    for line in [*output["not_read"], *output["unseen"]]:
        print(f"note: {line}")
    for change in output["changed_versions"]:
        print(f"note: {change}")
    print(f"the scores are in {output['written_to']}")
