"""The options that several commands share, each with one meaning and one text."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def command_parser(prog: str, purpose: str | None, examples: str) -> argparse.ArgumentParser:
    """Return a command's parser, with its examples below the options.

    Parameters
    ----------
    prog
        What a user types after ``python scripts/``.
    purpose
        What it does; the docstring of the command's module.
    examples
        As they are to stand.
    """
    return argparse.ArgumentParser(
        prog=prog,
        description=purpose,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_study(parser: Any) -> None:
    """Add ``--study``."""
    from models_py.studies.loading import DEFAULT

    parser.add_argument("--study", metavar="NAME|FILE", default=DEFAULT, help=f"default: {DEFAULT}")


def add_run(parser: Any) -> None:
    """Add ``--run``."""
    parser.add_argument("--run", metavar="RUN", help="this run in place of the study's newest")


def add_warehouse(parser: Any) -> None:
    """Add ``--warehouse``."""
    parser.add_argument("--warehouse", metavar="FILE", type=Path, help="the DuckDB file")


def add_wait(parser: Any) -> None:
    """Add ``--wait``."""
    parser.add_argument(
        "--wait", metavar="SECONDS", type=float, default=0.0, help="wait for a locked file"
    )


def add_json(parser: Any) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="answer in JSON on standard output")
