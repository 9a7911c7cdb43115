"""Keep a finished run in MLflow, with its model, or show in a browser what is kept."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.base.progress import show_progress
from models_py.commands.exit_codes import end
from models_py.commands.options import add_json, add_study, add_warehouse, command_parser
from models_py.commands.tracking import TrackedRun, follow_promotion, print_tracked, track
from models_py.database.connection import WAIT_SECONDS
from models_py.studies.listing import DEFAULT

EXAMPLES = f"""\
examples:
  python scripts/track_run.py
  python scripts/track_run.py 20260105T020000000000-91a6 --candidates
  python scripts/track_run.py 20260105T020000000000-91a6 --champion
  python scripts/track_run.py --ui --port 5000

Without a run it is the standing run of {DEFAULT}, or of --study. A study is an experiment and a
registered model of its name; the alias 'champion' is the first version, and moves to another only
where that is as good in stability, silhouette, identity and validity and has not drifted since;
--champion moves it all the same. The store is {settings.TRACKING_VARIABLE}, or a SQLite file in
the home. Nothing is sent elsewhere; --ui answers on this machine alone until it is stopped.
"""
HOST = "127.0.0.1"
PORT = 5000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked), as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("track_run.py", __doc__, EXAMPLES)
    parser.add_argument("run", nargs="?", metavar="RUN", help="a finished run")
    add_study(parser)
    parser.add_argument(
        "--candidates", action="store_true", help="every candidate as a child run, too"
    )
    parser.add_argument("--champion", action="store_true", help="make it the champion at any rate")
    parser.add_argument("--ui", action="store_true", help="show what is kept, in a browser")
    parser.add_argument("--port", type=int, default=PORT, help=f"of --ui (default: {PORT})")
    add_warehouse(parser)
    add_json(parser)
    return parser


def _run(asked: argparse.Namespace) -> int:
    if asked.ui:
        if asked.run is not None or asked.candidates or asked.champion or asked.json:
            raise UsageError("--ui shows and tracks nothing: leave the other words out")
        return _show(asked.port)
    from models_py.database.connection import open_warehouse
    from models_py.runs.finished_runs import find_run

    path = asked.warehouse or settings.warehouse_path()
    with open_warehouse(path, read_only=True, wait_seconds=WAIT_SECONDS) as warehouse:
        run = find_run(warehouse, asked.study, asked.run)
    with show_progress(quiet=asked.json) as progress:
        tracked = track(path, run.run_id, candidates=asked.candidates, progress=progress)
    said = follow_promotion(run.study, run.run_id) if asked.champion else None
    _print(asked, tracked, said)
    return 0


def _print(asked: argparse.Namespace, tracked: TrackedRun, said: str | None) -> None:
    if asked.json:
        alias = "champion" if said is not None else tracked.alias
        print(json.dumps(asdict(tracked) | {"alias": alias}, indent=2))
        return
    print_tracked(tracked)
    if said is not None:
        print(said)


def _show(port: int) -> int:
    from models_py.runs.tracking.store import check_installed, serve

    if not 0 < port < 2**16:
        raise UsageError(f"--port {port}: a port is a whole number from 1 to 65535")
    check_installed()
    settings.keep_mlflow_quiet()
    print(f"http://{HOST}:{port}/ shows the tracked runs; Ctrl-C ends it", file=sys.stderr)
    return serve(HOST, port)
