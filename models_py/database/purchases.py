"""What each entity bought and sent back before a day and from it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from models_py.base.errors import DataError, StudyError
from models_py.database.connection import Warehouse

if TYPE_CHECKING:
    import pandas as pd

    from models_py.studies.study import Log, Study, Validity

GRAINS = {"month": 150, "week": 28}
"""Periods by which spending is summed, and the days of purchases from which on each is."""

SLACK_DAYS = {"month": 2, "week": 0, "day": 0}
"""Days without a purchase at either end that leave a period whole: shops close."""

FEWEST_PERIODS = 4


@dataclass(frozen=True)
class Purchases:
    """What each entity did before and after the split.

    Attributes
    ----------
    split_on
        The first day of the next period.
    frame
        Index the entity as text; ``last_on``, ``visits`` and ``spend`` before the split,
        ``next_visits`` and ``next_spend`` from it on, ``next_returned`` where returns are known.
    """

    split_on: date
    frame: pd.DataFrame


def split_day(warehouse: Warehouse, section: Validity) -> date:
    """Return the first day of the next period: past ``share`` of the days that there are.

    Raises
    ------
    DataError
        The purchases span less than two days.
    """
    time = f"cast({warehouse.quote(section.time)} as date)"
    ((first, last),) = warehouse.rows(
        f"select min({time}), max({time}) from {warehouse.quote(*section.schema_and_name)}"
    )
    if first is None or first == last:
        raise DataError(f"{section.table} spans less than two days: there is no next period")
    days = (last - first).days + 1
    return date.fromordinal(first.toordinal()) + timedelta(
        days=min(max(round(section.share * days), 1), days - 1)
    )


def read_purchases(
    warehouse: Warehouse, section: Validity, entity: str, split_on: date
) -> Purchases:
    """Add up what each entity bought before the split and from it on.

    Raises
    ------
    StudyError
        A column is not there.
    """
    _check_columns(warehouse, section, entity, "validity")
    day = f"cast({warehouse.quote(section.time)} as date)"
    amount = f"cast({warehouse.quote(section.amount)} as double)"
    frame = warehouse.frame(
        f"select cast({warehouse.quote(entity)} as varchar) as entity,"
        f" max({day}) filter ({day} < ?) as last_on,"
        f" count(distinct {day}) filter ({day} < ?) as visits,"
        f" coalesce(sum({amount}) filter ({day} < ?), 0) as spend,"
        f" count(distinct {day}) filter ({day} >= ?) as next_visits,"
        f" coalesce(sum({amount}) filter ({day} >= ?), 0) as next_spend"
        f" from {warehouse.quote(*section.schema_and_name)}"
        f" where {warehouse.quote(entity)} is not null group by 1 order by 1",
        [split_on] * 5,
    )
    purchases = frame.set_index("entity")
    if section.returns is not None:
        returned = _read_returned(warehouse, section.returns, entity, split_on)
        purchases["next_returned"] = returned.reindex(purchases.index).fillna(0.0)
    return Purchases(split_on, purchases)


def _read_returned(warehouse: Warehouse, log: Log, entity: str, split_on: date) -> pd.Series[float]:
    """Add up what each entity sent back from the split on."""
    _check_columns(warehouse, log, entity, "validity.returns")
    frame = warehouse.frame(
        f"select cast({warehouse.quote(entity)} as varchar) as entity,"
        f" sum(cast({warehouse.quote(log.amount)} as double)) as returned"
        f" from {warehouse.quote(*log.schema_and_name)}"
        f" where cast({warehouse.quote(log.time)} as date) >= ?"
        f" and {warehouse.quote(entity)} is not null group by 1 order by 1",
        [split_on],
    )
    return frame.set_index("entity")["returned"]


def _check_columns(warehouse: Warehouse, log: Log, entity: str, section: str) -> None:
    types = warehouse.columns(*log.schema_and_name)
    for key, column in (("entity", entity), ("time", log.time), ("amount", log.amount)):
        if column not in types:
            raise StudyError(f"{section}.{key}: {log.table} has no column '{column}'")


def purchase_log(warehouse: Warehouse, study: Study) -> tuple[Log, str] | None:
    """Return where the purchases of a study's rows stand and the column of who bought.

    They are those of the study's ``validity``; without it, those that a table of customers was
    made from, where it was made from a log. None where there are none.
    """
    from models_py.studies.study import Log

    name = study.schema_and_name[1].removesuffix("_customers")
    made_from = Log(table=f"silver.{name}_sales", time="ordered_at", amount="spend_amount")
    log: Log = study.validity or made_from
    own = None if study.validity is None else study.validity.entity
    entity = own or study.entity
    if log.table not in warehouse.relations():
        return None
    known = warehouse.columns(*log.schema_and_name)
    return (log, entity) if {log.time, log.amount, entity} <= set(known) else None


def read_spending(warehouse: Warehouse, log: Log, entity: str, run_id: str) -> pd.DataFrame:
    """Add up what each segment of a run spent, by month, week or day, as the period is long.

    Periods that the purchases cover in part, at either end, are left out.

    Parameters
    ----------
    warehouse
        The open warehouse.
    log
        Where the purchases stand.
    entity
        The log's column of who bought.
    run_id
        The run whose segments are meant.

    Returns
    -------
    pandas.DataFrame
        ``segment_id``, ``period`` (its first day), ``buyers`` and ``amount``. Empty where
        fewer than ``FEWEST_PERIODS`` are whole.
    """
    # A line without a day or an amount is left out: the page does not fail over it.
    day = f"try_cast({warehouse.quote(log.time)} as date)"
    amount = f"try_cast({warehouse.quote(log.amount)} as double)"
    source = warehouse.quote(*log.schema_and_name)
    ((first, last),) = warehouse.rows(f"select min({day}), max({day}) from {source}")
    if first is None:
        import pandas as pd

        return pd.DataFrame(columns=["segment_id", "period", "buyers", "amount"])
    span = (last - first).days + 1
    unit = next((name for name, least in GRAINS.items() if span >= least), "day")
    frame = warehouse.frame(
        f"select segment_id, date_trunc('{unit}', {day}) as period,"
        f" count(distinct {warehouse.quote(entity)}) as buyers, sum({amount}) as amount"
        f" from {source} join results.assignments"
        f" on entity_id = cast({warehouse.quote(entity)} as varchar) and run_id = ?"
        f" where date_trunc('{unit}', {day}) >= ? - {SLACK_DAYS[unit]}"
        f" and date_trunc('{unit}', {day}) + interval 1 {unit} <= ? + 1 + {SLACK_DAYS[unit]}"
        " group by all order by all",
        [run_id, first, last],
    )
    return frame if frame["period"].nunique() >= FEWEST_PERIODS else frame.iloc[:0]
