"""Customers' features from a transaction log of the user's own, by the warehouse's own macros."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TransactionLog:
    """A table with one row per line bought or sent back.

    Attributes
    ----------
    schema, table
        Where it stands.
    name
        What its relations are called: ``gold.<name>_customers``.
    customer, time, amount
        Columns that it must have; an amount below 0 is a return.
    product, category, channel, basket
        Columns that it may have; without a basket a customer's lines of a day are one order.
    quantity
        Column with whole units, if there is one; without it a line is one unit.
    """

    schema: str
    table: str
    name: str
    customer: str
    time: str
    amount: str
    product: str | None = None
    category: str | None = None
    channel: str | None = None
    basket: str | None = None
    quantity: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Option of the command to the column, of those that are given."""
        given = {
            "--customer": self.customer,
            "--time": self.time,
            "--amount": self.amount,
            "--product": self.product,
            "--category": self.category,
            "--channel": self.channel,
            "--basket": self.basket,
            "--quantity": self.quantity,
        }
        return {option: column for option, column in given.items() if column is not None}

    @property
    def variables(self) -> dict[str, str]:
        """The dbt variables that name the log and its columns."""
        columns = {f"custom_{key.removeprefix('--')}": name for key, name in self.columns.items()}
        return {
            "custom_schema": self.schema,
            "custom_table": self.table,
            "custom_name": self.name,
            **columns,
        }
