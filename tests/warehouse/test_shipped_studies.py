"""Shipped grocery studies on the Complete Journey: what they say is true of gold."""

from __future__ import annotations

import pytest
from tests.domains.runs import run_shipped
from tests.warehouse.dbt_runs import Warehouse

from models_py.pipeline import Finished


@pytest.fixture(scope="module")
def stages(complete_journey: Warehouse) -> Finished:
    return run_shipped(complete_journey, "grocery_lifestages")


def test_life_stages_are_compared_and_keep_what_comes_back(stages: Finished) -> None:
    rows = stages.tables.rows
    segments = rows["segments"]
    split = segments[segments.groupby("partition")["segment_id"].transform("size") > 1]
    assert split["is_stable"].all()
    assert (split["size"] >= 10).all()
    whole = segments.drop(split.index)
    assert whole["name"].tolist() == [f"all of {stage}" for stage in whole["partition"]]
    reasons = [stages.reasons[stage] for stage in whole["partition"]]
    assert all(reason.startswith("one segment: ") for reason in reasons)
    (compared,) = rows["partition_comparison"].to_dict("records")
    assert compared["partitions"] == 6
    assert compared["verdict"] in compared["sentence"]
    assert compared["balanced_accuracy"] > compared["by_chance"]


@pytest.mark.parametrize("name", ["grocery_agglomerative", "grocery_agglomerative_stages"])
def test_the_published_choice_stands_beside_the_others(
    complete_journey: Warehouse, name: str
) -> None:
    finished = run_shipped(complete_journey, name, stability={"refits": 0})
    search = finished.tables.rows["model_search"]
    parts = search["partition"].nunique()
    assert len(search) == parts * 27
    chosen = search[search["is_chosen"]]
    assert (chosen["algorithm"] == "complete").all()
    assert (chosen["k"] == 2).all()
    assert search["metric_silhouette"].notna().all()
    for partition, reason in finished.reasons.items():
        own = search[search["partition"] == partition]
        best = own["silhouette"].max()
        assert reason.endswith(f"of 27 candidates, the best {best:.3f})")


def test_baskets_are_clustered(complete_journey: Warehouse) -> None:
    finished = run_shipped(complete_journey, "grocery_baskets", stability={"refits": 0})
    assert finished.rows_read == complete_journey.value(
        "select count(*) from gold.grocery_lifestage_basket_sample"
    )
    assert len(finished.tables.rows["segments"]) >= 2


@pytest.mark.parametrize(
    "name",
    [
        "grocery_kmeans",
        "grocery_autoencoder",
        "grocery_stores",
        "grocery_agglomerative_stores",
    ],
)
def test_what_is_told_is_true(complete_journey: Warehouse, name: str) -> None:
    run_shipped(complete_journey, name, stability={"refits": 0})
