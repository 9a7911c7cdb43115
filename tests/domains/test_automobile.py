"""The car maker's prospects from the raw files to the published figures and the predictions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.domains.runs import check_row, benchmark_row, run_shipped
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings
from models_py.commands.score_customers import main as score
from models_py.pipeline import Finished


@pytest.fixture(scope="module")
def baseline(automobile: Warehouse) -> Finished:
    return run_shipped(automobile, "automobile_kmeans")


@pytest.fixture(scope="module")
def ours(automobile: Warehouse) -> Finished:
    return run_shipped(automobile, "automobile")


def figures(finished: Finished) -> dict[str, Any]:
    """The agreement with the label, and the measures of the chosen candidate."""
    candidates = finished.tables.rows["model_search"]
    (chosen,) = candidates[candidates["is_chosen"]].to_dict("records")
    (agreed,) = finished.tables.rows["label_agreement"].to_dict("records")
    return {**chosen, **agreed}


def test_every_row_is_in_gold_in_its_order(automobile: Warehouse, shared_data: Path) -> None:
    raw = pd.read_csv(shared_data / "automobile" / "Train.csv")
    matches = automobile.rows(
        "select prospect_id, segment_label from gold.automobile_prospects order by file_row"
    )

    assert matches == list(raw[["ID", "Segmentation"]].itertuples(index=False, name=None))
    assert automobile.rows(
        "select count(is_married), count(is_graduate), count(profession),"
        " count(work_experience_years), count(family_size) from gold.automobile_prospects"
    ) == [(7_928, 7_990, 7_944, 7_239, 7_733)]
    assert automobile.value("select sum(row_count) from silver.automobile_rejections") == 0


def test_ids_in_both_files_are_counted(automobile: Warehouse) -> None:
    assert automobile.rows(
        "select count(*), count(*) filter (has_labelled_id) from gold.automobile_unlabelled"
    ) == [(2_627, 2_332)]
    equal = dict(
        automobile.rows("select compared_column, equal_count from silver.automobile_shared_ids")
    )
    assert (equal["profession"], equal["age"], equal["work_experience_years"]) == (
        2_332,
        273,
        1_190,
    )


def test_the_baseline_without_its_encoder_is_the_published_one(baseline: Finished) -> None:
    result = figures(baseline)

    assert result["k"] == 7
    assert round(result["silhouette"], 4) == 0.1774
    assert round(result["davies_bouldin"], 4) == 1.7816
    assert round(result["calinski_harabasz"]) == 1191
    assert round(result["purity"], 3) == 0.440
    assert round(result["adjusted_rand"], 3) == 0.084


def test_ours_tells_more_of_the_label(baseline: Finished, ours: Finished) -> None:
    theirs, result = figures(baseline), figures(ours)

    for measure in ("purity", "adjusted_rand", "mutual_information", "common_silhouette"):
        assert result[measure] > theirs[measure], measure
    # No grouping that was not given the labels reaches a model that was.
    assert result["purity"] < theirs["supervised_accuracy"]
    assert theirs["supervised_accuracy"] == pytest.approx(0.536, abs=0.01)


def test_both_are_in_the_benchmarks(baseline: Finished, ours: Finished) -> None:
    for study, finished in (("automobile", ours), ("automobile_kmeans", baseline)):
        row, agreement = benchmark_row(study, "surrogate F1"), figures(finished)
        check_row(row, finished)
        assert row["purity"] == f"{agreement['purity']:.1%}"
        assert row["adjusted Rand"] == f"{agreement['adjusted_rand']:.3f}"


def test_words_coded_as_numbers_are_told_by_their_shares(
    automobile: Warehouse, baseline: Finished
) -> None:
    rows = baseline.tables.rows
    gold = pd.DataFrame(
        automobile.rows("select prospect_id, spending_score from gold.automobile_prospects"),
        columns=["entity_id", "spending_score"],
    ).astype("string")
    members = rows["assignments"][["entity_id", "segment_id"]].merge(gold, on="entity_id")
    shares = pd.crosstab(members["segment_id"], members["spending_score"], normalize="index")
    features = rows["segment_features"].set_index(["segment_id", "feature"])

    for segment_id, own in shares.iterrows():
        assert pd.isna(features.loc[(segment_id, "spending_score"), "mean"])
        assert features.loc[(segment_id, "spending_score"), "shap"] >= 0
        for word, share in own.items():
            mean = features.loc[(segment_id, f"spending_score={word}"), "mean"]
            assert mean == pytest.approx(share)
    checked = 0
    for segment in rows["segments"].to_dict("records"):
        text = f"{segment['name']}; {segment['description']}"
        assert not re.search(r"(high|low) (profession|gender|is )", text)
        assert not re.search(r"(high|low): [^;]*spending score", segment["description"])
        # A word of the column stands before its name: "mostly low spending score".
        for hedge, word in re.findall(
            r"(mostly )?(low|average|high) spending score", segment["name"]
        ):
            assert shares.loc[segment["segment_id"], word.capitalize()] >= (0.5 if hedge else 0.95)
            checked += 1
    assert checked >= 3


def test_segments_are_mapped_to_their_commonest_label(ours: Finished) -> None:
    counts = ours.tables.rows["segment_labels"]
    table = counts.pivot_table(index="segment_id", columns="label", values="entities", fill_value=0)
    segments = ours.tables.rows["segments"].set_index("segment_id")

    assert table.to_numpy().sum() == 8_068
    assert segments["majority_label"].to_dict() == table.idxmax(axis=1).to_dict()
    assert counts["is_majority"].sum() == len(table)
    assert figures(ours)["purity"] == pytest.approx(table.max(axis=1).sum() / 8_068)


def test_the_unlabelled_get_segment_label_and_confidence(
    automobile: Warehouse, ours: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(automobile.home))
    asked = ["--study", "automobile", "--input", "gold.automobile_unlabelled"]
    assert score([*asked, "--output", str(tmp_path / "predictions.csv")]) == 0
    assert score(asked) == 0

    table = pd.read_csv(tmp_path / "predictions.csv")
    segments = ours.tables.rows["segments"].set_index("segment_id")
    assert len(table) == table["prospect_id"].nunique() == 2_627
    assert (table["segment_label"] == table["segment_id"].map(segments["majority_label"])).all()
    assert table["confidence"].between(0, 1).all()
    stored = automobile.rows(
        "select entity_id::integer, segment_id, label from results.scores order by 1"
    )
    wanted = table.sort_values("prospect_id")[["prospect_id", "segment_id", "segment_label"]]
    assert stored == list(wanted.itertuples(index=False, name=None))
