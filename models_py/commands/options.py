"""The options that several commands share, each with one meaning and one text."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from models_py.base.errors import UsageError
from models_py.base.invocation import program


def command_parser(prog: str, purpose: str | None, examples: str) -> argparse.ArgumentParser:
    """Return a command's parser, with its examples below the options.

    Parameters
    ----------
    prog
        The file name of its script.
    purpose
        What it does; the docstring of the command's module.
    examples
        As they are to stand.
    """
    return argparse.ArgumentParser(
        prog=program(prog),
        description=purpose,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_study(parser: Any) -> None:
    """Add ``--study``."""
    from models_py.studies.listing import DEFAULT

    parser.add_argument("--study", metavar="NAME|FILE", default=DEFAULT, help=f"default: {DEFAULT}")


def add_run(parser: Any) -> None:
    """Add ``--run``."""
    parser.add_argument("--run", metavar="RUN", help="this run in place of the study's newest")


def add_warehouse(parser: Any) -> None:
    """Add ``--warehouse``."""
    parser.add_argument("--warehouse", metavar="FILE", type=Path, help="the DuckDB file")


def add_wait(parser: Any, default: float = 0.0) -> None:
    """Add ``--wait``; with a time to wait that nobody had to say, where the work is long."""
    said = f" (default: {default:g})" if default else ""
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        default=default,
        help=f"wait for a locked file{said}",
    )


def check_wait(asked: argparse.Namespace) -> None:
    """Refuse what is no time to wait.

    Raises
    ------
    UsageError
        It is below 0 or no number.
    """
    if not asked.wait >= 0:
        raise UsageError(f"--wait must be 0 or more seconds, not {asked.wait:g}")


def still_waiting(what: str, folder: Path | None, holder: str | None) -> str:
    """Return the line that says where finished results wait, for whom and until when."""
    held = (holder or "").partition(": wait until")[0]
    return (
        f"waiting: {what} is finished, and its results lie in {folder}, since {held}; the next"
        " command that writes takes them in"
    )


def add_json(parser: Any) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="answer in JSON on standard output")
