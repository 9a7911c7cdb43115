"""What each segment spent by period: whole periods alone, by month, week or day."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from models_py.database.connection import open_warehouse
from models_py.database.purchases import read_spending
from models_py.studies.study import Log

LOG = Log(table="silver.lines", time="bought_on", amount="amount")


def spending(path: Path, days: list[str | None]) -> pd.DataFrame:
    """Read what two customers of two segments spent, who bought for 2 and 3 on each day."""
    lines = [(i, day, amount) for day in days for i, amount in ((1, "2"), (2, "3"), (2, "none"))]
    frame = pd.DataFrame(lines, columns=["customer", "bought_on", "amount"])
    with duckdb.connect(str(path)) as database:
        database.register("given", frame)
        database.execute("create schema silver; create schema results")
        database.execute("create table silver.lines as select * from given")
        database.execute(
            "create table results.assignments as"
            " select 'r' as run_id, i::varchar as entity_id, i as segment_id from range(1, 3) t(i)"
        )
    with open_warehouse(path, read_only=True) as warehouse:
        return read_spending(warehouse, LOG, "customer", "r")


@pytest.mark.parametrize(
    ("first", "last", "unit", "lengths"),
    [
        ("2025-01-15", "2025-07-20", "MS", [28, 31, 30, 31, 30]),
        ("2025-01-08", "2025-02-12", "W-MON", [7, 7, 7, 7]),
        ("2025-01-08", "2025-01-12", "D", [1, 1, 1, 1, 1]),
    ],
    ids=["month", "week", "day"],
)
def test_periods_that_are_whole(
    tmp_path: Path, first: str, last: str, unit: str, lengths: list[int]
) -> None:
    days = pd.date_range(first, last).strftime("%Y-%m-%d")
    rows = spending(tmp_path / "w.duckdb", [*days, "no day", None])
    begun = pd.date_range(first, last, freq=unit)[: len(lengths)]
    assert set(rows["buyers"]) == {1}
    for segment_id, daily in ((1, 2.0), (2, 3.0)):
        own = rows[rows["segment_id"] == segment_id]
        assert pd.to_datetime(own["period"]).tolist() == begun.tolist()
        assert own["amount"].tolist() == [daily * length for length in lengths]


@pytest.mark.parametrize("days", [["2025-01-08", "2025-01-09"], ["no day"]])
def test_too_short_to_draw(tmp_path: Path, days: list[str | None]) -> None:
    assert spending(tmp_path / "w.duckdb", days).empty
