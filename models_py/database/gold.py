"""Reading the table that a study names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models_py.base.errors import DataError, StudyError, near_match
from models_py.database.connection import Warehouse, quoted, warehouse_errors

if TYPE_CHECKING:
    import pandas as pd

NO_BOUNDS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class GoldRows:
    """Rows read for a run.

    Attributes
    ----------
    frame
        One row per entity, ordered by it or as asked; every column that was asked for, the
        entity as text.
    entity_type
        DuckDB type of the entity column.
    fingerprint
        Changes with any value of any row read; not with their order. Empty for rows drawn.
    """

    frame: pd.DataFrame
    entity_type: str
    fingerprint: str


def read_gold(
    warehouse: Warehouse,
    schema: str,
    name: str,
    entity: str,
    columns: Sequence[str],
    where: Mapping[str, Sequence[str]],
    at_least: Mapping[str, float],
    order_by: str | None = None,
    most: int | None = None,
    *,
    under: Mapping[str, float] = NO_BOUNDS,
    check_size: Callable[[int, int], None] | None = None,
) -> GoldRows:
    """Read columns of one table, ordered by the entity.

    Parameters
    ----------
    warehouse
        The open warehouse.
    schema, name
        The table or view.
    entity
        Column that tells rows apart.
    columns
        Columns wanted beside it.
    where
        Column to the values (as text) that a row may have there.
    at_least
        Column to the least number that a row must have there.
    order_by
        Column to order by, the entity after it.
    most
        Rows to read at most: those whose entities have the lowest hashes, whatever their order.
    under
        Column to the number that a row must be under there.
    check_size
        Is given how many rows and columns there are before any is read, and may refuse them.

    Raises
    ------
    StudyError
        A column is not in the table, or no number where a least number is asked for.
    DataError
        No row is left, or an entity is null or stands twice.
    """
    types = warehouse.columns(schema, name)
    wanted = list(dict.fromkeys([entity, *columns]))
    ordered = [entity] if order_by is None else [order_by, entity]
    for column in [*wanted, *where, *at_least, *under, *ordered]:
        if column not in types:
            raise StudyError(f"{schema}.{name} has no column '{column}'{near_match(column, types)}")
    for key, column in [*(("at_least", c) for c in at_least), *(("under", c) for c in under)]:
        if not is_number_type(types[column]):
            raise StudyError(
                f"{key}.{column}: {schema}.{name} holds {types[column]} there, not a number"
            )
    # As text, ids keep every digit: pandas would make floating numbers of the widest integers.
    key = warehouse.quote(entity)
    quoted = ", ".join(
        [f"cast({key} as varchar) as {key}", *(warehouse.quote(column) for column in wanted[1:])]
    )
    conditions, values = conditions_on(where, at_least, under)
    if check_size is not None:
        counted = f"select count(*) from {warehouse.quote(schema, name)}{conditions}"
        check_size(int(warehouse.rows(counted, values)[0][0]), len(wanted))
    source = f"select {quoted} from {warehouse.quote(schema, name)} as read_table{conditions}"
    if most is not None:
        # The lowest hashes are kept as the table goes by: it is neither sorted nor held whole.
        drawn = (
            f"select read_table.{key} from {warehouse.quote(schema, name)} as read_table"
            f"{conditions} order by hash(read_table.{key}), read_table.{key} limit {most}"
        )
        joint = "and" if conditions else "where"
        source += f" {joint} read_table.{key} in ({drawn})"
        values = [*values, *values]
    order = ", ".join(f"read_table.{warehouse.quote(column)}" for column in ordered)
    frame = warehouse.frame(f"{source} order by {order}", values)
    _check_entities(frame[entity], f"{schema}.{name}", entity)
    if most is not None:
        return GoldRows(frame, types[entity], "")
    summed = warehouse.rows(
        f"select count(*), sum(hash(cast(read_rows as varchar))::hugeint) from ({source})"
        " as read_rows",
        values,
    )
    return GoldRows(frame, types[entity], "{}-{:x}".format(*summed[0]))


def evaluate(
    warehouse: Warehouse,
    schema: str,
    name: str,
    entity: str,
    where: Mapping[str, Sequence[str]],
    at_least: Mapping[str, float],
    expressions: Mapping[str, str],
    *,
    under: Mapping[str, float] = NO_BOUNDS,
) -> pd.DataFrame:
    """Return what SQL expressions give on the rows that :func:`read_gold` reads.

    Parameters
    ----------
    warehouse, schema, name, entity, where, at_least, under
        As there.
    expressions
        Column of the answer to the expression, which may name the table's columns.

    Returns
    -------
    pandas.DataFrame
        The entity as text is its index.

    Raises
    ------
    WarehouseError
        An expression does not run there.
    """
    wanted = ", ".join(
        f"{expression} as {warehouse.quote(column)}" for column, expression in expressions.items()
    )
    conditions, values = conditions_on(where, at_least, under)
    answers = warehouse.frame(
        f"select cast({warehouse.quote(entity)} as varchar) as read_entity, {wanted}"
        f" from {warehouse.quote(schema, name)}{conditions}",
        values,
    )
    return answers.set_index("read_entity")


def evaluate_frame(
    frame: pd.DataFrame, entity: str, expressions: Mapping[str, str]
) -> pd.DataFrame:
    """Return what :func:`evaluate` gives, on rows that were read before.

    Raises
    ------
    WarehouseError
        An expression does not run there.
    """
    import duckdb

    wanted = ", ".join(f"{sql} as {quoted(column)}" for column, sql in expressions.items())
    with duckdb.connect() as raw, warehouse_errors(Path("the gold rows")):
        raw.register("gold_rows", frame)
        answers: pd.DataFrame = raw.execute(
            f"select {quoted(entity)} as read_entity, {wanted} from gold_rows"
        ).df()
    return answers.set_index("read_entity")


def conditions_on(
    where: Mapping[str, Sequence[str]], at_least: Mapping[str, float], under: Mapping[str, float]
) -> tuple[str, list[object]]:
    """Return which rows :func:`read_gold` reads as a ``where``, and the values to bind in it."""
    conditions = [
        f"cast({quoted(column)} as string) in ({', '.join('?' * len(allowed))})"
        for column, allowed in where.items()
    ] + [f"{quoted(column)} >= ?" for column in at_least]
    conditions += [f"{quoted(column)} < ?" for column in under]
    allowed_values = [value for allowed in where.values() for value in allowed]
    values = [*allowed_values, *at_least.values(), *under.values()]
    return f" where {' and '.join(conditions)}" if conditions else "", values


def is_number_type(column_type: str) -> bool:
    """Whether a DuckDB type is a number that can be compared with another."""
    kinds = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
    return column_type.removeprefix("U").startswith(kinds)


def _check_entities(entities: pd.Series[Any], table: str, entity: str) -> None:
    if entities.empty:
        raise DataError(f"{table} has no rows for the study: build it, or widen the study's where")
    if entities.isna().any():
        raise DataError(f"{table}.{entity} is null on {int(entities.isna().sum())} rows")
    twice = entities[entities.duplicated()]
    if not twice.empty:
        raise DataError(
            f"{table}.{entity} has '{twice.iloc[0]}' more than once"
            f" ({twice.size} rows too many): a study needs one row per entity"
        )


def read_columns(
    warehouse: Warehouse, schema: str, name: str, entity: str, columns: Sequence[str]
) -> pd.DataFrame:
    """Return columns of a table as they are, beside its entity as text."""
    key = warehouse.quote(entity)
    listed = "".join(f", {warehouse.quote(column)}" for column in columns)
    return warehouse.frame(
        f"select cast({key} as varchar) as {key}{listed} from {warehouse.quote(schema, name)}"
    )
