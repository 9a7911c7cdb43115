"""What the page to look around in asks of a room, as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.database.connection import Warehouse, quoted
from models_py.database.exploring import CUSTOMERS, Room

if TYPE_CHECKING:
    import pandas as pd


def gold_words(
    warehouse: Warehouse, table: tuple[str, str], column: str, most: int
) -> dict[str, int]:
    """Return the words of a gold column with their rows, the most frequent first."""
    return dict(
        warehouse.rows(
            f"select cast(gold.{quoted(column)} as varchar) as word, count(*)"
            f" from {quoted(*table)} as gold where word is not null"
            f" group by word order by count(*) desc, word limit {most}"
        )
    )


def first_customers(room: Room, most: int) -> pd.DataFrame:
    """Return some customers with every column."""
    return room.frame(f"select * from {CUSTOMERS} limit {most}")


def count_moves(room: Room) -> tuple[int, int, int]:
    """Return how many stayed in their segment, moved to another, and came anew."""
    ((stayed, moved, came),) = room.fetch(
        "select count(*) filter (_segment_before = _segment_id),"
        " count(*) filter (_segment_before <> _segment_id),"
        f" count(*) filter (_segment_before is null) from {CUSTOMERS}"
    )
    return int(stayed), int(moved), int(came)


def number_range(
    room: Room, column: str, edges: tuple[float, float]
) -> tuple[float | None, float | None, float | None, float | None]:
    """Return two quantiles of a number, its least and its largest value; None without any."""
    value = _number(column)
    ((low, high, least, most),) = room.fetch(
        f"select quantile_cont({value}, {edges[0]}), quantile_cont({value}, {edges[1]}),"
        f" min({value}), max({value}) from {CUSTOMERS} where isfinite({value})"
    )
    return low, high, least, most


def is_whole(room: Room, column: str) -> bool:
    """Tell whether every value of a number is whole."""
    value = _number(column)
    ((whole,),) = room.fetch(f"select bool_and({value} = floor({value})) from {CUSTOMERS}")
    return bool(whole)


def count_outside(room: Room, column: str, low: float, high: float) -> int:
    """Return how many customers lie under ``low``, or at ``high`` and beyond."""
    value = _number(column)
    ((count,),) = room.fetch(
        f"select count(*) from {CUSTOMERS} where {value} < {low!r} or {value} >= {high!r}"
    )
    return int(count)


def room_words(room: Room, column: str) -> list[str | bool | None]:
    """Return the words of a column, the most frequent first; None where some are not given."""
    counts = room.fetch(
        f"select {quoted(column)}, count(*) from {CUSTOMERS} group by 1 order by count(*) desc, 1"
    )
    return [word for word, _ in counts]


def count_where(room: Room, condition: str) -> int:
    """Return how many customers a condition holds for."""
    ((count,),) = room.fetch(f"select count(*) from {CUSTOMERS} where {condition}")
    return int(count)


def customers_where(room: Room, segment: str, condition: str) -> list[tuple[object, int]]:
    """Return the entity and the segment of the customers that a condition holds for."""
    return room.fetch(
        f"select {quoted(room.plan.entity)}, {segment} from {CUSTOMERS} where {condition}"
        " order by 1"
    )


def drawn_both_ways(room: Room, condition: str, others: int, selected: int) -> pd.DataFrame:
    """Return customers drawn by a hash of their entity: some selected, some not.

    Returns
    -------
    pandas.DataFrame
        The room's columns and ``_is_selected``.
    """
    plan = room.plan
    words = [f"cast({quoted(column)} as varchar) as {quoted(column)}" for column in plan.words]
    columns = ", ".join([*map(quoted, [*plan.numbers, *plan.answers]), *words])
    return room.frame(
        " union all ".join(
            f"(select {columns}, {flag} as _is_selected from {CUSTOMERS}"
            f" where coalesce({condition}, false) = {flag}"
            f" order by hash(cast({quoted(plan.entity)} as varchar)) limit {most})"
            for flag, most in (("false", others), ("true", selected))
        )
    )


def count_both(room: Room, rule: str, condition: str) -> tuple[int, int]:
    """Return how many customers a rule holds for, and for how many the condition as well."""
    ((held, both),) = room.fetch(
        f"select count(*) filter ({rule}), count(*) filter (({rule}) and ({condition}))"
        f" from {CUSTOMERS}"
    )
    return int(held), int(both)


def rule_statement(room: Room, rule: str) -> str:
    """Return a statement over gold that lists the entities that a rule holds for."""
    plan = room.plan
    table = quoted(plan.schema, plan.table)
    return f"select {quoted(plan.entity)}\nfrom {table}\nwhere {rule}"


def _number(column: str) -> str:
    return f"cast({quoted(column)} as double)"
