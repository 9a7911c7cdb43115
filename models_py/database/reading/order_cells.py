"""Cells of an order that a log gives on the first of its lines alone, as exports of shops do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models_py.base.sql_text import literal
from models_py.database.reading.staging import Staged

LEAST_SHARE = 0.95
"""Share of the orders of several lines that must be written so."""
LEAST_GIVEN = 0.5
"""Share of the orders of several lines that must have a value at all."""
LEAST_BLANK = 0.05
"""Share of lines without any order from which on they are taken for further lines of one."""


@dataclass(frozen=True)
class OrderCells:
    """Which columns of a log say something of an order, and which of a line.

    Attributes
    ----------
    basket
        Column with the order, if there is one.
    keys
        Columns that every line must have: order, customer and time.
    others
        Columns that an order may have besides, such as a state or a currency.
    items
        Columns that say what was bought.
    """

    basket: str | None = None
    keys: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


def fill_order_cells(staged: Staged, cells: OrderCells) -> None:
    """Give every line what its order says on its first line, and note how many were given it.

    Two ways of writing are known. Lines without order, customer and time, which say what was
    bought, belong to the line above them. A column that most orders of several lines give once,
    on the first, is that of the order on its other lines. Anything else stays as it is.

    Parameters
    ----------
    staged
        A log whose rows of totals and remarks are left out already; its cells are changed.
    cells
        What its columns say.
    """
    if not set(cells.keys + cells.others + cells.items) <= set(staged.names):
        return
    _carry_down(staged, cells)
    if cells.basket is not None:
        for name in (*cells.keys, *cells.others):
            if name != cells.basket:
                _fill_within_order(staged, cells.basket, name)


def _is_blank(staged: Staged, name: str) -> str:
    column = staged.column(name)
    if staged.kind_of(column) != "VARCHAR":
        return f"{column} is null"
    return f"coalesce(trim({column}), '') = ''"


def _carry_down(staged: Staged, cells: OrderCells) -> None:
    if len(cells.keys) < 2 or not cells.items:
        return
    blank = [_is_blank(staged, name) for name in cells.keys]
    is_further = " and ".join(blank)
    has_item = " and ".join(f"not ({_is_blank(staged, name)})" for name in cells.items)
    ((rows, further, partly, itemless, first, example),) = staged.query(
        f"select count(*), count(*) filter ({is_further}),"
        f" count(*) filter (({' or '.join(blank)}) and not ({is_further})),"
        f" count(*) filter ({is_further} and not ({has_item})),"
        f" arg_min({is_further}, rowid), min(rowid) filter ({is_further})"
        f" from temp.{staged.table} where {staged.kept_rows}"
    )
    is_written_so = further > LEAST_BLANK * rows and partly <= (1.0 - LEAST_SHARE) * further
    if not is_written_so or itemless or first:
        return
    carried = [*cells.keys, *(c for c in cells.others if c not in cells.keys)]
    changes = ", ".join(
        f"{staged.column(name)} = case when {_is_blank(staged, name)} then heads.head{place}"
        f" else {staged.column(name)} end"
        for place, name in enumerate(carried)
    )
    chosen = ", ".join(
        f"above.{staged.column(name)} as head{place}" for place, name in enumerate(carried)
    )
    staged.query(
        f"with placed as (select rowid as line, max(rowid) filter (not ({is_further})) over"
        " (order by rowid rows between unbounded preceding and current row) as head,"
        f" {is_further} as is_further from temp.{staged.table} where {staged.kept_rows}),"
        f" heads as (select placed.line, {chosen} from placed"
        f" inner join temp.{staged.table} as above on above.rowid = placed.head"
        " where placed.is_further)"
        f" update temp.{staged.table} set {changes} from heads where rowid = heads.line"
    )
    staged.notes.append(
        f"{further:,} lines have neither {_listed(cells.keys)} (such as line"
        f" {staged.line(int(example)):,}): they are taken for further lines of the order above"
        " them, as exports of orders are written"
    )


def _fill_within_order(staged: Staged, basket: str, name: str) -> None:
    order, value, blank = staged.column(basket), staged.column(name), _is_blank(staged, name)
    orders = (
        f"select {order} as basket, count(*) as lines, count(*) filter (not ({blank})) as given,"
        f" arg_min({blank}, rowid) as is_late, any_value({value}) filter (not ({blank})) as said"
        f" from temp.{staged.table} where {staged.kept_rows}"
        f" and not ({_is_blank(staged, basket)}) group by 1 having lines > 1"
    )
    ((several, given, once),) = staged.query(
        "select count(*), count(*) filter (given > 0), count(*) filter (given = 1 and not is_late)"
        f" from ({orders})"
    )
    # A mark that few lines have, such as of what came back, is a line's and not an order's.
    if once < 2 or once < LEAST_SHARE * given or given < LEAST_GIVEN * several:
        return
    of_order = f"({orders} and given = 1 and not is_late) as orders"
    is_filled = f"{order} = orders.basket and ({blank}) and {staged.kept_rows}"
    ((filled, example),) = staged.query(
        f"select count(*), min(rowid) from temp.{staged.table}, {of_order} where {is_filled}"
    )
    staged.query(
        f"update temp.{staged.table} set {value} = orders.said from {of_order} where {is_filled}"
    )
    staged.notes.append(
        f"{literal(name)} stands on the first line of an order alone: {filled:,} further lines"
        f" (such as line {staged.line(int(example)):,}) have that of their order"
    )


def _listed(names: Sequence[str]) -> str:
    return " nor ".join(literal(name) for name in names)
