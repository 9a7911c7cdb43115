"""What a run found, as rows of the contract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from planted_gold import gold_customers, planted_study

from models_py.base.progress import Silent
from models_py.database import contract
from models_py.runs.tables import Previous, RunTables, run_tables
from models_py.segmentation.studied import segment_partitions


def tables(previous: Previous | None = None, last_id: int = 0, **changes: Any) -> RunTables:
    study = planted_study(algorithms=[{"name": "kmeans", "k": 3}], **changes)
    frame = gold_customers()
    result = segment_partitions(study, frame, 1, Silent())
    return run_tables(study, frame, result, previous, last_id)


@pytest.fixture(scope="module")
def first() -> RunTables:
    return tables()


def test_columns_are_those_of_the_contract(first: RunTables) -> None:
    by_name = {table.name: table for table in contract.RUN_TABLES}
    assert set(first.rows) <= set(by_name) - {"migrations", "likely_moves", "scores", "validity"}
    for name, frame in first.rows.items():
        columns = by_name[name].columns
        assert set(frame.columns) <= {column.name for column in columns}
        needed = {column.name for column in columns if not column.nullable} - {"run_id"}
        assert needed <= set(frame.columns)
        assert frame[sorted(needed)].notna().all(axis=None)


def test_stability_below_the_limit_is_called_unstable(first: RunTables) -> None:
    segments = first.rows["segments"]
    assert segments["is_stable"].tolist() == [True, True, True]
    assert (segments["stability"] >= 0.6).all()
    unmeasured = tables(stability={"refits": 0}).rows["segments"]
    assert unmeasured["is_stable"].isna().all()
    assert unmeasured["stability"].isna().all()


def test_new_segments_are_registered_once(first: RunTables) -> None:
    assert first.new_segments["segment_id"].tolist() == [1, 2, 3]
    before = Previous("before", first.rows["assignments"][["entity_id", "partition", "segment_id"]])
    second = tables(before, 3)
    assert second.new_segments.empty
    moved = second.rows["migrations"]
    assert (moved["from_segment_id"] == moved["to_segment_id"]).all()
    assert moved["previous_run_id"].eq("before").all()


def test_every_gold_measure_is_profiled(first: RunTables) -> None:
    profile = first.rows["segment_features"]
    counts = profile.groupby("segment_id")["feature"].nunique()
    assert counts.nunique() == 1
    profiles = profile[(profile["segment_id"] == 2) & (profile["feature"] == "basket_spend_mean")]
    frame = gold_customers()
    mean = frame.loc[frame["planted"] == "big", "basket_spend_mean"].mean()
    assert profiles["mean"].iloc[0] == pytest.approx(mean)
    assert profiles["is_model_feature"].iloc[0]


def test_words_are_profiled_by_their_categories() -> None:
    rows = tables(
        features={"include": ["planted", "basket_spend_mean"]}, encoding={"kind": "none"}
    ).rows
    profile = rows["segment_features"]
    shares = profile[profile["feature"].str.startswith("planted=")]
    assert shares["is_model_feature"].all()
    assert shares.groupby("segment_id")["mean"].sum().tolist() == pytest.approx([1, 1, 1])


def test_partitions_are_measured_against_themselves() -> None:
    rows = tables(partition_by="life_stage", stability={"refits": 0}).rows
    profile, frame = rows["segment_features"], gold_customers()
    for stage, part in profile[profile["feature"] == "weekend_share"].groupby("partition"):
        mean = frame.loc[frame["life_stage"] == stage, "weekend_share"].mean()
        np.testing.assert_allclose(part["population_mean"], mean)
    assert rows["segments"]["share"].sum() == pytest.approx(1.0)
    assert sorted(rows["segments"]["segment_id"]) == list(range(1, 10))
    pairs = rows["partition_resemblance"]
    assert len(pairs) == 81
    same = pairs[pairs["segment_id"] == pairs["other_segment_id"]]
    np.testing.assert_allclose(same["correlation"], 1.0)
    wide = pairs.pivot_table(index="segment_id", columns="other_segment_id", values="correlation")
    pd.testing.assert_frame_equal(wide, wide.T, check_names=False)


def test_partitions_are_compared_in_a_sentence() -> None:
    # Life stages are dealt out in turn: behaviour cannot foretell them, their segments are alike.
    rows = tables(partition_by="life_stage", stability={"refits": 0}).rows
    (row,) = rows["partition_comparison"].to_dict("records")
    assert (row["partition_by"], row["partitions"], row["rows"]) == ("life_stage", 3, 240)
    assert row["by_chance"] == pytest.approx(1 / 3)
    assert row["balanced_accuracy"] == pytest.approx(1 / 3, abs=0.1)
    assert row["resemblance"] > 0.95
    assert row["verdict"] == "alike"
    assert row["sentence"].startswith("Life stages behave alike: the features foretell the life")
    assert row["sentence"].endswith(f"(mean correlation of those matched {row['resemblance']:.2f})")
    assert "partition_comparison" not in tables().rows


def test_partitions_that_behave_differently_are_said_to() -> None:
    frame = gold_customers().assign(life_stage=lambda rows: rows["planted"])
    study = planted_study(
        algorithms=[{"name": "kmeans", "k": 2}], partition_by="life_stage", stability={"refits": 0}
    )
    result = segment_partitions(study, frame, 1, Silent())
    rows = run_tables(study, frame, result, None, 0).rows
    (row,) = rows["partition_comparison"].to_dict("records")
    assert row["balanced_accuracy"] > 0.99
    assert row["verdict"] == "different"
    assert "behave differently: the features foretell" in row["sentence"]


def test_memberships_of_a_mixture_add_up() -> None:
    study = planted_study(algorithms=[{"name": "gaussian_mixture", "k": 3}])
    frame = gold_customers()
    rows = run_tables(study, frame, segment_partitions(study, frame, 1, Silent()), None, 0).rows
    written = rows["memberships"]
    assert set(written["segment_id"]) == {1, 2, 3}
    totals = written.groupby("entity_id")["probability"].sum()
    assert len(totals) == 240
    np.testing.assert_allclose(totals, 1.0, atol=0.003)
    both = rows["assignments"].merge(written, on=["entity_id", "segment_id"], how="left")
    np.testing.assert_allclose(both["probability"], both["confidence"])
    assert "memberships" not in tables().rows
