"""The ways to the readers' copy that sql/README.md names, as dashboards take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from sqlalchemy import Engine, MetaData, Table, create_engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from models_py.base import settings
from models_py.database.share import share, share_file

README = (settings.repository() / "sql" / "README.md").read_text(encoding="utf-8")
EXAMPLE = "/full/path/data/share/segmenthouse.duckdb"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clients") / "segmenthouse.duckdb"
    write(path, 0)
    share(path)
    return share_file(path)


def write(path: Path, first: int) -> None:
    with duckdb.connect(str(path)) as raw:
        raw.execute("create schema if not exists gold; create schema if not exists results")
        raw.execute(
            "create or replace table gold.clients as select 'C' || range as client_id,"
            f" range * 1.5 as spend, range % 3 as visits from range({first}, {first + 90})"
        )
        raw.execute(
            "create or replace view results.clients_latest as select client_id,"
            " visits + 1 as segment_id, 'segment ' || (visits + 1) as segment_name"
            " from gold.clients"
        )


def documented(begins: str, copy: Path) -> str:
    """Return an address of the README with the copy's own path in it."""
    found = re.search(rf"`({re.escape(begins)}[^`]*)`", README)
    assert found is not None, begins
    assert EXAMPLE in found[1]
    return found[1].replace(EXAMPLE, str(copy))


@pytest.fixture
def engine(copy: Path) -> Iterator[Engine]:
    opened = create_engine(documented("duckdb:///", copy))
    yield opened
    opened.dispose()


def test_sqlalchemy_finds_schemas_tables_and_columns_as_superset_does(engine: Engine) -> None:
    inspector = inspect(engine)
    schemas = {name.rpartition(".")[2].strip('"') for name in inspector.get_schema_names()}
    assert {"gold", "results", "share"} <= schemas
    assert inspector.get_table_names(schema="gold") == ["clients"]
    assert inspector.get_table_names(schema="results") == ["clients_latest"]
    columns = {column["name"] for column in inspector.get_columns("clients", schema="gold")}
    assert columns == {"client_id", "spend", "visits"}


def test_sqlalchemy_groups_the_join_of_segments_and_gold(engine: Engine) -> None:
    tables = MetaData()
    gold = Table("clients", tables, schema="gold", autoload_with=engine)
    latest = Table("clients_latest", tables, schema="results", autoload_with=engine)
    question = (
        select(latest.c.segment_name, func.count(), func.sum(gold.c.spend))
        .join(gold, gold.c.client_id == latest.c.client_id)
        .group_by(latest.c.segment_name)
        .order_by(latest.c.segment_name)
    )
    with engine.connect() as connection:
        rows = connection.execute(question).all()
    expected = [
        (f"segment {group + 1}", 30, sum(1.5 * n for n in range(group, 90, 3)))
        for group in range(3)
    ]
    assert [tuple(row) for row in rows] == expected
    assert len(pd.read_sql(text("select * from gold.clients limit 7"), engine)) == 7
    with engine.connect() as connection:
        assert pl.read_database("select * from gold.clients", connection).height == 90


@pytest.mark.parametrize(
    "statement", ["drop table gold.clients", "create table gold.mine as select 1 as one"]
)
def test_sqlalchemy_writes_nothing(engine: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="read-only"), engine.begin() as connection:
        connection.execute(text(statement))


def test_duckdb_itself_reads_it_read_only(copy: Path) -> None:
    assert 'duckdb.connect("data/share/segmenthouse.duckdb", read_only=True)' in README
    with duckdb.connect(str(copy), read_only=True) as raw:
        assert raw.execute("select count(*) from results.clients_latest").fetchall() == [(90,)]
        with pytest.raises(duckdb.Error, match="read-only"):
            raw.execute("delete from gold.clients")


def test_a_pool_sees_new_rows_in_a_new_connection(tmp_path: Path) -> None:
    path = tmp_path / "segmenthouse.duckdb"
    write(path, 0)
    share(path)
    engine = create_engine(documented("duckdb:///", share_file(path)))
    least = text("select min(spend) from gold.clients")
    with engine.connect() as connection:
        assert connection.execute(least).scalar() == 0.0
        write(path, 10)
        share(path)
        # Nobody was stopped, and what is open keeps what it had.
        assert connection.execute(least).scalar() == 0.0
    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(least).scalar() == 15.0


def test_it_attaches_to_a_tool_of_its_own(copy: Path) -> None:
    with duckdb.connect() as raw:
        raw.execute(f"attach '{copy}' as house (read_only)")
        ((rows,),) = raw.execute("select count(*) from house.gold.clients").fetchall()
        assert rows == 90
