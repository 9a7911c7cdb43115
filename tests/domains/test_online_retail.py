"""Online orders and returns from the raw file to segments."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.domains.runs import check_row, benchmark_row, run_shipped
from tests.warehouse.dbt_runs import Warehouse
from tests.warehouse.test_documentation import undescribed

from models_py.pipeline import Finished


@pytest.fixture(scope="module")
def returns_run(online_retail: Warehouse) -> Finished:
    return run_shipped(online_retail, "returns")


def test_every_line_is_explained(online_retail: Warehouse) -> None:
    assert online_retail.value("select count(*) from bronze.online_retail_lines") == 541_909
    left_out = online_retail.rows(
        "select reason, row_count, breaking_count from silver.online_retail_rejections"
        " where entity = 'line' and breaking_count > 0 order by row_count desc, reason"
    )
    kept = online_retail.rows(
        "select (select count(*) from silver.online_retail_sales),"
        " (select count(*) from silver.online_retail_returns)"
    )

    assert left_out == [
        ("customer_missing", 135_080, 135_080),
        ("line_repeated", 5_225, 5_268),
        ("no_product", 1_911, 2_946),
        ("cancelled_on_the_day", 1_098, 1_098),
        ("price_zero", 37, 2_519),
        ("price_negative", 0, 2),
        ("return_without_credit_note", 0, 1_336),
    ]
    assert kept == [(390_601, 7_957)]
    assert 390_601 + 7_957 + sum(row_count for _, row_count, _ in left_out) == 541_909


def test_every_customer_is_explained(online_retail: Warehouse) -> None:
    assert online_retail.value("select count(*) from gold.online_retail_customers") == 4_333
    assert online_retail.rows(
        "select reason, row_count from silver.online_retail_rejections where entity = 'customer'"
    ) == [("no_sale_left", 39)]
    assert 4_333 + 39 == 4_372


def test_returns_are_matched_to_purchases(online_retail: Warehouse) -> None:
    matches = online_retail.rows(
        "select sum(unit_count), sum(matched_unit_count),"
        " count(*) filter (matched_unit_count = unit_count),"
        " count(*) filter (matched_unit_count = 0) from silver.online_retail_returns"
    )

    assert matches == [(93_851, 75_103, 6_849, 1_053)]


def test_return_runs_are_those_of_all_orders(online_retail: Warehouse) -> None:
    # A second way: every customer's orders in turn, one after the other.
    orders = pd.DataFrame(
        online_retail.rows(
            "select sales.customer_id, sales.order_id, min(ordered_at) as ordered_at,"
            " bool_or(returned.order_id is not null) as is_returned"
            " from silver.online_retail_sales as sales left join (select distinct"
            " purchase_order_id as order_id, customer_id from silver.online_retail_returns) as"
            " returned using (customer_id, order_id) group by all order by 1, 3, 2"
        ),
        columns=["customer_id", "order_id", "ordered_at", "is_returned"],
    )
    expected = {}
    for customer, flags in orders.groupby("customer_id")["is_returned"]:
        longest = length = in_a_row = 0
        for is_returned in flags:
            in_a_row += bool(is_returned and length)
            length = length + 1 if is_returned else 0
            longest = max(longest, length)
        expected[customer] = (longest, in_a_row)
    matches = online_retail.rows(
        "select customer_id, longest_return_run, consecutive_return_count"
        " from gold.online_retail_customers"
    )

    assert {customer: (longest, in_a_row) for customer, longest, in_a_row in matches} == expected
    assert max(longest for _, longest, _ in matches) == 10


def test_near_lines_count_what_lies_within_14_days(online_retail: Warehouse) -> None:
    # A second way: every pair of a customer's days, with the lines of both.
    expected = online_retail.rows(
        "with days as (select customer_id, ordered_at::date as day, count(*) as lines"
        " from silver.online_retail_sales group by all)"
        " select one.customer_id, sum(one.lines * other.lines) / (select sum(lines) from days"
        " where days.customer_id = one.customer_id) - 1 from days as one inner join days as other"
        " on one.customer_id = other.customer_id and abs(one.day - other.day) <= 14"
        " group by one.customer_id"
    )
    matches = dict(
        online_retail.rows("select customer_id, near_lines_mean from gold.online_retail_customers")
    )

    assert len(expected) == 4_333
    assert matches == pytest.approx({customer: float(mean) for customer, mean in expected})


def test_every_number_is_finite_and_described(online_retail: Warehouse) -> None:
    rows = online_retail.rows("select * from gold.online_retail_customers")
    numbers = [value for row in rows for value in row if isinstance(value, float)]

    assert all(math.isfinite(number) for number in numbers)
    assert undescribed(online_retail) == []


def test_a_missing_file_is_named_with_the_command_that_gets_it(
    online_retail: Warehouse, tmp_path: object
) -> None:
    elsewhere = Warehouse(online_retail.home, {"online_retail_dir": str(tmp_path)})

    run = elsewhere.dbt("run", "--select", "bronze_online_retail_lines")

    assert run.code == 1
    assert run.lines_with(
        f"{tmp_path}/online_retail.parquet is not there: get it with"
        " `python scripts/fetch_data.py online_retail`"
    )
    assert online_retail.value("select count(*) from bronze.online_retail_lines") == 541_909


def test_the_study_finds_stable_segments(returns_run: Finished) -> None:
    segments = returns_run.tables.rows["segments"]

    assert segments["size"].sum() == 4_333
    assert len(segments) == 8
    assert segments["stability"].min() >= 0.8
    check_row(benchmark_row("returns", "surrogate F1"), returns_run)


def test_density_and_k_means_stand_side_by_side(returns_run: Finished) -> None:
    candidates = returns_run.tables.rows["model_search"]
    dropped = returns_run.tables.rows["feature_selection"]

    assert {"hdbscan", "dbscan", "kmeans"} == set(candidates["algorithm"])
    assert {"vif", "importance"} <= set(dropped["dropped_at"].dropna())
    assert returns_run.tables.rows["outliers"]["method"].unique().tolist() == ["isolation_forest"]
