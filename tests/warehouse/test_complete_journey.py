"""The warehouse of the real Complete Journey."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from tests.warehouse.dbt_runs import Warehouse

from models_py.sources.dbt_plugin import complete_journey_dir


def test_bronze_has_every_raw_row(complete_journey: Warehouse) -> None:
    counted = complete_journey.rows(
        "select count(*), count(distinct household_id), count(distinct basket_id) "
        "from bronze.grocery_complete_journey_transactions"
    )

    assert counted == [(1_469_307, 2_469, 155_848)]


def test_rejections_explain_every_line_that_silver_lacks(complete_journey: Warehouse) -> None:
    assert complete_journey.value("select count(*) from silver.grocery_transactions") == 1_458_032
    assert complete_journey.rejected() == {
        "quantity_zero": 8_869,
        "spend_zero": 2_406,
        "life_stage_undefined": 1_668,
        "customer_stage_undefined": 73_829,
    }


def test_every_household_is_in_gold_once(complete_journey: Warehouse) -> None:
    counted = complete_journey.rows(
        "select count(*), count(distinct customer_id) from gold.grocery_customers"
    )

    assert counted == [(2_469, 2_469)]
    assert complete_journey.value("select count(*) from silver.grocery_rejected_customers") == 0


def test_life_stages_of_the_801_households_with_demographics(complete_journey: Warehouse) -> None:
    matches = dict(
        complete_journey.rows("select life_stage, count(*) from gold.grocery_customers group by 1")
    )

    assert matches == {
        "XX": 1_668, "OA": 348, "YF": 166, "YA": 108, "OF": 107, "PE": 57, "OT": 15,
    }  # fmt: skip
    assert complete_journey.value("select count(*) from gold.grocery_lifestage_sample") == 801


def test_petrol_is_one_unit_a_line(complete_journey: Warehouse) -> None:
    largest, lines, units = complete_journey.rows(
        "select max(quantity), count(*), sum(unit_count) "
        "from silver.grocery_transactions where is_bulk"
    )[0]

    assert largest == 89_638
    assert lines == units > 10_000
    assert complete_journey.value(
        "select max(unit_count) < 1000 from silver.grocery_transactions where not is_bulk"
    )


def test_days_are_those_of_the_shop(complete_journey: Warehouse) -> None:
    days = complete_journey.rows(
        "select min(bought_on)::varchar, max(bought_on)::varchar from silver.grocery_baskets"
    )

    assert days == [("2017-01-01", "2017-12-31")]


def test_samples_are_written_whole(complete_journey: Warehouse) -> None:
    folder = complete_journey.home / "data" / "samples"
    columns = complete_journey.value(
        "select count(*) from information_schema.columns "
        "where table_schema = 'gold' and table_name = 'grocery_lifestage_sample'"
    )
    for stage, customers in [("oa", 348), ("ot", 15), ("pe", 57)]:
        parquet = pd.read_parquet(folder / f"grocery_{stage}.parquet")
        text = pd.read_csv(folder / f"grocery_{stage}.csv")

        assert parquet.shape == text.shape == (customers, columns)
        assert parquet["sample_rank"].tolist() == list(range(1, customers + 1))
    assert not [path.name for path in folder.iterdir() if "tmp" in path.name]


def test_a_second_build_gives_the_same_gold(complete_journey: Warehouse) -> None:
    """It also replaces what was a view in an older warehouse and is a table now, and back."""
    tables = ("customers", "stores", "customer_departments", "lifestage_sample")
    first = {name: _fingerprint(complete_journey, name) for name in tables}
    kinds = _kinds(complete_journey)
    with duckdb.connect(str(complete_journey.home / "data" / "segmenthouse.duckdb")) as raw:
        raw.execute("drop view silver.grocery_transactions")
        raw.execute("create table silver.grocery_transactions as select 1 as old")
        raw.execute("drop table gold.grocery_stores")
        raw.execute("create view gold.grocery_stores as select 1 as old")
    again = complete_journey.dbt("run", "--select", "silver_grocery_checked_lines+")

    assert again.code == 0, again.text
    assert {name: _fingerprint(complete_journey, name) for name in tables} == first
    assert _kinds(complete_journey) == kinds


def _kinds(warehouse: Warehouse) -> list[tuple[str, str]]:
    return warehouse.rows(
        "select table_schema || '.' || table_name, table_type from information_schema.tables"
        " order by all"
    )


def _fingerprint(warehouse: Warehouse, name: str) -> object:
    return warehouse.value(f"select bit_xor(hash(t)) from gold.grocery_{name} as t")


@pytest.fixture(scope="module")
def kept_lines() -> pd.DataFrame:
    """The raw lines that keep the rules, with products, read without the warehouse."""
    folder = complete_journey_dir()
    lines = duckdb.sql(
        f"select t.*, p.product_category from '{folder}/transactions.parquet' as t "
        f"left join '{folder}/products.parquet' as p using (product_id)"
    ).df()
    lines = lines[(lines["quantity"] > 0) & (lines["sales_value"] > 0)].copy()
    utc = lines["transaction_timestamp"].dt.tz_localize("UTC")
    lines["day"] = utc.dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
    lines["customer_id"] = lines["household_id"].astype(str)
    return lines


@pytest.fixture(scope="module")
def gold(complete_journey: Warehouse) -> pd.DataFrame:
    """gold.grocery_customers by customer."""
    path = complete_journey.home / "data" / "segmenthouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        frame = connection.execute("select * from gold.grocery_customers").df()
    return frame.set_index("customer_id").sort_index()


def test_spend_and_frequency_agree_with_pandas(
    gold: pd.DataFrame, kept_lines: pd.DataFrame
) -> None:
    baskets = kept_lines.groupby(["customer_id", "basket_id"])["sales_value"].sum()
    by_customer = baskets.groupby("customer_id").agg(["sum", "count", "mean"])
    spread = baskets.groupby("customer_id").std(ddof=0)

    np.testing.assert_allclose(gold["spend_amount"], by_customer["sum"], rtol=1e-9)
    np.testing.assert_array_equal(gold["basket_count"], by_customer["count"])
    np.testing.assert_allclose(gold["basket_spend_mean"], by_customer["mean"], rtol=1e-9)
    np.testing.assert_allclose(gold["basket_spend_spread"], spread, rtol=1e-9, atol=1e-6)


def test_visit_gaps_agree_with_pandas(gold: pd.DataFrame, kept_lines: pd.DataFrame) -> None:
    visits = (
        kept_lines[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    )
    gaps = visits.groupby("customer_id")["day"].diff().dt.days.groupby(visits["customer_id"])

    np.testing.assert_allclose(gold["visit_gap_mean_days"].astype(float), gaps.mean())
    np.testing.assert_allclose(gold["visit_gap_median_days"].astype(float), gaps.median())
    np.testing.assert_allclose(gold["visit_gap_max_days"].astype(float), gaps.max())
    np.testing.assert_allclose(
        gold["visit_gap_spread_days"].astype(float), gaps.std(ddof=0), atol=1e-9
    )


def test_category_diversity_agrees_with_scipy(gold: pd.DataFrame, kept_lines: pd.DataFrame) -> None:
    from scipy.stats import entropy

    categories = kept_lines["product_category"].fillna("unknown")
    counts = kept_lines.groupby(["customer_id", categories]).agg(
        lines=("sales_value", "size"), spend=("sales_value", "sum")
    )
    by_customer = counts.groupby("customer_id")
    simpson = 1 - by_customer["lines"].agg(lambda lines: np.square(lines / lines.sum()).sum())
    loyalty = by_customer["spend"].agg(lambda spend: np.square(spend / spend.sum()).sum())

    np.testing.assert_array_equal(gold["category_richness"], by_customer.size())
    np.testing.assert_allclose(
        gold["category_shannon"], by_customer["lines"].agg(entropy), atol=1e-11
    )
    np.testing.assert_allclose(gold["category_simpson"], simpson, atol=1e-11)
    np.testing.assert_allclose(gold["category_loyalty"], loyalty, atol=1e-11)
