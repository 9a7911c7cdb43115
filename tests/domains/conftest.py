"""One build of each domain for the whole session, from the real files where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.warehouse.dbt_runs import Warehouse


def built(home: Path, domain: str, files: Path) -> Warehouse:
    """Build and test a domain whose raw files lie where fetch_data.py puts them."""
    raw = home / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / domain).symlink_to(files, target_is_directory=True)
    warehouse = Warehouse(home)
    run = warehouse.dbt("build", "--selector", domain)
    assert run.code == 0, run.text
    return warehouse


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Warehouse:
    return built(tmp_path_factory.mktemp("bank"), "bank", shared_data / "bank")


@pytest.fixture(scope="session")
def retail_org(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Warehouse:
    return built(tmp_path_factory.mktemp("retail_org"), "retail_org", shared_data / "retail_org")


@pytest.fixture(scope="session")
def automobile(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Warehouse:
    return built(tmp_path_factory.mktemp("automobile"), "automobile", shared_data / "automobile")


@pytest.fixture(scope="session")
def online_retail(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Warehouse:
    home = tmp_path_factory.mktemp("online_retail")
    return built(home, "online_retail", shared_data / "online_retail")
