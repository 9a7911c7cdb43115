"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from models_py.base import settings

# The readers' copy is made where a test turns it on.
os.environ[settings.SHARE_VARIABLE] = "0"

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
    "tests/scripts/test_domain_nights.py",
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
    "tests/test_without_posix.py",
    "tests/warehouse/test_bad_input.py",
    "tests/warehouse/test_basket_features.py",
    "tests/warehouse/test_readme_figures.py",
    "tests/warehouse/test_share.py",
    "tests/warehouse/test_shipped_studies.py",
    "tests/warehouse/test_sort_of_real.py",
    "tests/warehouse/test_spark.py",
    "tests/warehouse/test_spark_studies.py",
    "tests/warehouse/test_weeks.py",
)
"""What builds whole domains or tries many files and databases: a step of its own."""


TOGETHER = {
    "complete_journey": (
        "tests/warehouse/test_complete_journey.py",
        "tests/warehouse/test_documentation.py",
        "tests/warehouse/test_readme_figures.py",
        "tests/warehouse/test_shipped_studies.py",
        "tests/warehouse/test_spark_studies.py",
    ),
    "retail_org": ("tests/domains/test_retail_org.py",),
    "automobile": ("tests/domains/test_automobile.py",),
    "online_retail": ("tests/domains/test_online_retail.py",),
    "bank": ("tests/domains/test_bank.py",),
    "sort_of_real": (
        "tests/warehouse/test_basket_features.py",
        "tests/warehouse/test_sort_of_real.py",
    ),
}
"""Files of each domain that is built once, with the tests that name it as their last parameter."""

BUILDING = ("tests/domains/", "tests/warehouse/")
"""Where tests build whole domains."""

LONGEST = (
    "complete_journey",
    "bank",
    "tests/warehouse/test_spark.py",
    "tests/models_py/database/maintenance/test_faults.py",
    "retail_org",
    "tests/scripts/test_killed_nights.py",
    "automobile",
    "online_retail",
    "tests/models_py/clustering/test_peaks.py",
    "sort_of_real",
    "tests/scripts/test_ten_weeks.py",
    "tests/warehouse/test_bad_input.py",
    "tests/warehouse/test_weeks.py",
    "tests/test_notebooks.py",
    "tests/scripts/test_domain_nights.py",
    "tests/test_tutorial.py",
    "tests/benchmarks/test_reading.py",
    "tests/models_py/database/maintenance/test_round_trip.py",
    "tests/models_py/runs/test_tracking.py",
    "tests/test_wheel.py",
    "tests/scripts/test_run_night.py",
    "tests/domains/test_shop_export.py",
    "tests/test_requirements.py",
    "tests/test_cleanup_instructions.py",
    "tests/models_py/segmentation/test_criteria.py",
    "tests/models_py/report/test_page.py",
    "tests/models_py/database/maintenance/test_cleanup.py",
    "tests/scripts/test_new_study.py",
    "tests/scripts/test_run_clustering.py",
    "tests/warehouse/test_materializations.py",
    "tests/models_py/runs/test_saved.py",
    "tests/models_py/runs/test_comparison.py",
    "tests/models_py/features/encoders/test_training.py",
    "tests/scripts/test_exit_codes.py",
)
"""What begins first, so that none of them runs alone at the end."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the heavy tests by the file they stand in, and those of the second grocery source.

    The longest groups come first, then those of many tests.
    """
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        path = item.path.relative_to(config.rootpath).as_posix()
        if path.startswith(HEAVY) or "sort_of_real" in item.name:
            item.add_marker("heavy")
        groups.setdefault(group_of(item.nodeid), []).append(item)
    places = {name: place for place, name in enumerate(LONGEST)}
    order = sorted(groups, key=lambda name: (places.get(name, len(places)), -len(groups[name])))
    items[:] = [item for name in order for item in groups[name]]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what has no test that is asked for: each worker would import it all."""
    if not collection_path.match("test_*.py"):
        return None
    is_heavy = collection_path.relative_to(config.rootpath).as_posix().startswith(HEAVY)
    if config.option.markexpr == "not heavy":
        return is_heavy or None
    if config.option.markexpr == "heavy" and not is_heavy:
        text = collection_path.read_text(encoding="utf-8")
        return None if "mark.heavy" in text or "sort_of_real" in text else True
    return None


def group_of(nodeid: str) -> str:
    """Return what a test runs with on one worker: a domain, else its file."""
    path, _, test = nodeid.partition("::")
    parameter = re.split(r"[\[-]", test.removesuffix("]"))[-1]
    if parameter in TOGETHER and path.startswith(BUILDING):
        return parameter
    return next((domain for domain, files in TOGETHER.items() if path in files), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let ``--dist loadfile`` keep whole domains on one worker, in the order of the collection."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _reschedule(self, node: Any) -> None:
            # A worker begins its last test once it has another, which then waits for that test:
            # behind a long one stands a group of few tests.
            waiting = self._pending_of(self.assigned_work[node])
            if self.workqueue and waiting > 1:
                return
            last = next(reversed(self.assigned_work[node]), "")
            if self.workqueue and waiting and last in LONGEST:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            super()._reschedule(node)

    config.option.loadscopereorder = False
    return ByGroup(config, log)


@pytest.fixture(scope="session", autouse=True)
def parsed_projects(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[None]:
    """All workers read the dbt project that one of them parsed, be it before this session."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with pytest.MonkeyPatch.context() as patch:
        (folder / "parsed").mkdir(exist_ok=True)
        patch.setenv("DBT_PARSED_PROJECTS", str(folder / "parsed"))
        kept = getattr(pytestconfig, "cache", None)
        before = kept.mkdir("parsed_projects") if kept else folder / "parsed"
        patch.setenv("DBT_PARSED_BEFORE", str(before))
        yield


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
