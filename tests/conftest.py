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
)
"""What builds whole domains or tries many files and databases: a step of its own."""


DOMAINS = ("complete_journey", "sort_of_real", "bank", "retail_org", "automobile", "online_retail")
"""Fixtures that build a whole domain: what asks for one runs where it stands already."""

LONGEST = (
    "complete_journey",
    "tests/domains/test_every_study.py",
    "bank",
    "retail_org",
    "automobile",
    "tests/scripts/test_ten_weeks.py",
    "tests/test_notebooks.py",
    "tests/test_tutorial.py",
    "tests/domains/test_shop_export.py",
    "online_retail",
    "sort_of_real",
    "tests/scripts/test_run_night.py",
    "tests/test_requirements.py",
)
"""Groups that begin first, so that none of them runs alone at the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the heavy tests by the file they stand in, and those of the second grocery source.

    A group of tests runs on one worker: those of a domain, which is built once, else a file's.
    """
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        path = item.path.relative_to(config.rootpath).as_posix()
        if path.startswith(HEAVY) or "sort_of_real" in item.name:
            item.add_marker("heavy")
        groups.setdefault(_group(item, path), []).append(item)
    for name, members in groups.items():
        for item in members:
            item.add_marker(pytest.mark.xdist_group(name))
    places = {name: place for place, name in enumerate(LONGEST)}
    order = sorted(groups, key=lambda name: (places.get(name, len(places)), -len(groups[name])))
    items[:] = [item for name in order for item in groups[name]]


def _group(item: pytest.Item, path: str) -> str:
    # A test of any study names its domain as a parameter; the bank's others run beside its own.
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    wanted = {*getattr(item, "fixturenames", ()), parameters.get("domain")}
    domain = next((name for name in DOMAINS if name in wanted), path)
    return path if domain == "bank" and "domain" in parameters else domain


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
