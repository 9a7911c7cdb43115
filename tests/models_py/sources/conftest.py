"""A file server for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from file_server import FileServer


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A running server; the environment's proxies are left out."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = FileServer()
    yield server
    server.close()
