"""Planted customers whose runs fill every part of the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from planted_gold import gold_customers, planted_study

from models_py.base.progress import Silent
from models_py.database.connection import quoted
from models_py.pipeline import Finished, run_study
from models_py.studies.study import Study

AWKWARD = "A & B <script>alert('x')</script>"
"""A category that would run as a script where it is not escaped."""

MARCH, FEW_IN_MARCH = 2, 3
"""The month in which so few of one kind bought that their spend would be that of single ones."""


@dataclass(frozen=True)
class Reported:
    """A run with a report.

    Attributes
    ----------
    ids
        Every customer's id.
    """

    warehouse: Path
    run_id: str
    page: Path
    ids: list[str]

    @property
    def html(self) -> str:
        return self.page.read_text(encoding="utf-8")


def customers(rows: int = 360, seed: int = 1) -> pd.DataFrame:
    """Customers with words, missing values and ids that nothing else on a page looks like."""
    frame = gold_customers(rows, seed)
    generator = np.random.default_rng(seed)
    frame["customer_id"] = [f"QX{number:05d}ZW" for number in range(rows)]
    frame["home"] = np.where(frame["planted"] == "big", AWKWARD, "flat")
    frame["region"] = generator.choice(["north", "south", "west"], rows)
    frame.loc[generator.random(rows) < 0.1, "discount_share"] = np.nan
    return frame


def write_gold(path: Path, frame: pd.DataFrame) -> Path:
    """Put customers into the gold table in place of those that are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema if not exists gold")
        database.register("given", frame)
        database.execute("create or replace table gold.grocery_customers as select * from given")
    return path


def write_purchases(path: Path, frame: pd.DataFrame) -> None:
    """Put down what the customers bought, month by month; few of one kind did so in March."""
    is_big = frame["planted"] == "big"
    few = frame.index[is_big][:FEW_IN_MARCH]
    months = pd.date_range("2025-01-01", periods=7, freq="MS")
    parts = []
    for place, month in enumerate(months):
        buyers = frame if place != MARCH else frame[~is_big | frame.index.isin(few)]
        for on in (month, month + pd.offsets.MonthEnd(0)):
            amount = buyers["spend_amount"] * (place + 1) / 60
            rows = {"customer_id": buyers["customer_id"], "ordered_at": on, "spend_amount": amount}
            parts.append(pd.DataFrame(rows))
    with duckdb.connect(str(path)) as database:
        database.execute("create schema if not exists silver")
        database.register("given", pd.concat(parts))
        database.execute("create or replace table silver.grocery_sales as select * from given")


def study(**changes: Any) -> Study:
    """A quick study of them with measures."""
    measures = {"measures": ["spend_amount", "basket_count", "recency_days"]}
    return planted_study(**{"describe": measures} | changes)


def run(path: Path, recipe: Study, seed: int = 7) -> Finished:
    """Run a study on the warehouse."""
    return run_study(recipe, path, seed, Silent())


def put_rows(path: Path, table: str, rows: pd.DataFrame) -> None:
    """Add rows to a table of the results by column name."""
    listed = ", ".join(quoted(str(column)) for column in rows.columns)
    with duckdb.connect(str(path)) as database:
        database.register("given", rows)
        database.execute(f"insert into results.{table} ({listed}) select * from given")
