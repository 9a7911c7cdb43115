"""What a benchmark compares with and is not installed by itself."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def need(*packages: str, extra: str = "benchmark") -> None:
    """Stop with one line, the command that installs it, where a package is missing."""
    for package in packages:
        if find_spec(package) is None:
            sys.exit(
                f'{package} is not installed: run `pip install -c constraints.txt -e ".[{extra}]"`'
            )
