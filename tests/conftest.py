"""Fixtures that every part of the suite shares."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from models_py.base import settings

# No test is timed: a busy machine is no fault.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

SHARED_DATA = settings.repository().parent / "shared" / "data"
HEAVY = (
    "tests/domains/",
    "tests/benchmarks/test_reading.py",
    "tests/models_py/clustering/test_peaks.py",
    "tests/models_py/database/maintenance/test_faults.py",
    "tests/models_py/database/maintenance/test_round_trip.py",
    "tests/models_py/report/test_tracked_pages.py",
    "tests/models_py/report/test_withheld.py",
    "tests/scripts/test_killed_nights.py",
    "tests/models_py/runs/test_tracking.py",
    "tests/scripts/test_promote_run.py",
    "tests/scripts/test_ten_weeks.py",
    "tests/scripts/test_run_night.py",
    "tests/scripts/test_serve_answers.py",
    "tests/segmenthouse/test_same_as_commands.py",
    "tests/segmenthouse/test_scikit_learn.py",
    "tests/test_notebooks.py",
    "tests/test_requirements.py",
    "tests/test_tutorial.py",
    "tests/test_wheel.py",
    "tests/warehouse/test_bad_input.py",
    "tests/warehouse/test_basket_features.py",
    "tests/warehouse/test_readme_figures.py",
    "tests/warehouse/test_shipped_studies.py",
    "tests/warehouse/test_sort_of_real.py",
    "tests/warehouse/test_weeks.py",
)
"""What builds whole domains or tries many files and databases: a step of its own."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the heavy tests by the file they stand in, and those of the second grocery source."""
    for item in items:
        path = item.path.relative_to(config.rootpath).as_posix()
        if path.startswith(HEAVY) or "sort_of_real" in item.name:
            item.add_marker("heavy")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets beside the repository; a test that needs it skips without."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data sets are not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for one test: data, models and reports go there."""
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path))
    return tmp_path
