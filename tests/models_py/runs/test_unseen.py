"""What a run says of customers that it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from tests.models_py.runs.planted_house import customers, run, saved, study, write_gold

from models_py.base import settings
from models_py.commands import check_drift, score_customers
from models_py.runs.saved import SavedRun
from models_py.runs.unseen import unseen_values, why_not_scored


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SavedRun]:
    folder = tmp_path_factory.mktemp("unseen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        loaded = saved(run(study(), customers()).run_id)
    return folder, loaded


@pytest.fixture
def house(finished: tuple[Path, SavedRun], monkeypatch: pytest.MonkeyPatch) -> SavedRun:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(finished[0]))
    return finished[1]


def odd_customers() -> pd.DataFrame:
    """Customers with every kind of value that the run never saw."""
    frame = customers(60, seed=9)
    flags = dict.fromkeys(frame.select_dtypes("bool"), "boolean")
    frame = frame.astype(flags)
    frame.loc[:4, "favourite_channel"] = "fax"
    frame.loc[5, "spend_amount"] = np.inf
    frame.loc[6, "spend_amount"] = -np.inf
    frame.loc[7, "spend_amount"] = 1e9
    frame.loc[8, "spend_amount"] = -4.0
    frame.loc[9, "spend_amount"] = np.nan
    frame["days_since_visit"] = np.nan
    return frame


def test_the_runs_own_customers_are_all_known(house: SavedRun) -> None:
    frame = customers()
    assert unseen_values(house, frame) == []
    assert (why_not_scored(house, frame) == "").all()
    assert house.score(frame)["note"].isna().all()


def test_every_column_with_something_new_has_a_line(house: SavedRun) -> None:
    found = {(one.column, one.kind): one for one in unseen_values(house, odd_customers())}
    assert found["favourite_channel", "category"].rows == 5
    assert "never saw ('fax')" in found["favourite_channel", "category"].words
    assert found["spend_amount", "infinite"].rows == 2
    assert found["spend_amount", "outside"].rows == 2
    assert found["spend_amount", "missing"].rows == 1
    assert "no row has a value" in found["days_since_visit", "missing"].words


def test_rows_that_cannot_be_scored_have_no_segment(house: SavedRun) -> None:
    frame = odd_customers()
    frame.loc[20, house.columns] = None
    scored = house.score(frame)
    assert list(scored.index) == list(frame.index)
    left = scored[scored["segment_id"].isna()]
    assert left["note"].to_dict() == {
        5: "spend_amount is infinite",
        6: "spend_amount is infinite",
        20: "no feature has a value",
    }
    assert scored.loc[0, "note"] == "favourite_channel never seen"
    assert scored.loc[7, "note"] == "spend_amount outside the run's"
    assert scored.loc[9, "segment_id"] > 0


def commanded(capsys: pytest.CaptureFixture[str], command: Any, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert command.main(["--study", "shop", "--json", *words]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_commands_say_it_and_use_the_entitys_own_column(
    house: SavedRun, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    frame = odd_customers()
    write_gold(settings.warehouse_path(), frame, "gold.odd_customers")
    out = tmp_path / "scores.csv"
    told = commanded(capsys, score_customers, "--input", "gold.odd_customers", "--output", str(out))
    assert told["entity"] == "customer_id"
    assert [row["customers"] for row in told["not_scored"]] == [2]
    assert told["not_scored"][0]["first"] == ["C00006", "C00007"]
    assert any("'fax'" in line for line in told["unseen"])
    assert all(row["segment_name"] for row in told["segments"])
    scores = pd.read_csv(out).set_index("customer_id")
    assert scores["segment_id"].isna().sum() == 2
    assert scores["segment_name"].isna().sum() == 2

    commanded(capsys, score_customers, "--input", "gold.odd_customers")
    with duckdb.connect(str(settings.warehouse_path()), read_only=True) as database:
        counted = database.execute("select count(*), count(segment_id) from results.scores")
        assert counted.fetchone() == (58, 58)

    drift = commanded(capsys, check_drift, "--input", "gold.odd_customers")
    assert drift["unseen"] == told["unseen"]
    assert drift["not_scored"] == ["2 of 60 rows: spend_amount is infinite"]
