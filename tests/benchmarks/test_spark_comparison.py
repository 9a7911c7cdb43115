"""The comparison of both engines sees whatever differs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from spark import Compared, compare

ROWS = """
select 'a' as id, 2::bigint as visits, 0.5::double as share, null::double as spread
union all select 'b', 3, 1e6, 2.0
"""
BOTH = "select * from gold.customers"


def compared(folder: Path, theirs: str) -> Compared:
    """Compare ROWS with what a query over them makes of it, in a file as Spark leaves it."""
    with duckdb.connect() as database:
        database.execute("create schema gold")
        database.execute(f"create table gold.customers as {ROWS}")
        database.execute(f"copy ({theirs}) to '{folder / 'part-0.parquet'}'")
        return compare(database, "gold", "customers", folder)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ("select id, visits::int as visits, share, spread", "visits is BIGINT and INTEGER"),
        ("select visits, id, share, spread", "columns in another order"),
        ("select id, visits, share", "columns ['spread']"),
        ("select id, visits + (id = 'b')::bigint as visits, share, spread", "1 rows of DuckDB"),
        ("select id, visits, share * (1 + 2e-9) as share, spread", "share by 2.0e-09"),
        ("select id, visits, share, coalesce(spread, 0) as spread", "spread by inf"),
    ],
)
def test_a_difference_is_said(tmp_path: Path, theirs: str, said: str) -> None:
    seen = compared(tmp_path, f"{theirs} from gold.customers")
    assert any(said in difference for difference in seen.differences)


def test_a_row_too_many_is_said(tmp_path: Path) -> None:
    twice = compared(tmp_path, f"{BOTH} union all {BOTH} where id = 'a'")
    assert twice.differences == ("1 rows of Spark alone",)


def test_a_relation_that_spark_lacks_is_said() -> None:
    with duckdb.connect() as database:
        database.execute("create schema gold")
        database.execute(f"create table gold.customers as {ROWS}")
        assert compare(database, "gold", "customers", None).differences == (
            "Spark has no such relation",
        )


def test_rows_in_another_order_and_the_last_digit_are_equal(tmp_path: Path) -> None:
    theirs = "select id, visits, share * (1 + 1e-15) as share, spread from gold.customers"
    seen = compared(tmp_path, f"{theirs} order by id desc")
    assert seen == Compared("gold.customers", 2, 4, (), seen.largest_difference)
    assert seen.largest_difference < 1e-14
