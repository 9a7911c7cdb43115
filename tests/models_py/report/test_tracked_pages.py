"""MLflow's own pages in Chromium: they show a tracked run and ask no other machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from report_house import Reported

from models_py.base import settings
from models_py.commands.tracking import TrackedRun, track

pytest.importorskip("mlflow", reason="the extra 'mlflow' is not installed")


@pytest.fixture(scope="module")
def tracked(explained: Reported) -> TrackedRun:
    return track(explained.warehouse, explained.run_id, candidates=True)


@pytest.fixture(scope="module")
def pages(tracked: TrackedRun) -> Iterator[str]:
    """The address of ``track_run.py --ui``, which runs as long as the tests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = settings.repository() / "scripts" / "track_run.py"
    server = subprocess.Popen(
        [sys.executable, str(script), "--ui", "--port", str(port)],
        env=settings.environment_of(settings.home()),
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


def test_the_run_is_shown(
    browser: Any, pages: str, tracked: TrackedRun, explained: Reported
) -> None:
    experiment = experiment_of(tracked)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{pages}/#/experiments/{experiment}/runs/{tracked.tracked_id}")
    page.get_by_text(explained.run_id).first.wait_for(timeout=60_000)
    page.get_by_text("silhouette").first.wait_for(timeout=60_000)
    page.goto(f"{pages}/#/models/{tracked.model}")
    page.get_by_text("champion").first.wait_for(timeout=60_000)
    page.close()
    assert asked
    own = (f"{pages}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []


def experiment_of(tracked: TrackedRun) -> str:
    import mlflow

    uri = settings.tracking_uri()
    return str(mlflow.MlflowClient(uri, uri).get_run(tracked.tracked_id).info.experiment_id)
