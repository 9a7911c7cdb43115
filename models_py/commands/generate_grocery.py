"""Make grocery lines up at any size, week by week, with segments that are known."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from models_py.base import settings
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, command_parser

EXAMPLES = """\
examples:
  python scripts/generate_grocery.py --customers 10000 --weeks 52
  python scripts/generate_grocery.py --customers 10000 --weeks 53 --first 53
  dbt build --project-dir warehouse --vars '{grocery_source: sort_of_real}'

A customer has about six lines a week. The files are read like those of Sort-of-Real: one file a
week, time.csv, and true_segments.parquet with the segment that each customer was made of. The same
seed gives the same files to the byte, whatever weeks are made and by however many threads.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("generate_grocery.py", __doc__, EXAMPLES)
    parser.add_argument("--customers", metavar="N", type=int, required=True, help="with a code")
    parser.add_argument("--weeks", metavar="N", type=int, required=True, help="the last week")
    parser.add_argument(
        "--first", metavar="N", type=int, default=1, help="the first week to write (default: 1)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--format", choices=("parquet", "csv", "csv.gz"), default="parquet", help="of the weeks"
    )
    parser.add_argument(
        "--output", metavar="DIR", type=Path, help="default: the raw files of grocery"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, default=2, help="weeks at a time (default: 2)"
    )
    parser.add_argument("--replace", action="store_true", help="write over files that are there")
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    from models_py.database.grocery_generator import generate

    began = time.perf_counter()
    with show_progress(quiet=asked.json) as progress:
        made = generate(
            asked.output.expanduser() if asked.output else settings.raw_dir("grocery"),
            customers=asked.customers,
            weeks=asked.weeks,
            first=asked.first,
            seed=asked.seed,
            form=asked.format,
            threads=asked.threads,
            replace=asked.replace,
            progress=progress,
        )
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in made.files)
    if asked.json:
        answer = {
            "status": "done",
            "folder": str(made.folder),
            "files": [path.name for path in made.files],
            "lines": made.lines,
            "bytes": size,
            "seconds": round(seconds, 3),
        }
        print(json.dumps(answer, indent=2))
        return 0
    print(
        f"{made.lines:,} lines of {len(made.files)} weeks, {size / 1e6:,.1f} MB in {made.folder}"
        f" ({made.lines / seconds:,.0f} lines a second)"
    )
    return 0
