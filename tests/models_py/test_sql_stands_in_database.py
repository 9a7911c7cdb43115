"""SQL and DuckDB stand in ``models_py/database`` alone, with the exceptions named here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "models_py"
STATEMENT = re.compile(
    r"\bselect\b.*\bfrom\b|\binsert into\b|\bdelete from\b|\b(create|alter|drop) (table|view)\b",
    re.IGNORECASE | re.DOTALL,
)
ALLOWED = {
    "commands/run_sql.py": "it takes SQL itself, and shows an example of it",
    "sources/dbt_plugin.py": "dbt hands the plugin its own cursor to set the folders on",
}


def traces(source: str) -> Iterator[str]:
    """Tell what of a module speaks to DuckDB, with its line."""
    tree = ast.parse(source)
    bodies = (n for n in ast.walk(tree) if isinstance(n, ast.Expr))
    documentation = {id(n.value) for n in bodies if isinstance(n.value, ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            module = getattr(node, "module", None) or ""
            if "duckdb" in [*names, module]:
                yield f"line {node.lineno} imports duckdb"
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "warehouse.raw":
            yield f"line {node.lineno} uses the raw connection"
        called = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
        if called in {"execute", "executemany"}:
            yield f"line {node.lineno} calls .{called}"
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "x" for p in node.values]
            if STATEMENT.search("".join(map(str, parts))):
                yield f"line {node.lineno} writes SQL"
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation and STATEMENT.search(node.value):
            yield f"line {node.lineno} writes SQL"


def outside() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if PACKAGE / "database" not in p.parents]


def test_sql_stands_in_database_alone() -> None:
    marked = {
        path.relative_to(PACKAGE).as_posix(): list(traces(path.read_text(encoding="utf-8")))
        for path in outside()
    }
    assert {name: marks for name, marks in marked.items() if marks and name not in ALLOWED} == {}
    assert {name for name in ALLOWED if not marked[name]} == set()


@pytest.mark.parametrize(
    "line",
    [
        "import duckdb",
        "from duckdb import connect",
        "connection.execute(statement)",
        "read(warehouse.raw)",
        "statement = f'select {column} from {table}'",
        "statement = 'delete from runs'",
    ],
)
def test_a_trace_is_seen(line: str) -> None:
    assert list(traces(line))


def test_a_docstring_is_no_trace() -> None:
    assert not list(traces('"""Select rows from a table."""'))
