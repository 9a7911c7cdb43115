"""Compare two runs of a study: which segments stayed, split, merged, came and went, who moved."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from models_py.base.errors import DataError, UsageError
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_study, add_warehouse, command_parser
from models_py.database.connection import WAIT_SECONDS
from models_py.studies.listing import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

    from models_py.runs.comparison import Comparison, SegmentFacts
    from models_py.runs.finished_runs import Run

EXAMPLES = f"""\
examples:
  python scripts/compare_runs.py
  python scripts/compare_runs.py --study grocery_lifestages --json
  python scripts/compare_runs.py 20260105T020000000000-91a6 20260112T020000000000-0c2e

Without runs the last two of the study are compared ({DEFAULT} by default), the older one first.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("compare_runs.py", __doc__, EXAMPLES)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="two runs of one study")
    add_study(parser)
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    if len(asked.runs) not in (0, 2):
        raise UsageError(f"{len(asked.runs)} run given: name two, or none for the last two")
    from models_py.runs.comparison import compare_runs
    from models_py.database.connection import open_warehouse
    from models_py.database.results import entity_column

    with open_warehouse(asked.warehouse, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        first, second = _two_runs(warehouse, asked)
        before, segments_before = _described(warehouse, first.run_id)
        now, segments_now = _described(warehouse, second.run_id)
        rows = _rows_of(warehouse, second.run_id)
        comparison = compare_runs(before, now, segments_before, segments_now, rows)
        entity = entity_column(warehouse, second.run_id)
    if asked.json:
        print(json.dumps(_as_json(first, second, comparison, entity), indent=2))
    else:
        _print_comparison(first, second, comparison)
    return 0


def _two_runs(warehouse: Any, asked: argparse.Namespace) -> tuple[Run, Run]:
    from models_py.runs.finished_runs import find_runs, finished_run, never_ran

    if not asked.runs:
        runs = find_runs(warehouse, asked.study)
        if not runs:
            raise never_ran(warehouse, asked.study)
        if len(runs) == 1:
            raise DataError(
                f"study {asked.study} has 1 finished run, two are compared:"
                f" python scripts/run_clustering.py --study {asked.study}"
            )
        return runs[-2], runs[-1]
    first, second = (finished_run(warehouse, run_id) for run_id in asked.runs)
    if first.study != second.study:
        raise UsageError(
            f"run {first.run_id} is of study {first.study}, {second.run_id} of {second.study}:"
            " segments have ids within one study"
        )
    return first, second


def _described(warehouse: Any, run_id: str) -> tuple[pd.DataFrame, dict[int, SegmentFacts]]:
    """Return a run's members and segments; those that are not described count as one."""
    from models_py.database.results import read_assignments
    from models_py.runs.comparison import without_withheld
    from models_py.runs.tables import withheld_before
    from models_py.studies.study import Describe

    assignments = read_assignments(warehouse, run_id)
    least = _describe(warehouse, run_id)[0].get("small_segment", Describe().small_segment)
    withheld = withheld_before(assignments, int(least))
    return without_withheld(assignments, _segments(warehouse, run_id), withheld)


def _describe(warehouse: Any, run_id: str) -> tuple[dict[str, Any], str]:
    """Return what a run's study says of describing, whichever version wrote it, and its entity."""
    from models_py.database.results import done_runs

    ((parameters, entity),) = done_runs(warehouse, ["parameters", "entity_column"], run_id)
    return json.loads(parameters).get("describe") or {}, entity


def _rows_of(warehouse: Any, run_id: str) -> str:
    """Return what a run's rows are, in the plural, whichever version wrote its study."""
    from models_py.describe.names import rows_of

    described, entity = _describe(warehouse, run_id)
    return str(described.get("rows") or rows_of(entity))


def _segments(warehouse: Any, run_id: str) -> dict[int, SegmentFacts]:
    from models_py.database import contract
    from models_py.database.results import read_run_rows
    from models_py.runs.comparison import SegmentFacts

    rows = read_run_rows(warehouse, contract.segments, run_id).sort_values("segment_id")
    columns = [rows[name].tolist() for name in ("segment_id", "name", "size", "share")]
    return {row[0]: SegmentFacts(*row) for row in zip(*columns, strict=True)}


def _as_json(first: Run, second: Run, comparison: Comparison, entity: str) -> dict[str, object]:
    return {
        "entity": entity,
        "study": first.study,
        "previous_run_id": first.run_id,
        "run_id": second.run_id,
        "customers_in_both": comparison.in_both,
        "customers_came": comparison.came,
        "customers_went": comparison.went,
        "customers_moved": comparison.moved,
        "moved_share": _known(comparison.moved_share),
        "adjusted_rand": _known(comparison.adjusted_rand),
        "variation_of_information_nats": _known(comparison.variation_of_information),
        "changes": [asdict(change) for change in comparison.changes],
        "segments": {
            "previous": [asdict(previou) for previou in comparison.previous.values()],
            "current": [asdict(item) for item in comparison.current.values()],
        },
        "flows": json.loads(_named_flows(comparison).to_json(orient="records")),
    }


def _named_flows(comparison: Comparison) -> pd.DataFrame:
    previous = {previou.segment_id: previou.name for previou in comparison.previous.values()}
    current = {item.segment_id: item.name for item in comparison.current.values()}
    return comparison.flows.assign(
        from_segment_name=comparison.flows["from_segment_id"].map(previous),
        to_segment_name=comparison.flows["to_segment_id"].map(current),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _print_comparison(first: Run, second: Run, comparison: Comparison) -> None:
    things = comparison.rows
    print(f"{first.study}: run {first.run_id} to run {second.run_id}\n")
    for change in comparison.changes:
        print(f"{change.kind:>6}: {change.words}")
    print(
        f"\n{comparison.in_both:,} {things} are in both runs, {comparison.came:,} came,"
        f" {comparison.went:,} went"
    )
    if not comparison.in_both:
        print(f"none of the {things} is in both runs: nothing can be said of who moved")
        return
    print(f"{comparison.moved:,} of those in both moved ({comparison.moved_share:.1%}):")
    for row in _moves(comparison):
        print(
            f"{row['customers']:>9,}  from {row['from_segment_id']} '{row['from_segment_name']}'"
            f" to {row['to_segment_id']} '{row['to_segment_name']}'"
        )
    print(
        f"\nadjusted Rand index {comparison.adjusted_rand:.3f} (1: the same groups),"
        f" variation of information {comparison.variation_of_information:.3f} nats (0: the same)"
    )


def _moves(comparison: Comparison) -> list[dict[str, Any]]:
    flows = _named_flows(comparison).dropna()
    moved = flows[flows["from_segment_id"] != flows["to_segment_id"]]
    ordered = moved.sort_values("customers", ascending=False, kind="stable")
    return [{str(k): v for k, v in row.items()} for row in ordered.to_dict("records")]
