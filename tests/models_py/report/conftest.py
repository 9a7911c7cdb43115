"""Runs whose reports the tests read, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_house import Reported, customers, put_rows, run, study, write_gold

from models_py import settings
from models_py.progress import Silent
from models_py.report.writing import write_report


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    """A second run of planted customers whose tables of explanations are all filled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(tmp_path_factory.mktemp("report_home")))
        frame = customers()
        path = write_gold(settings.warehouse_path(), frame.iloc[:330])
        run(path, study())
        write_gold(path, frame.iloc[10:])
        finished = run(path, study(), seed=8)
        explain(path, finished.run_id)
        report = write_report(finished.run_id, path, Silent())
        assert report.notes == []
        yield Reported(path, finished.run_id, report.page, list(frame["customer_id"]))


def explain(path: Path, run_id: str) -> None:
    """Give a run the rows that other jobs write: advice, rules, SHAP values, validity."""
    of_run = {"run_id": run_id, "partition": "all"}
    generator = np.random.default_rng(3)
    advice = pd.DataFrame(
        {
            "segment_id": [1, 1, 2],
            "priority": [1, 2, 1],
            "action": ["win_back", "upsell", "keep"],
            "advice": ["Write to them within a week.", "Offer <b>more</b>.", "Thank them."],
            "because": ["away for 40 days (all 20)", "few baskets", "34% of spend"],
        }
    )
    put_rows(path, "segment_actions", advice.assign(**of_run))
    shap = pd.DataFrame(
        [
            (segment, sample, feature, value, shift)
            for segment in (1, 2, 3)
            for feature in ("baskets_per_week", "basket_spend_mean", "weekend_share")
            for sample, (value, shift) in enumerate(generator.normal(size=(40, 2)))
        ],
        columns=["segment_id", "sample", "feature", "value", "shap"],
    )
    put_rows(path, "shap_samples", shap.assign(**of_run))
    surrogate = {"rows": 350, "folds": 5, "f1_weighted": 0.934, "shap_rows": 40}
    put_rows(path, "surrogates", pd.DataFrame([of_run | surrogate | {"parameters": "{}"}]))
    validity = pd.DataFrame(
        [
            (grouping, 3, "spend", "eta_squared", value, 340, "2026-01-01")
            for grouping, value in (("segments", 0.41), ("rfm", 0.33), ("kmeans", 0.37))
        ],
        columns=["grouping", "groups", "outcome", "measure", "value", "rows", "split_on"],
    )
    put_rows(path, "validity", validity.assign(**of_run))
    case = "case when baskets_per_week < 2 then 1 else 2 end"
    rules = {"case_sql": case, "rows": 350, "accuracy": 0.9, "f1_weighted": 0.9, "conditions": 1}
    put_rows(path, "rule_sets", pd.DataFrame([of_run | rules]))
