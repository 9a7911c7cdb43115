"""Runs whose reports the tests read, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from report_house import (
    Reported,
    customers,
    put_rows,
    run,
    study,
    write_gold,
    write_purchases,
)

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.report.writing import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, where the machine has one."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((result for name in BROWSERS if (result := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser is found ({', '.join(BROWSERS)}): apt-get install chromium")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    """A second run of planted customers with every table of the contract filled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(tmp_path_factory.mktemp("report_home")))
        frame = customers()
        path = write_gold(settings.warehouse_path(), frame.iloc[:330])
        recipe = study(label="planted")
        run(path, recipe)
        write_gold(path, frame.iloc[10:])
        finished = run(path, recipe, seed=8)
        measure_validity(path, finished.run_id)
        write_purchases(path, frame.iloc[10:])
        report = write_report(finished.run_id, path, Silent())
        assert report.notes == []
        yield Reported(path, finished.run_id, report.page, list(frame["customer_id"]))


def measure_validity(path: Path, run_id: str) -> None:
    """Give a run the rows that trying it on the next period would write."""
    validity = pd.DataFrame(
        [
            (grouping, 3, "spend", "eta_squared", value, 340, "2026-01-01")
            for grouping, value in (("segments", 0.41), ("rfm", 0.33), ("kmeans", 0.37))
        ],
        columns=["grouping", "groups", "outcome", "measure", "value", "rows", "split_on"],
    )
    put_rows(path, "validity", validity.assign(run_id=run_id, partition="all"))
