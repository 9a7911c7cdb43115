"""``track_run.py --ui`` as a server of its own, for as long as a test asks it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from models_py.base import settings


@contextmanager
def tracking_server(uri: str | None = None) -> Iterator[str]:
    """Serve the store of the home, or another; yields the address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = settings.repository() / "scripts" / "track_run.py"
    named = {} if uri is None else {settings.TRACKING_VARIABLE: uri}
    server = subprocess.Popen(
        [sys.executable, str(script), "--ui", "--port", str(port)],
        env=os.environ | named,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).read()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the server does not answer")
