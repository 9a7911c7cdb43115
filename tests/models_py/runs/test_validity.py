"""Validity: its measures against scikit-learn's, and that the split keeps the future out."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from planted_gold import planted_study
from sklearn.metrics import r2_score

from models_py.base.errors import DataError, StudyError
from models_py.base.progress import Silent
from models_py.database.connection import open_warehouse
from models_py.database.purchases import read_purchases, split_day
from models_py.runs.validity import (
    check_validity,
    measured,
    out_of_fold_means,
    outcomes,
    plain_kmeans,
    rfm_cells,
    rfm_score,
)
from models_py.studies.study import Log, Validity

GENERATOR = np.random.default_rng(4)
SECTION = Validity(table="silver.purchases", time="bought_on", amount="spend", until="until")


@pytest.fixture
def purchases(tmp_path: Path) -> Path:
    """Ten days of three customers; c buys on the last two days only."""
    path = tmp_path / "own.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(
            "create schema silver; create table silver.purchases as select * from (values"
            " ('a', timestamp '2024-01-01 10:00:00', 1.5),"
            " ('a', timestamp '2024-01-01 18:00:00', 2),"
            " ('a', timestamp '2024-01-08 23:59:59', 3), ('b', timestamp '2024-01-02 00:00:00', 4),"
            " ('c', timestamp '2024-01-09 00:00:00', 5), ('c', timestamp '2024-01-10 00:00:00', 6),"
            " (null, timestamp '2024-01-05 00:00:00', 7)) as given (customer_id, bought_on, spend)"
        )
    return path


def test_an_outcome_that_is_the_same_for_all_is_not_measured() -> None:
    groups = np.arange(40) % 3
    same = {"churn": np.zeros(40), "spend": np.ones(40)}
    assert measured({"segments": groups}, same, 1)["value"].isna().all()


def test_a_grouping_is_judged_on_rows_it_did_not_see() -> None:
    values = GENERATOR.normal(size=300)
    alone = np.arange(300)
    result = out_of_fold_means(alone, values, 1)
    assert r2_score(values, result) == pytest.approx(0, abs=0.05)
    groups = (values > 0).astype(np.int64)
    within = np.array([values[groups == group].mean() for group in groups])
    assert r2_score(values, out_of_fold_means(groups, values, 1)) == pytest.approx(
        r2_score(values, within), abs=0.02
    )


def test_what_is_planted_is_measured_and_noise_is_not() -> None:
    groups = np.repeat([0, 1, 2], 200)
    spend = np.array([10.0, 20.0, 60.0])[groups] + GENERATOR.normal(size=600)
    outcome = {"spend": spend, "churn": (groups == 0).astype(float)}
    result = measured({"segments": groups, "noise": GENERATOR.permutation(groups)}, outcome, 1)
    result = result.set_index(["grouping", "outcome"])["value"]
    assert result["segments", "spend"] > 0.99
    assert result["segments", "churn"] == 1.0
    assert result["noise", "spend"] < 0.02
    assert result["noise", "churn"] == pytest.approx(0.5, abs=0.07)


def test_rfm_cells_are_quintiles_and_scores_are_as_many_groups_as_wanted() -> None:
    rows = 1000
    seen = pd.DataFrame(
        {
            "last_on": [date(2024, 1, 1) + timedelta(days=int(d)) for d in range(rows)],
            "visits": GENERATOR.permutation(rows),
            "spend": GENERATOR.permutation(rows).astype(float),
        }
    )
    cells = rfm_cells(seen)
    expected = [pd.qcut(seen[name].rank(), 5, labels=False) for name in ("visits", "spend")]
    recency = pd.qcut(pd.Series(range(rows)), 5, labels=False)
    own = pd.Series(list(zip(recency, *expected, strict=True)))
    assert pd.Series(cells).groupby(own).nunique().eq(1).all()
    assert np.unique(cells).size == own.nunique()
    assert np.bincount(rfm_score(seen, 6)).tolist() == pytest.approx([rows / 6] * 6, abs=1.5)


def test_plain_kmeans_finds_clear_groups_with_nulls_and_words_in_the_way() -> None:
    frame = pd.DataFrame({"a": [0.0, 0.1, None, 9.0, 9.1], "word": list("abcde")})
    groups = plain_kmeans(frame, 2, 1)
    assert groups[0] == groups[1] != groups[3] == groups[4]


def test_the_split_is_a_day_and_nothing_of_it_is_seen_before(purchases: Path) -> None:
    with open_warehouse(purchases, read_only=True) as warehouse:
        assert split_day(warehouse, SECTION) == date(2024, 1, 9)
        half = SECTION.model_copy(update={"share": 0.5})
        assert split_day(warehouse, half) == date(2024, 1, 6)
        frame = read_purchases(warehouse, SECTION, "customer_id", date(2024, 1, 8)).frame
    assert frame.index.tolist() == ["a", "b", "c"]
    assert frame["visits"].tolist() == [1, 1, 0]
    assert frame["spend"].tolist() == [3.5, 4.0, 0.0]
    assert frame["next_visits"].tolist() == [1, 0, 2]
    assert frame["next_spend"].tolist() == [3.0, 0.0, 11.0]


def test_what_comes_back_is_of_the_next_period(purchases: Path) -> None:
    with duckdb.connect(str(purchases)) as database:
        database.execute(
            "create table silver.returned as select * from (values"
            " ('a', timestamp '2024-01-07 23:59:59', 9),"
            " ('a', timestamp '2024-01-08 00:00:00', 0.75),"
            " ('a', timestamp '2024-01-10 00:00:00', 0.75),"
            " ('b', timestamp '2024-01-09 00:00:00', 2), (null, timestamp '2024-01-09 00:00:00', 1)"
            ") as given (customer_id, returned_at, amount)"
        )
    log = Log(table="silver.returned", time="returned_at", amount="amount")
    section = SECTION.model_copy(update={"returns": log})
    with open_warehouse(purchases, read_only=True) as warehouse:
        seen = read_purchases(warehouse, section, "customer_id", date(2024, 1, 8)).frame
        wrong = section.model_copy(update={"returns": log.model_copy(update={"time": "at"})})
        with pytest.raises(
            StudyError, match=r"validity.returns.time: silver.returned has no column 'at'"
        ):
            read_purchases(warehouse, wrong, "customer_id", date(2024, 1, 8))

    assert seen["next_returned"].tolist() == [1.5, 2.0, 0.0]
    result = outcomes(seen)
    # b sends back and buys nothing, so that no rate is known.
    assert result["return_share"].tolist() == pytest.approx([0.5, np.nan, 0.0], nan_ok=True)
    assert result["returned"].tolist() == pytest.approx([1.0, np.nan, 0.0], nan_ok=True)
    assert result["churn"].tolist() == [0.0, 1.0, 0.0]


def test_rows_whose_outcome_is_not_known_are_left_out() -> None:
    groups = np.repeat([0, 1, 2], 50)
    values = np.where(groups == 2, np.nan, groups + GENERATOR.normal(0, 0.1, 150))
    whole = measured({"segments": groups}, {"return_share": values}, 1)["value"]
    known = measured({"segments": groups[:100]}, {"return_share": values[:100]}, 1)["value"]
    assert whole.tolist() == known.tolist()
    assert whole[0] > 0.9
    few = {"returned": np.where(np.arange(150) < 9, 1.0, np.nan)}
    assert measured({"segments": groups}, few, 1)["value"].isna().all()


def test_what_is_missing_is_told(purchases: Path) -> None:
    with (
        open_warehouse(purchases, read_only=True) as warehouse,
        pytest.raises(StudyError, match=r"validity.entity: silver.purchases has no column 'x'"),
    ):
        read_purchases(warehouse, SECTION, "x", date(2024, 1, 8))
    with pytest.raises(StudyError, match=r"study planted has no \[validity\]"):
        check_validity(planted_study(), purchases, 1, Silent())
    with duckdb.connect(str(purchases)) as database:
        database.execute("delete from silver.purchases where customer_id <> 'b'")
        database.execute("delete from silver.purchases where customer_id is null")
    with (
        open_warehouse(purchases, read_only=True) as warehouse,
        pytest.raises(DataError, match="less than two days"),
    ):
        split_day(warehouse, SECTION)
