"""Every relation and column is described, and the documentation is one page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings


def undescribed(warehouse: Warehouse) -> list[str]:
    """Return the relations and columns that stand in the warehouse without a description."""
    manifest = json.loads((warehouse.home / "target" / "manifest.json").read_text())
    described = {
        f"{node['schema']}.{node['alias']}": {
            name for name, column in node["columns"].items() if column["description"]
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed"} and node["description"]
    }
    built = warehouse.rows(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema in ('bronze', 'silver', 'gold')"
    )
    results = [f"{r}.{column}" for r, column in built if column not in described.get(r, set())]
    absent = [
        f"{relation}.{name} is no column"
        for relation in {relation for relation, _ in built}
        for name in described.get(relation, set()) - {c for r, c in built if r == relation}
    ]
    return results + absent


@pytest.mark.parametrize("source", ["complete_journey", "sort_of_real"])
def test_every_column_is_described(source: str, request: pytest.FixtureRequest) -> None:
    warehouse: Warehouse = request.getfixturevalue(source)

    assert undescribed(warehouse) == []


def test_static_documentation_is_one_page(complete_journey: Warehouse) -> None:
    made = complete_journey.dbt("docs", "generate", "--static")

    assert made.code == 0, made.text
    page = complete_journey.home / "target" / "static_index.html"
    assert "grocery_customers" in page.read_text()


def test_every_study_of_groceries_is_an_exposure(complete_journey: Warehouse) -> None:
    manifest = json.loads((complete_journey.home / "target" / "manifest.json").read_text())
    exposures = {exposure["name"] for exposure in manifest["exposures"].values()}

    assert exposures >= {
        "grocery_customers", "grocery_lifestages", "grocery_stores", "grocery_autoencoder",
        "grocery_agglomerative", "grocery_agglomerative_stages", "grocery_agglomerative_stores",
        "grocery_baskets",
    }  # fmt: skip


def test_nothing_is_named_with_a_prefix(complete_journey: Warehouse) -> None:
    schemas = complete_journey.rows(
        "select distinct table_schema from information_schema.tables order by 1"
    )

    assert schemas == [("bronze",), ("gold",), ("silver",)]


def test_works_from_the_root_as_well(complete_journey: Warehouse) -> None:
    listed = complete_journey.dbt(
        "ls", "--project-dir", "warehouse", "--resource-type", "model", cwd=_root()
    )

    assert listed.code == 0, listed.text
    assert listed.lines_with("segmenthouse.gold.grocery.gold_grocery_customers")


def _root() -> Path:
    return settings.repository()
