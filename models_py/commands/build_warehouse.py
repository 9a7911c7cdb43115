"""Build the warehouse of the home with dbt: bronze, silver and gold."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence

from models_py.base import settings
from models_py.commands.exit_codes import end

EXAMPLES = """\
examples:
  segmenthouse build
  segmenthouse build --selector bank
  segmenthouse build --select gold_grocery_customers --vars '{grocery_source: sort_of_real}'

Whatever else is given goes to dbt build as it is. A profiles.yml in the home takes the place of
the shipped one.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 a model or test failed, 2 wrong usage."""
    _, words = _parser().parse_known_args(arguments)
    return end(lambda: _run(words))


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="segmenthouse build",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _run(words: Sequence[str]) -> int:
    from models_py.database.dbt import build_command

    home = settings.home()
    profiles = home if (home / "profiles.yml").is_file() else settings.dbt_project_dir()
    ended = subprocess.run(
        build_command(words, home, profiles), env=settings.environment_of(home), check=False
    )
    return ended.returncode
