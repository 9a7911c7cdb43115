"""Features of a customer's baskets, computed a second time with pandas from the raw files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from tests.domains.runs import run_shipped
from tests.warehouse.dbt_runs import Warehouse

CUSTOMERS = 200
LEVELS = {
    "BASKET_SIZE": ("basket_size", ["S", "M", "L"]),
    "BASKET_PRICE_SENSITIVITY": ("price_sensitivity", ["LA", "MM", "UM"]),
    "BASKET_TYPE": ("basket_type", ["Full Shop", "Small Shop", "Top Up"]),
    "BASKET_DOMINANT_MISSION": ("basket_mission", ["Fresh", "Grocery", "Mixed", "Nonfood"]),
}


@pytest.fixture(scope="module")
def gold(sort_of_real: Warehouse) -> pd.DataFrame:
    """The first customers of the table by their ids."""
    path = sort_of_real.home / "data" / "segmenthouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        frame = connection.execute(
            "select * from gold.grocery_customer_basket_features order by customer_id limit ?",
            [CUSTOMERS],
        ).df()
    return frame.set_index("customer_id")


@pytest.fixture(scope="module")
def baskets(gold: pd.DataFrame, shared_data: Path) -> pd.DataFrame:
    """The baskets of those customers, from the raw lines."""
    wanted = ", ".join(f"'{name}'" for name in gold.index)
    lines = duckdb.sql(
        f"select * from read_csv('{shared_data}/sort_of_real/transactions_*.csv.gz',"
        f" all_varchar = true) where CUST_CODE in ({wanted})"
    ).df()
    lines["QUANTITY"] = lines["QUANTITY"].astype(int)
    lines["SPEND"] = lines["SPEND"].astype(float)
    lines["SHOP_DATE"] = pd.to_datetime(lines["SHOP_DATE"], format="%Y%m%d")
    lines = lines[lines["SPEND"] > 0].drop_duplicates()
    by_basket = lines.groupby("BASKET_ID")
    frame = by_basket[["CUST_CODE", "CUST_PRICE_SENSITIVITY", "SHOP_DATE", *LEVELS]].first()
    frame["spread"] = by_basket["QUANTITY"].std(ddof=0)
    frame["products"] = by_basket["PROD_CODE"].nunique()
    frame["units"] = by_basket["QUANTITY"].sum()
    frame["spend"] = by_basket["SPEND"].sum()
    return frame.sort_values(["CUST_CODE", "SHOP_DATE"])


def expected_features(baskets: pd.DataFrame) -> pd.DataFrame:
    """The 38 features, by customer."""
    customers = baskets.groupby("CUST_CODE")
    columns = {
        "unit_spread_mean": customers["spread"].mean(),
        "product_count_mean": customers["products"].mean(),
        "unit_count_mean": customers["units"].mean(),
        "spend_amount_mean": customers["spend"].mean(),
        "spend_amount_max": customers["spend"].max(),
        "basket_count": customers.size(),
    }
    for level in ["LA", "MM", "UM"]:
        dummy = baskets["CUST_PRICE_SENSITIVITY"].eq(level).astype(int)
        of_customer = dummy.groupby(baskets["CUST_CODE"]).max()
        columns[f"has_customer_sensitivity_{level.lower()}"] = of_customer
    for column, (name, levels) in LEVELS.items():
        for level in levels:
            dummy = baskets[column].eq(level).astype(int).groupby(baskets["CUST_CODE"])
            end = level.lower().replace(" ", "_")
            columns[f"has_{name}_{end}"] = dummy.max()
            columns[f"{name}_{end}_share"] = dummy.mean()
    gaps = customers["SHOP_DATE"].diff().dt.days.groupby(baskets["CUST_CODE"])
    columns["basket_gap_min_days"] = gaps.min()
    columns["basket_gap_max_days"] = gaps.max()
    columns["basket_gap_mean_days"] = gaps.mean()
    return pd.DataFrame(columns)


def test_38_features_agree_with_pandas(gold: pd.DataFrame, baskets: pd.DataFrame) -> None:
    expected = expected_features(baskets)
    assert expected.shape == (CUSTOMERS, 38)
    assert set(gold.columns) - set(expected.columns) == {"life_stage", "main_store_format"}
    assert expected["basket_gap_mean_days"].isna().any()

    for name, values in expected.items():
        found = gold[name].loc[expected.index].astype(float)
        np.testing.assert_allclose(found, values.astype(float), rtol=1e-9, err_msg=str(name))


def test_counts_of_undefined_baskets_are_those_of_the_documentation(
    sort_of_real: Warehouse,
) -> None:
    counted = sort_of_real.rows(
        "select count(*), count(*) filter (is_undefined), count(*) filter (is_undefined or"
        " life_stage = 'XX') from (select customer_id, 'XX' in (basket_size, basket_type,"
        " basket_mission, price_sensitivity) as is_undefined from silver.grocery_baskets)"
        " inner join (select customer_id, life_stage from silver.grocery_customers)"
        " using (customer_id)"
    )

    assert counted == [(311_900, 6_118, 43_663)]


def test_the_published_choice_has_the_groups_of_scikit_learn(sort_of_real: Warehouse) -> None:
    finished = run_shipped(sort_of_real, "grocery_agglomerative", stability={"refits": 0})
    path = sort_of_real.home / "data" / "segmenthouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        table = connection.execute("select * from gold.grocery_customer_basket_features").df()
    table = table.set_index("customer_id")
    values = table.drop(columns=["life_stage", "main_store_format"]).to_numpy(dtype=float)

    # The scaler sees every row; those with a gap, customers of one basket, go afterwards.
    scaled = StandardScaler().fit_transform(values)
    whole = ~np.isnan(scaled).any(axis=1)
    components = PCA(0.8, svd_solver="full").fit_transform(scaled[whole])
    clusters = AgglomerativeClustering(2, metric="cosine", linkage="complete").fit_predict(
        components
    )

    assigned = finished.tables.rows["assignments"].set_index("entity_id")["segment_id"]
    ours = assigned.loc[table.index[whole]]
    assert 0 < whole.sum() < len(table) == len(assigned)
    assert adjusted_rand_score(clusters, ours) == 1.0
    search = finished.tables.rows["model_search"]
    (chosen,) = search.loc[search["is_chosen"], "silhouette"]
    expected = silhouette_score(components, clusters, metric="cosine")
    assert chosen == pytest.approx(expected, rel=0, abs=1e-9)


def test_files_hold_the_baskets_of_each_life_stage(sort_of_real: Warehouse) -> None:
    counts = dict(
        sort_of_real.rows(
            "select life_stage, count(*) from silver.grocery_baskets"
            " inner join silver.grocery_customers using (customer_id) group by 1"
        )
    )
    samples = sort_of_real.home / "data" / "samples"
    for stage in ("OA", "OF", "OT", "PE", "YA", "YF"):
        drawn = f"'{samples}/grocery_baskets_{stage.lower()}"
        for ending in ("csv", "parquet"):
            ((rows, baskets, stages),) = sort_of_real.rows(
                "select count(*), count(distinct basket_id), min(life_stage)"
                f" from {drawn}.{ending}' as drawn"
            )
            assert (rows, stages) == (min(counts[stage], 50_000), stage)
            assert baskets == rows
    assert counts["OT"] > 50_000
