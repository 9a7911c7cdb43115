from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from maintained_warehouse import CUSTOMERS, NOW, STUDY, add_run, build

from models_py.database import contract
from models_py.database.connection import open_warehouse
from models_py.database.maintenance.integrity import Figure, check_warehouse, faults


def check(path: Path) -> dict[tuple[str, str], Figure]:
    with open_warehouse(path, read_only=True) as warehouse:
        figures = check_warehouse(warehouse, path.parent.parent / "manifest.json")
    return {(figure.check, figure.where): figure for figure in figures}


def wrong(path: Path) -> list[str]:
    return faults(list(check(path).values()))


def change(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as raw:
        raw.execute(sql)


def test_a_whole_warehouse_has_no_fault(tmp_path: Path) -> None:
    figures = check(build(tmp_path, runs=2))
    assert faults(list(figures.values())) == []
    assert figures["rows", "bronze.shop_till_lines"].value == 3000
    assert figures["customers", "silver.shop_lines"].value == CUSTOMERS
    assert figures["rows", "gold.shop_very_best"].value == 52
    assert figures["duplicates", "gold.shop_customers by customer_id"].value == 0
    lines = "lines: bronze.shop_till_lines = silver.shop_lines + 8 rejected"
    assert figures["reconciled", lines].value == 0
    assert figures["dangling segments", "results.assignments"].value == 0
    assert figures["dangling entities", f"{STUDY}, latest run"].value == 0


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "create or replace table gold.shop_customers as from gold.shop_customers"
            " union all from gold.shop_customers limit 61",
            "gold.shop_customers by customer_id: 1 rows repeat a customer_id",
        ),
        ("delete from silver.shop_lines where line_id = 70", "1 are not explained"),
        (
            "insert into silver.shop_rejections values"
            " ('till', 'silver.shop_lines', 'customer', 'x', 1)",
            "-1 are not explained",
        ),
        (
            "update results.assignments set segment_id = 9 where entity_id = '7'",
            "2 assignments to a segment that does not exist",
        ),
        (
            "delete from gold.shop_customers where customer_id = 7",
            "1 of its entities are no longer in gold.shop_customers",
        ),
        (
            "alter table gold.shop_customers rename to gone",
            "its table gold.shop_customers is gone",
        ),
        (
            "insert into results.segments (run_id, partition, segment_id, name, size, share)"
            " values ('never', 'all', 1, 'a', 1, 1)",
            "1 rows of runs that did not finish",
        ),
        (
            "drop table bronze.shop_till_lines; create view bronze.v as select 1 as a;"
            " create table bronze.t as select 1 as a; create or replace view bronze.v as from"
            " bronze.t; drop table bronze.t",
            "bronze.v: segmenthouse.duckdb: Catalog Error",
        ),
    ],
)
def test_each_fault_is_named(tmp_path: Path, sql: str, fault: str) -> None:
    path = build(tmp_path, runs=2)
    if sql.startswith("alter") or "gold.shop_customers as from" in sql:
        change(path, "drop index gold.visits_index")
    change(path, sql)
    result = wrong(path)
    assert any(fault in candidate for candidate in result), result


def test_an_unfinished_run_is_a_fault(tmp_path: Path) -> None:
    path = build(tmp_path, runs=1)
    add_run(path, "20250601T000000", NOW, state=contract.RUNNING)
    assert any("results.runs" in item and "next run_clustering" in item for item in wrong(path))
    assert check(path)["unfinished runs", "results.runs"].value == 1


def test_a_warehouse_without_results_is_checked_too(tmp_path: Path) -> None:
    assert wrong(build(tmp_path)) == []
