"""Reading gold tables: columns, rows, entities and the fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models_py.base.errors import DataError, StudyError, WarehouseError
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.gold import GoldRows, read_gold

TABLE = """
create schema gold;
create table gold.things as from (values
    (10, 'b', 1.5, true), (9, 'a', null, false), (100, 'a', 0.5, null)
) as given (thing_id, "the kind", amount, is_new)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "own.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(TABLE)
    return path


@pytest.fixture
def warehouse(path: Path) -> Iterator[Warehouse]:
    with open_warehouse(path) as opened:
        yield opened


def read(warehouse: Warehouse, **changes: Any) -> GoldRows:
    asked: dict[str, Any] = {
        "schema": "gold",
        "name": "things",
        "entity": "thing_id",
        "columns": ["amount", "the kind"],
        "where": {},
        "at_least": {},
    }
    return read_gold(warehouse, **{**asked, **changes})


def test_rows_are_ordered_by_the_entity_which_is_text(warehouse: Warehouse) -> None:
    gold = read(warehouse)
    assert gold.entity_type == "INTEGER"
    assert gold.frame["thing_id"].tolist() == ["9", "10", "100"]
    assert gold.frame.columns.tolist() == ["thing_id", "amount", "the kind"]
    assert gold.frame["amount"].tolist()[1:] == [1.5, 0.5]


def test_the_entity_may_be_asked_for_twice(warehouse: Warehouse) -> None:
    gold = read(warehouse, columns=["thing_id", "amount", "amount"])
    assert gold.frame.columns.tolist() == ["thing_id", "amount"]


def test_the_same_rows_are_drawn_in_whatever_order_they_stand(tmp_path: Path) -> None:
    drawn = []
    for order in ("id", "-id", "id % 7, id"):
        path = tmp_path / f"{len(drawn)}.duckdb"
        with duckdb.connect(str(path)) as database:
            database.execute(
                "create schema gold; create table gold.things as select id, id % 3 as amount"
                f" from range(1000) as made(id) order by {order}"
            )
        with open_warehouse(path) as opened:
            gold = read_gold(opened, "gold", "things", "id", ["amount"], {}, {}, most=50)
        drawn.append(gold.frame["id"].astype(int).tolist())
    assert drawn[0] == drawn[1] == drawn[2] == sorted(drawn[0])
    assert len(drawn[0]) == 50
    # Drawn from everywhere, and not the first of them.
    assert max(drawn[0]) > 800


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"where": {"the kind": ["a"]}}, ["9", "100"]),
        ({"where": {"thing_id": ["9", "10"]}}, ["9", "10"]),
        ({"where": {"is_new": ["true"]}}, ["10"]),
        ({"at_least": {"amount": 1}}, ["10"]),
        ({"where": {"the kind": ["a", "b"]}, "at_least": {"thing_id": 10}}, ["10", "100"]),
        ({"where": {"the kind": ["a'; drop table gold.things; --", "b"]}}, ["10"]),
    ],
)
def test_conditions(warehouse: Warehouse, changes: dict[str, Any], ids: list[str]) -> None:
    assert read(warehouse, **changes).frame["thing_id"].tolist() == ids


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": "thing"}, WarehouseError, "no table gold.thing; did you mean 'gold.things'"),
        ({"columns": ["amont"]}, StudyError, "no column 'amont'; did you mean 'amount'"),
        ({"entity": "id"}, StudyError, "gold.things has no column 'id'"),
        ({"where": {"kind": ["a"]}}, StudyError, "has no column 'kind'; did you mean 'the kind'"),
        ({"at_least": {"amnt": 1.0}}, StudyError, "has no column 'amnt'; did you mean 'amount'"),
        ({"at_least": {"the kind": 1.0}}, StudyError, "at_least.the kind: gold.things holds VARC"),
        ({"where": {"the kind": ["c"]}}, DataError, "gold.things has no rows for the study"),
        ({"entity": "the kind"}, DataError, "gold.things.the kind has 'a' more than once"),
        ({"entity": "is_new"}, DataError, "gold.things.is_new is null on 1 rows"),
    ],
)
def test_refusals(
    warehouse: Warehouse, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read(warehouse, **changes)


def fingerprint_after(path: Path, change: str, **asked: Any) -> str:
    with duckdb.connect(str(path)) as database:
        database.execute(change)
    with open_warehouse(path, read_only=True) as opened:
        return read(opened, **asked).fingerprint


def test_the_fingerprint_follows_the_values_read(path: Path) -> None:
    first = fingerprint_after(path, "select 1")
    reordered = "create or replace table gold.things as from gold.things order by amount"
    assert fingerprint_after(path, reordered) == first
    not_read = "update gold.things set is_new = true"
    assert fingerprint_after(path, not_read) == first
    assert fingerprint_after(path, "select 1", where={"the kind": ["a"]}) != first
    assert fingerprint_after(path, "update gold.things set amount = 2 where thing_id = 9") != first
    assert first.startswith("3-")
