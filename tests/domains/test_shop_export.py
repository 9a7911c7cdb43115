"""A shop's export of orders, from the file to a table of customers, held against a sum by hand."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest
from tests.warehouse.dbt_runs import Warehouse

from models_py.commands import new_study

ITEMS = {"Mug": 5.5, "Tea": 9.9, "Pot": 20.0, "Spoon": 3.25}


def write_export(path: Path) -> dict[str, dict[str, float]]:
    """Write orders as shops export them; return what each customer paid for, by item."""
    drawn = random.Random(3)
    paid: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["Name", "Email", "Status", "Currency", "Created at", "Qty", "Item", "Price"]
        )
        for order in range(400):
            customer = f"c{order % 60}@shop.example"
            status = "paid" if drawn.random() < 0.9 else "refunded"
            moment = f"2025-{1 + order % 12:02d}-{1 + order % 28:02d} 10:{order % 60:02d}:00 +0100"
            items = drawn.sample(sorted(ITEMS), drawn.randint(1, 4))
            for place, item in enumerate(items):
                quantity = drawn.randint(1, 3)
                once = [status, "EUR"] if place == 0 else ["", ""]
                writer.writerow(
                    [f"#{1000 + order}", customer, *once, moment, quantity, item, ITEMS[item]]
                )
                if status == "paid":
                    paid[customer][item] += quantity * ITEMS[item]
    return paid


def test_every_line_of_an_order_counts_and_a_category_needs_no_product(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    paid = write_export(home / "orders.csv")
    words = (
        "--transactions --input orders.csv --customer Email --basket Name --quantity Qty"
        " --unit-price Price --category Item --currency Currency --where Status=paid --name shop"
    )
    assert new_study.main([*words.split(), "--time", "Created at"]) == 0
    assert "'Status' stands on the first line of an order alone" in capsys.readouterr().out
    with duckdb.connect(str(home / "data" / "segmenthouse.duckdb"), read_only=True) as database:
        rows = database.execute(
            "select customer_id, spend_amount, category_count from gold.shop_customers"
        ).fetchall()
    spends = {customer: float(spend) for customer, spend, _ in rows}
    assert spends == pytest.approx({c: sum(by_item.values()) for c, by_item in paid.items()})
    assert {c: n for c, _, n in rows} == {c: len(by_item) for c, by_item in paid.items()}
    check_unit_tests(home)


def check_unit_tests(home: Path) -> None:
    """The build left the unit tests of the customers' models out: they pass on that log."""
    shutil.copytree(home / "data" / "dbt", home / "target")
    built = json.loads((home / "target" / "run_results.json").read_text())
    tested = Warehouse(home, built["args"]["vars"]).dbt(
        "test", "--selector", "custom", "--resource-type", "unit_test"
    )
    assert tested.code == 0, tested.text
    assert tested.lines_with("PASS=3 "), tested.text
