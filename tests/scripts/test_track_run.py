"""Tracking without MLflow: what is refused at once, and what a run has to say of itself."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from models_py.base import settings
from models_py.commands import run_clustering, score_customers, track_run
from models_py.database import contract
from models_py.runs.tracking.contents import READ, RunContents, candidate_measures
from models_py.studies.measures import MEASURES

NEEDED = "error: tracking needs MLflow: pip install -c constraints.txt -e '.[mlflow]'\n"


def contents(**tables: list[dict[str, Any]]) -> RunContents:
    """A run with these rows; columns that a row leaves out are null."""
    facts = {
        "run_id": "20260105T020000000000-91a6",
        "study": "shop",
        "seed": 7,
        "source_table": "gold.shop_customers",
        "rows_read": 50,
        "chosen_because": "the best of two",
        "started_at": datetime(2026, 1, 5, 2),
        "parameters": '{"table": "gold.shop", "where": {"kind of": ["a", "b"]}, "label": null}',
    }
    filled = {
        table.name: pd.DataFrame(
            tables.get(table.name, []), columns=[column.name for column in table.columns]
        )
        for table in READ
    }
    return RunContents(facts, filled, Path("warehouse.duckdb"))


def chosen(partition: str, **measures: float) -> dict[str, Any]:
    return {
        "partition": partition,
        "algorithm": "kmeans",
        "k": 3,
        "encoding": "pca",
        "parameters": '{"n_init": 4}',
        "is_chosen": True,
        **measures,
    }


def test_without_mlflow_nothing_begins(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert run_clustering.main(["--track"]) == 1
    assert capsys.readouterr().err == NEEDED
    assert score_customers.main(["--model", "shop@champion", "--sql"]) == 1
    assert capsys.readouterr().err == NEEDED
    assert track_run.main(["--ui"]) == 1
    assert capsys.readouterr().err == NEEDED
    monkeypatch.setenv(settings.TRACKING_VARIABLE, "http://127.0.0.1:9")
    assert run_clustering.main([]) == 1
    assert capsys.readouterr().err == NEEDED
    assert list(home.rglob("*.duckdb")) == []


def test_the_store_is_the_homes_unless_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.TRACKING_VARIABLE, raising=False)
    assert not settings.tracking_is_asked()
    assert settings.tracking_uri() == f"sqlite:///{home.as_posix()}/data/mlflow/mlflow.db"
    monkeypatch.setenv(settings.TRACKING_VARIABLE, "http://127.0.0.1:5000")
    assert settings.tracking_is_asked()
    assert settings.tracking_uri() == "http://127.0.0.1:5000"


def test_parameters_are_flat_and_in_mlflows_alphabet() -> None:
    run = contents(model_search=[chosen("all"), chosen("YF: young")])
    assert run.parameters() == {
        "study.table": "gold.shop",
        "study.where.kind of": '["a", "b"]',
        "seed": "7",
        "source_table": "gold.shop_customers",
        "chosen.algorithm": "kmeans",
        "chosen.k": "3",
        "chosen.encoding": "pca",
        "chosen.n_init": "4",
        "chosen/YF_ young.algorithm": "kmeans",
        "chosen/YF_ young.k": "3",
        "chosen/YF_ young.encoding": "pca",
        "chosen/YF_ young.n_init": "4",
    }


def test_measures_are_those_of_the_chosen_and_what_is_null_is_left_out() -> None:
    other = chosen("all", silhouette=0.9) | {"is_chosen": False}
    run = contents(
        model_search=[chosen("all", silhouette=0.5), other],
        segments=[
            {"segment_id": 1, "stability": 0.9, "is_stable": True, "is_withheld": False},
            {"segment_id": 2, "stability": 0.6, "is_stable": False, "is_withheld": False},
            {"segment_id": 3, "stability": 0.1, "is_stable": False, "is_withheld": True},
        ],
        assignments=[{"is_outlier": True}, {"is_outlier": False}],
        answers=[{"partition": "all", "rank": 0, "likely_right": 0.8}],
        validity=[
            {"partition": "all", "grouping": "segments", "outcome": "spend", "value": 0.3},
            {"partition": "all", "grouping": "rfm", "outcome": "spend", "value": 0.2},
        ],
    )
    assert run.measures() == {
        "rows_read": 50.0,
        "silhouette": 0.5,
        "segments": 3.0,
        "unstable_segments": 1.0,
        "segment_stability_least": 0.6,
        "outlier_share": 0.5,
        "likely_right": 0.8,
        "validity/spend": 0.3,
    }
    assert candidate_measures(dict.fromkeys(MEASURES, float("nan")) | {"seconds": 2}) == {
        "seconds": 2.0
    }


def test_a_withheld_segment_shows_its_size_alone() -> None:
    row = {"segment_id": 4, "name": "rich", "size": 3, "share": 0.1, "stability": 0.9}
    run = contents(segments=[row | {"partition": "all", "is_withheld": True}])
    [shown] = run.segments().to_dict("records")
    assert {name for name, value in shown.items() if value is not None} == {
        "partition",
        "segment_id",
        "size",
        "share",
    }
    assert "rich" not in run.note()
    assert "| 4 | withheld | 3 |" in run.note()
    assert contract.segments in READ
