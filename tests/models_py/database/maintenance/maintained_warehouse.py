"""A small real warehouse with everything that a cleanup meets; used by the tests beside it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from models_py.database import contract, results
from models_py.database.connection import open_warehouse

NOW = datetime(2025, 6, 1, 12, 0, 0)
STUDY = "shop_customers"
CUSTOMERS = 60
TABLES = """
create schema bronze; create schema silver; create schema gold;
create table bronze.shop_till_lines as
    select range as line_id, range % 60 as customer_id, range / 7 as spend from range(3000);
create table silver.shop_lines as select * from bronze.shop_till_lines where spend > 1;
create table silver.shop_rejections as
    select 'till' as source, 'silver.shop_lines' as left_out_of, 'line' as entity,
    'spend_too_low' as reason, 8::bigint as row_count;
create table gold.shop_customers (
    customer_id bigint primary key, visits bigint not null, spend double default 0.5,
    "odd ""name" varchar, twice bigint generated always as (visits * 2) virtual);
insert into gold.shop_customers (customer_id, visits, spend)
    select customer_id, count(*), sum(spend) from silver.shop_lines group by customer_id;
comment on table gold.shop_customers is 'One row per customer; it''s the core';
comment on column gold.shop_customers.visits is 'baskets';
create index visits_index on gold.shop_customers (visits);
create view gold.shop_best as select * from gold.shop_customers where visits > 48;
create view gold.shop_very_best as select * from gold.shop_best where visits > 49;
create table silver.tmp_lines as select * from bronze.shop_till_lines;
create table silver.lines_backup_20250131_120000 as select * from bronze.shop_till_lines limit 9;
create table gold.shop_customers__dbt_tmp as select * from gold.shop_customers;
create view gold.shop_temp as select * from silver.tmp_lines;
create table main.customers_old as select 1 as a;
create table gold.temp_scores as select 1 as a;
create table gold.forgotten as select 1 as a;
create table gold.template as select 1 as a;
create table gold.temperature as select 1 as a;
create table gold.customers_2020s as select 1 as a;
"""
MODELS = [
    ("bronze", "shop_till_lines", "table"),
    ("silver", "shop_lines", "table"),
    ("silver", "shop_rejections", "table"),
    ("gold", "shop_customers", "table"),
    ("gold", "shop_best", "view"),
    ("gold", "shop_very_best", "view"),
    ("gold", "temp_scores", "table"),
    ("gold", "template", "table"),
    ("gold", "temperature", "table"),
    ("gold", "customers_2020s", "table"),
]
LISTED = {
    "silver.tmp_lines",
    "silver.lines_backup_20250131_120000",
    "gold.shop_customers__dbt_tmp",
    "gold.shop_temp",
    "main.customers_old",
}


def build(home: Path, runs: int = 0) -> Path:
    """Make the warehouse and dbt's manifest in a home; return the DuckDB file."""
    path = home / "data" / "segmenthouse.duckdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as raw:
        raw.execute(TABLES)
    write_manifest(home / "manifest.json", MODELS)
    for number in range(runs):
        add_run(path, f"2025050{number + 1}T000000", NOW - timedelta(days=10 * (runs - number)))
    return path


def write_manifest(path: Path, models: list[tuple[str, str, str]], **more: object) -> Path:
    """Write what dbt's manifest says of some models."""
    nodes: dict[str, object] = {
        f"model.shop.{schema}_{name}": {
            "unique_id": f"model.shop.{schema}_{name}",
            "resource_type": "model",
            "schema": schema,
            "name": f"{schema}_{name}",
            "alias": name,
            "config": {"materialized": kind},
        }
        for schema, name, kind in models
    }
    nodes["test.shop.unique"] = {
        "resource_type": "test",
        "test_metadata": {"name": "unique"},
        "attached_node": "model.shop.gold_shop_customers",
        "column_name": "customer_id",
        "config": {},
    }
    path.write_text(json.dumps({"nodes": nodes, "sources": {}, "disabled": {}, **more}))
    return path


def add_run(
    path: Path, run_id: str, started_at: datetime, study: str = STUDY, state: str = contract.DONE
) -> None:
    """Write a run with two segments, as run_clustering does."""
    import pandas as pd

    start = results.RunStart(
        run_id, study, started_at, 0, "gold.shop_customers", "customer_id", "{}", "{}"
    )
    with open_warehouse(path) as warehouse:
        results.begin_run(warehouse, start)
        if state == contract.RUNNING:
            return
        if state == contract.FAILED:
            results.fail_run(warehouse, run_id, "a test")
            return
        segments = pd.DataFrame(
            {
                "partition": "all",
                "segment_id": [1, 2],
                "name": ["a", "b"],
                "size": [30, 30],
                "share": [0.5, 0.5],
            }
        )
        assignments = pd.DataFrame(
            {
                "entity_id": [str(number) for number in range(CUSTOMERS)],
                "partition": "all",
                "segment_id": [1 + number % 2 for number in range(CUSTOMERS)],
                "is_outlier": False,
            }
        )
        registry = pd.DataFrame({"study": [study], "segment_id": [1]})
        results.finish_run(
            warehouse,
            run_id,
            {"rows_read": CUSTOMERS},
            {"segments": segments, "assignments": assignments},
            registry,
        )


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables and all definitions of a file, for comparing."""
    with duckdb.connect(str(path), read_only=True) as raw:
        result = raw.execute(
            "select schema_name, table_name, sql from duckdb_tables() union all"
            " select schema_name, view_name, sql from duckdb_views() where not internal"
            " order by all"
        ).fetchall()
        content = {}
        for schema, name, sql in result:
            quoted = ".".join('"' + item.replace('"', '""') + '"' for item in (schema, name))
            rows = raw.execute(f"select * from {quoted} order by all").fetchall()
            content[f"{schema}.{name}"] = [(sql,), *rows]
    return content
