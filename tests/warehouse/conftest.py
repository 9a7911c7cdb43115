"""One build of each grocery source for the whole session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.warehouse.dbt_runs import Warehouse


@pytest.fixture(scope="session")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The Complete Journey from the installed package, built and tested as a user does."""
    warehouse = Warehouse(tmp_path_factory.mktemp("complete_journey"))
    built = warehouse.dbt("build")
    assert built.code == 0, built.text
    return warehouse


@pytest.fixture(scope="session")
def sort_of_real(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Warehouse:
    """All weeks of Sort-of-Real at hand, built and tested."""
    home = tmp_path_factory.mktemp("sort_of_real")
    (home / "data" / "raw").mkdir(parents=True)
    (home / "data" / "raw" / "grocery").symlink_to(shared_data / "sort_of_real")
    warehouse = Warehouse(home, {"grocery_source": "sort_of_real"})
    built = warehouse.dbt("build")
    assert built.code == 0, built.text
    return warehouse
