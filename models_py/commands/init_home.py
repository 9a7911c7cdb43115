"""Lay out a home in an empty folder: data, studies, reports, and dbt's profile."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.commands.exit_codes import end

EXAMPLES = """\
examples:
  segmenthouse init shop
  cd shop && segmenthouse new-study --input clients.csv --id client_id --name clients

Commands that are run in the folder keep everything in it; those run elsewhere do so where
SEGMENTHOUSE_HOME names it.
"""
FOLDERS = ("data/raw", "studies", "reports")
STUDIES = """\
Studies of this home: run one by its name, segmenthouse run --study NAME.
segmenthouse new-study --output studies/NAME.toml drafts one; segmenthouse run --list-studies
lists those that are shipped.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    asked = _parser().parse_args(arguments)
    return end(lambda: _run(asked.folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segmenthouse init",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="not there yet, or empty")
    return parser


def _run(folder: Path) -> int:
    lay_out(folder.expanduser())
    print(f"{folder} is laid out: data, studies, reports. Next:")
    print(f"  cd {folder}")
    print("  segmenthouse new-study --input FILE --id COLUMN --name NAME   a file of your own")
    print("  segmenthouse build && segmenthouse run                       the grocery example")
    return 0


def lay_out(folder: Path) -> None:
    """Make the folders and the profile of a home.

    Raises
    ------
    UsageError
        The folder has something in it, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already: name a folder that is not, or is empty")
    profile = settings.dbt_project_dir() / "profiles.yml"
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True)
        (folder / "studies" / "README.txt").write_text(STUDIES, encoding="utf-8")
        (folder / "profiles.yml").write_text(profile.read_text("utf-8"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror or error})") from error
