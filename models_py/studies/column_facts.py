"""What the columns of a table hold, as roles are guessed from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


@dataclass(frozen=True)
class Relation:
    """Another column that says nearly all of this one.

    Attributes
    ----------
    name
        The other column.
    kind
        ``"copy"`` where each says the other, ``"follows"`` where the other says this one.
    share
        Rows for which it does, or the correlation of two numbers.
    """

    name: str
    kind: Literal["copy", "follows"]
    share: float


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds.

    Attributes
    ----------
    name, type
        As the table has them.
    rows, known, distinct
        Rows of the table, those where the column is not null, and its distinct values.
    lowest, highest
        As text; None where every value is null.
    values
        The most common values as text, at most eight.
    top_share
        Share of the known rows that have the most common one.
    same_as_id
        Rows where it is equal, as text, to the entity's column.
    times
        Of a text column: rows that hold a date or a time.
    label_share
        Share of the rows whose label is the most common one for their value of this column;
        None without a label.
    low, high
        Of a column of numbers: its lowest values from below and its highest from above, at most
        five, each with the rows that have it.
    relations
        Other columns that say nearly all of this one.
    """

    name: str
    type: str
    rows: int
    known: int
    distinct: int
    lowest: str | None
    highest: str | None
    values: tuple[str, ...]
    top_share: float
    same_as_id: int
    times: int
    label_share: float | None
    low: tuple[tuple[float, int], ...] = ()
    high: tuple[tuple[float, int], ...] = ()
    relations: tuple[Relation, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type.removeprefix("U").startswith(NUMBERS) and not self.type.endswith("]")

    @property
    def is_enum(self) -> bool:
        """Whether it is of a type with named values."""
        return self.type.startswith("ENUM") and not self.type.endswith("]")

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers, of whatever type."""
        if self.type.removeprefix("U").startswith(WHOLE):
            return True
        ends = [value for value, _ in (*self.low, *self.high)]
        shown = [float(value) for value in self.values] if self.is_number else []
        return self.is_number and bool(ends) and all(v == int(v) for v in [*ends, *shown])
