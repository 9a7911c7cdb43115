"""A warehouse file that another process holds open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOLD = (
    "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'read');"
    " print('open', flush=True); sys.stdin.read()"
)


@contextmanager
def held(path: Path, manner: str = "write") -> Iterator[subprocess.Popen[str]]:
    """Hold a file in another process until the block or that process ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), manner],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        yield other
        if other.stdin is not None and not other.stdin.closed:
            other.stdin.close()
