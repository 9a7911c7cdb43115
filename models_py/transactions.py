"""Customers' features from a transaction log of the user's own, by the warehouse's own macros."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass

from models_py.base import settings
from models_py.base.errors import WarehouseError


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
    product, category, basket
        Columns that it may have; without a basket a customer's lines of a day are one order.
    """

    schema: str
    table: str
    name: str
    customer: str
    time: str
    amount: str
    product: str | None = None
    category: str | None = None
    basket: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Option of the command to the column, of those that are given."""
        given = {
            "--customer": self.customer,
            "--time": self.time,
            "--amount": self.amount,
            "--product": self.product,
            "--category": self.category,
            "--basket": self.basket,
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


def build_customers(log: TransactionLog) -> str:
    """Build ``gold.<name>_customers`` with dbt and return its name without the schema.

    The warehouse must not be open in this process: dbt writes it from one of its own.

    Raises
    ------
    WarehouseError
        The build or one of its tests failed; the message has dbt's first line on it.
    """
    project, written = str(settings.dbt_project_dir()), str(settings.home() / "data" / "dbt")
    command = ["build", "--selector", "custom", "--vars", json.dumps(log.variables)]
    folders = ["--project-dir", project, "--profiles-dir", project]
    outputs = ["--target-path", written, "--log-path", written]
    dbt = [sys.executable, "-c", "from dbt.cli.main import cli; cli()"]
    ended = subprocess.run(
        [*dbt, "--quiet", "--no-use-colors", *command, *folders, *outputs],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise WarehouseError(f"dbt build --selector custom failed: {_told(ended.stdout)}")
    return f"{log.name}_customers"


def _told(output: str) -> str:
    lines = [re.sub(r"^\d\d:\d\d:\d\d\s*", "", line).strip() for line in output.splitlines()]
    told = [line for line in lines if "Error" in line or "ERROR" in line or "FAIL" in line]
    return (told or [line for line in lines if line] or ["it said nothing"])[0]
