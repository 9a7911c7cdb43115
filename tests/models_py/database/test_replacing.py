"""A load that replaces an earlier one, and what is left where it leads to nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from models_py.base.errors import DataError
from models_py.database.connection import Warehouse
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.loading import load_customers
from models_py.database.reading.replacing import bring_back, forget_earlier


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse(Path("memory"), duckdb.connect())


def load(warehouse: Warehouse, folder: Path, ids: list[str]) -> None:
    file = folder / "clients.csv"
    file.write_text("\n".join(["id,spend", *(f"{name},{len(name)}" for name in ids)]) + "\n")
    load_customers(warehouse, file, "clients", "id", ReadingOptions(ids=("id",)), anew=True)


def ids(warehouse: Warehouse) -> list[str]:
    return [name for (name,) in warehouse.rows("select id from gold.clients order by id")]


def test_the_earlier_load_comes_back(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, ["a", "b"])
    forget_earlier(warehouse, "clients", is_log=False)
    before = warehouse.relations()
    load(warehouse, tmp_path, ["c", "d"])
    assert ids(warehouse) == ["c", "d"]
    bring_back(warehouse, "clients", is_log=False)
    assert ids(warehouse) == ["a", "b"]
    assert warehouse.relations() == before
    # It is known as loaded still: it can be replaced.
    load(warehouse, tmp_path, ["e", "f"])
    forget_earlier(warehouse, "clients", is_log=False)
    assert ids(warehouse) == ["e", "f"]
    assert warehouse.relations() == before


def test_what_a_killed_load_left_gives_way_to_the_earlier_one(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, tmp_path, ["a", "b"])
    forget_earlier(warehouse, "clients", is_log=False)
    load(warehouse, tmp_path, ["c", "d"])  # Killed here: neither brought back nor forgotten.
    load(warehouse, tmp_path, ["e", "f"])
    bring_back(warehouse, "clients", is_log=False)
    assert ids(warehouse) == ["a", "b"]


def test_a_load_that_fails_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, ["a", "b"])
    forget_earlier(warehouse, "clients", is_log=False)
    before = warehouse.relations()
    with pytest.raises(DataError):
        load(warehouse, tmp_path, ["", ""])
    assert ids(warehouse) == ["a", "b"]
    assert warehouse.relations() == before


def test_a_first_load_without_a_study_leaves_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, tmp_path, ["a", "b"])
    bring_back(warehouse, "clients", is_log=False)
    assert warehouse.relations() == []
