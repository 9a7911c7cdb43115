"""Every relation and column is described, and the documentation is one page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_py import settings
from tests.warehouse.dbt_runs import Warehouse


@pytest.mark.parametrize("source", ["complete_journey", "sort_of_real"])
def test_every_column_is_described(source: str, request: pytest.FixtureRequest) -> None:
    warehouse: Warehouse = request.getfixturevalue(source)
    manifest = json.loads((warehouse.home / "target" / "manifest.json").read_text())
    described = {
        f"{node['schema']}.{node['alias']}": {
            name: column["description"] for name, column in node["columns"].items()
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed"}
        and node["description"]
        and "grocery" in node["fqn"]
    }
    built: dict[str, set[str]] = {}
    for relation, column in warehouse.rows(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema in ('bronze', 'silver', 'gold')"
    ):
        built.setdefault(relation, set()).add(column)

    assert {relation: set(columns) for relation, columns in described.items()} == built
    assert not [
        (relation, name)
        for relation, columns in described.items()
        for name, text in columns.items()
        if not text
    ]


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
