"""What an order says on its first line counts for its other lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from models_py.base.errors import DataError
from models_py.database.connection import Warehouse
from models_py.database.reading.columns import ReadingOptions
from models_py.database.reading.loading import Loaded, load_log
from models_py.database.reading.log import Condition, LogColumns

HEADER = "Name,Email,Status,Created,Qty,Item,Price"


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    opened = Warehouse(Path("memory"), duckdb.connect())
    yield opened
    opened.close()


def shop(tmp_path: Path, lines: list[str], header: str = HEADER) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


COLUMNS = LogColumns(
    customer="Email",
    time="Created",
    quantity="Qty",
    unit_price="Price",
    product="Item",
    basket="Name",
    where=Condition("Status", ("paid",)),
)


def load(warehouse: Warehouse, file: Path, columns: LogColumns = COLUMNS) -> Loaded:
    options = ReadingOptions(ids=columns.ids, times=(columns.time,), numbers=columns.numbers)
    return load_log(warehouse, file, "shop", columns, options)


def orders(blank: str = "") -> list[str]:
    """Thirty orders of two lines; every fifth was refunded."""
    lines = []
    for order in range(30):
        status = "refunded" if order % 5 == 0 else "paid"
        day = f"2025-03-{order % 28 + 1:02d}"
        lines.append(f"#{order},c{order % 7}@x.example,{status},{day},1,Mug,10")
        lines.append(
            f"#{order},c{order % 7}@x.example,{blank},{day},2,Tea,5"
            if blank != "all"
            else ",,,,2,Tea,5"
        )
    return lines


def sums(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return warehouse.rows(
        "select count(*), sum(amount), count(distinct customer), count(distinct basket)"
        " from bronze.shop_log where left_out is null"
    )


@pytest.mark.parametrize("blank", ["", " ", "all"])
def test_further_lines_have_what_their_order_says(
    warehouse: Warehouse, tmp_path: Path, blank: str
) -> None:
    loaded = load(warehouse, shop(tmp_path, orders(blank)))
    # 24 of 30 orders are paid, each of 10 + 2 * 5.
    assert sums(warehouse) == [(48, 480.0, 7, 24)]
    (note,) = [note for note in loaded.warnings if "line" in note and "order" in note]
    assert "30 " in note
    assert "line 3" in note


def test_every_line_keeps_its_place(warehouse: Warehouse, tmp_path: Path) -> None:
    load(warehouse, shop(tmp_path, orders("all")))
    rows = warehouse.rows("select file_row, basket, product from bronze.shop_log order by file_row")
    assert rows == [(n + 1, f"#{n // 2}", ("Mug", "Tea")[n % 2]) for n in range(60)]


def test_a_mark_of_single_lines_is_not_spread(warehouse: Warehouse, tmp_path: Path) -> None:
    lines = []
    for order in range(40):
        came_back = "returned" if order < 4 else ""
        lines.append(f"#{order},c{order % 7}@x.example,{came_back},2025-03-03,1,Mug,10")
        lines.append(f"#{order},c{order % 7}@x.example,,2025-03-03,1,Tea,5")
    kept = LogColumns(
        **{**COLUMNS.__dict__, "where": None, "returns": Condition("Status", ("returned",))}
    )
    loaded = load(warehouse, shop(tmp_path, lines), kept)
    assert warehouse.rows("select count(*) from bronze.shop_log where amount < 0") == [(4,)]
    assert not [note for note in loaded.warnings if "first line" in note]


def test_lines_that_name_nothing_bought_are_not_carried(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """A sum below each order, without a word, is no line of it."""
    lines = []
    for order in range(30):
        lines.append(f"#{order},c{order % 7}@x.example,paid,2025-03-03,1,Mug,10")
        lines.append(",,,,1,,10")
    columns = LogColumns(**{**COLUMNS.__dict__, "where": None})
    with pytest.raises(DataError, match=r"30 of 60 lines \(50%\).*no customer \(such as line 3\)"):
        load(warehouse, shop(tmp_path, lines), columns)
