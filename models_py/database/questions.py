"""A question in a SQL file, asked read-only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models_py.base.errors import DataError, WarehouseError
from models_py.database.connection import open_warehouse


@dataclass(frozen=True)
class Question:
    """A SQL file: its text, its purpose (the first line) and the parameters that it reads."""

    path: Path
    sql: str

    @property
    def purpose(self) -> str:
        """The comment in the first line, or an empty string."""
        first = self.sql.lstrip("\ufeff").split("\n", 1)[0].strip()
        return first.removeprefix("--").strip() if first.startswith("--") else ""

    @property
    def why_empty(self) -> str:
        """What an answer without rows means: the comment ``-- Empty: ...``, or an empty string."""
        reason = re.search(r"^-- Empty: (.+)$", self.sql, re.MULTILINE)
        return reason[1].strip() if reason else ""

    @property
    def parameters(self) -> list[str]:
        """Names of the variables that the SQL reads, in order."""
        names = re.findall(r"getvariable\(\s*'(\w+)'\s*\)", self.sql, re.IGNORECASE)
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Answer:
    """Column names and rows; ``more`` says whether a limit cut the rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    more: bool = False


def ask(
    question: Question,
    warehouse_path: Path | None = None,
    values: dict[str, object] | None = None,
    limit: int | None = None,
    *,
    reads_files: bool = False,
) -> Answer:
    """Run a question read-only.

    Parameters
    ----------
    question
        The SQL file; its last statement gives the rows.
    warehouse_path
        The DuckDB file; the one of the home by default.
    values
        Parameters by name.
    limit
        Rows to fetch at most.
    reads_files
        Let the SQL look at files, at the network and into DuckDB's extensions too.

    Raises
    ------
    WarehouseError
        There is no warehouse, or it lacks what the question reads.
    DataError
        The SQL is wrong or its columns cannot be distinguished.
    """
    with open_warehouse(warehouse_path, read_only=True) as warehouse:
        for name, value in (values or {}).items():
            warehouse.raw.execute(
                f"set variable {warehouse.quote(name)} = $value", {"value": value}
            )
        if not reads_files:
            warehouse.rows("set enable_external_access = false")
            warehouse.rows("set lock_configuration = true")
        answer = _fetch(question, warehouse.raw, limit)
    twice = {name for name in answer.columns if answer.columns.count(name) > 1}
    if twice:
        raise DataError(
            f"{question.path.name}: column '{min(twice)}' is there twice; give one another name"
        )
    return answer


def _fetch(question: Question, raw: Any, limit: int | None) -> Answer:
    import duckdb

    try:
        cursor = raw.execute(question.sql)
        if cursor is None or cursor.description is None:
            raise DataError(f"{question.path.name}: holds no query")
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1)
    except duckdb.CatalogException as error:
        raise WarehouseError(
            f"{_explain(question, error)}; build the tables with 'dbt build --project-dir "
            "warehouse', find segments with 'python scripts/run_clustering.py'"
        ) from error
    except duckdb.PermissionException as error:
        raise DataError(
            f"{_explain(question, error)}: a question reads the warehouse only; to let it"
            " read files and the network, say --allow-files"
        ) from error
    except duckdb.Error as error:
        raise DataError(_explain(question, error)) from error
    return Answer(columns, rows[:limit], limit is not None and len(rows) > limit)


def _explain(question: Question, error: Exception) -> str:
    """Return DuckDB's first sentence with the line of the file."""
    text = str(error).strip() or type(error).__name__
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    place = f", line {line[1]}" if line else ""
    return f"{question.path.name}{place}: {text.splitlines()[0].rstrip('.!')}"
