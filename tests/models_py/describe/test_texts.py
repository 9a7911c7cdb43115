"""What sentences add to the columns, against groups made and measured in another way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_gold import gold_customers, planted_study
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.describe.texts import _sentence, compare_text
from models_py.describe.words import Vocabulary
from models_py.features.encoders import text
from models_py.segmentation.studied import segment_partitions
from models_py.studies.study import Study


class Letters:
    """Stands in for a language model: a direction of its own for each distinct text."""

    fingerprint = "letters"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def embed(
        self, texts: Sequence[str], on_progress: Callable[[int, int], None] | None = None
    ) -> np.ndarray:
        del on_progress
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:4]) for t in texts]
        rows = [np.random.default_rng(seed).normal(size=16) for seed in seeds]
        return np.asarray(rows, dtype=np.float32)


NUMBERS = ["baskets_per_week", "basket_spend_mean", "weekend_share", "visit_gap_mean_days"]


def recipe(column: str, measures: list[str]) -> Study:
    template = f"of {{{column}}}"
    return planted_study(
        features={"include": [*NUMBERS, column]},
        encoding={"kind": "text", "parameters": {"template": template, "components": 6}},
        algorithms=[{"name": "kmeans", "k": 3}],
        describe={"measures": measures},
        outliers={"method": "none"},
        stability={"refits": 0},
    )


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(text, "TextModel", Letters)
    monkeypatch.setattr(text, "find_model", Path)


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize(
    ("column", "verdict"),
    [("life_stage", "tell less than"), ("planted", "tell as much as")],
)
def test_sentences_are_told_beside_the_columns(column: str, verdict: str) -> None:
    study = recipe(column, ["spend_amount"])
    frame = gold_customers()[["customer_id", *NUMBERS, column, "spend_amount"]]
    (found,) = segment_partitions(study, frame, 1, Silent())

    row = compare_text(study, frame, found, 1)

    points = found.prepared.common
    columns = KMeans(3, n_init=10, random_state=5).fit_predict(points)
    assert row["text_agreement"] == pytest.approx(adjusted_rand_score(found.groups, columns))
    spend = frame["spend_amount"]
    for name, groups in (("text_explained", found.groups), ("columns_explained", columns)):
        means = spend.groupby(pd.Series(groups)).transform("mean")
        assert row[name] == pytest.approx(means.var() / spend.var())
    assert str(row["text_comparison"]).startswith(f"The sentences {verdict} the columns alone: ")
    assert "(spend)" in str(row["text_comparison"])


@pytest.mark.usefixtures("letters")
def test_without_a_measure_only_the_agreement_is_known() -> None:
    study = recipe("planted", [])
    frame = gold_customers()[["customer_id", *NUMBERS, "planted"]]
    (found,) = segment_partitions(study, frame, 1, Silent())
    row = compare_text(study, frame, found, 1)
    assert np.isnan(row["text_explained"])
    assert str(row["text_comparison"]).startswith("What the sentences add is not known")


def test_segments_of_columns_have_no_sentences() -> None:
    study, frame = planted_study(algorithms=[{"name": "kmeans", "k": 3}]), gold_customers()
    (found,) = segment_partitions(study, frame, 1, Silent())
    assert compare_text(study, frame, found, 1) == {}


def test_what_is_next_to_nothing_is_no_finding() -> None:
    said = _sentence(0.08, [0.0044, 0.0036], ["has_subscribed"], Vocabulary({}))
    assert said.startswith("The sentences add nothing that could be shown: of what neither was")
