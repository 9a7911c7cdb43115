"""Look around in the segments: a page on this machine whose charts filter each other."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import DataError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_run, add_warehouse, command_parser

EXAMPLES = """\
examples:
  python scripts/explore_segments.py
  python scripts/explore_segments.py --study bank
  python scripts/explore_segments.py --port 8765

Open the address that it prints; Ctrl-C ends it. Dragging over a chart selects, and every other
chart shows the selection alone, which becomes a CSV file, a rule in SQL or a study. It reads a
copy of the warehouse, so that no writer waits for it, and answers this machine only.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("explore_segments.py", __doc__, EXAMPLES)
    parser.add_argument(
        "--study", metavar="NAME|FILE", help="whose newest run (default: the newest of all)"
    )
    add_run(parser)
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="of 127.0.0.1 (default: any that is free)"
    )
    add_warehouse(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    path = asked.warehouse or settings.warehouse_path()
    with tempfile.TemporaryDirectory(prefix="segmenthouse_", ignore_cleanup_errors=True) as folder:
        with show_progress() as progress:
            progress.step("copying the warehouse")
            from models_py.report.explore.server import Explorer, ExploreServer

            explorer = Explorer(path, Path(folder))
            run_id = _chosen(explorer.runs(), asked.study, asked.run)
            progress.step("reading the run")
            explorer.room(run_id, None)
            server = ExploreServer(explorer, asked.port)
        print(f"open {server.address}&run={run_id}", flush=True)
        print("Ctrl-C ends it", file=sys.stderr, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
        finally:
            server.server_close()
            explorer.close()
    return 0


def _chosen(runs: list[dict[str, str]], study: str | None, run_id: str | None) -> str:
    name = Path(study).stem if study else None
    for run in runs:
        if run_id in (None, run["run_id"]) and name in (None, run["study"]):
            return run["run_id"]
    asked = " ".join(
        ["finished run", *([run_id] if run_id else []), *([f"of {name}"] if name else [])]
    )
    raise DataError(
        f"there is no {asked}: find segments with python scripts/run_clustering.py, or see"
        " python scripts/run_sql.py runs"
    )
