"""Write the report of a run again: one page that works offline, pictures and CSV files."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from models_py.base import settings
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_study, add_warehouse, command_parser
from models_py.studies.listing import DEFAULT

EXAMPLES = f"""\
examples:
  python scripts/write_report.py
  python scripts/write_report.py --study grocery_lifestages
  python scripts/write_report.py 20260105T020000000000-91a6 --out ~/segments

Without a run the newest of the study is taken ({DEFAULT} by default). The report goes to
reports/<study>/<run>, where scripts/run_clustering.py puts it at the end of each run.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("write_report.py", __doc__, EXAMPLES)
    parser.add_argument("run", nargs="?", metavar="RUN", help="default: the study's newest")
    add_study(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help="the folder to write to")
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    path = asked.warehouse or settings.warehouse_path()
    with show_progress(quiet=asked.json) as progress:
        progress.step("starting")
        from models_py.report.writing import find_run_id, write_report

        run_id = find_run_id(asked.study, asked.run, path)
        report = write_report(run_id, path, progress, asked.out)
    if asked.json:
        output = {"run_id": run_id, "report": str(report.page), "report_notes": report.notes}
        print(json.dumps(output, indent=2))
        return 0
    print(report.page)
    for note in report.notes:
        print(note, file=sys.stderr)
    return 0
