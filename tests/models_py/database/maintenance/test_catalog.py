from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from maintained_warehouse import MODELS, STUDY, build, write_manifest

from models_py.base.errors import WarehouseError
from models_py.database import contract
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.maintenance.catalog import (
    Name,
    count_rows,
    read_ownership,
    read_readers,
    read_relations,
    stored_bytes,
)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """An empty warehouse in memory."""
    opened = Warehouse(Path("memory"), duckdb.connect())
    yield opened
    opened.close()


def readers_of(warehouse: Warehouse, schema: str, name: str) -> set[str]:
    key = Name(schema, name).key
    return {reader.label for reader in read_readers(warehouse) if key in reader.reads}


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("select * from gold.tmp_x", True),
        ('select * from "GOLD"."TMP_X"', True),
        ("select * from memory.gold.tmp_x", True),
        ("select 1 where exists (select 1 from gold.tmp_x)", True),
        ("with c as (select * from gold.tmp_x) select * from c", True),
        ("select (select max(a) from gold.tmp_x) as m", True),
        ("select * from gold.t join gold.tmp_x using (a)", True),
        ("select * from gold.t union all select * from gold.tmp_x", True),
        ("from query_table('tmp_x')", True),
        ("select 'gold.tmp_x' as a", False),
        ("select * from gold.tmp_x_longer", False),
        ("select a as tmp_x from gold.t", False),
        ("select tmp_x.a from gold.t as tmp_x", False),
        ("select * from silver.tmp_x", False),
        ("select 1 as a -- gold.tmp_x", False),
    ],
)
def test_a_reading_is_parsed_not_guessed(warehouse: Warehouse, body: str, reads: bool) -> None:
    warehouse.rows("create schema gold")
    warehouse.rows("create schema silver")
    for table in ("gold.tmp_x", "gold.tmp_x_longer", "gold.t", "silver.tmp_x"):
        warehouse.rows(f"create table {table} as select 1 as a")
    warehouse.rows("set search_path = 'gold,main'")
    warehouse.rows(f"create view gold.v as {body}")
    warehouse.rows("set search_path = 'main'")
    assert readers_of(warehouse, "gold", "tmp_x") == ({"view gold.v"} if reads else set())


def test_column_lists_and_odd_names_do_not_hide_the_query(warehouse: Warehouse) -> None:
    warehouse.rows('create table "a as select 1; --tmp"(x int)')
    warehouse.rows('create view "v (a) as select"("o,n)e") as from "a as select 1; --tmp"')
    assert readers_of(warehouse, "main", "a as select 1; --tmp") == {"view main.v (a) as select"}


def test_unqualified_names_are_looked_for_beside_the_view_first(warehouse: Warehouse) -> None:
    for schema in ("main", "s"):
        warehouse.rows(f"create schema if not exists {schema}")
        warehouse.rows(f"create table {schema}.tmp_x as select 1 as a")
    warehouse.rows("create view main.v as from tmp_x")
    assert readers_of(warehouse, "main", "tmp_x") == {"view main.v"}
    assert readers_of(warehouse, "s", "tmp_x") == set()


def test_macros_and_foreign_keys_read_too(warehouse: Warehouse) -> None:
    warehouse.rows("create table tmp_x(a int primary key)")
    warehouse.rows("create macro best() as table select * from tmp_x")
    warehouse.rows("create macro most(x) as (select max(a) + x from tmp_x)")
    warehouse.rows("create table orders(a int references tmp_x(a))")
    assert readers_of(warehouse, "main", "tmp_x") == {
        "macro main.best",
        "macro main.most",
        "foreign key of main.orders",
    }


def test_rows_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute(
            "create table big as select range as a, md5(range::varchar) as b from range(200000)"
        )
        raw.execute('create table small as select 1 as a; create table "q""x" as select 1 a')
        raw.execute("delete from big where a % 4 = 0")
        raw.execute('create table "la""rge" as from range(20000)')
    names = [Name("main", "big"), Name("main", "small"), Name("main", 'q"x')]
    with open_warehouse(path, read_only=True) as opened:
        assert count_rows(opened, names) == dict(zip(names, [150_000, 1, 1], strict=True))
        held = stored_bytes(opened, [*names, Name("main", 'la"rge')])
        assert opened.rows("select current_setting('threads')")[0][0] >= 1
    assert 200_000 * 16 < held[names[0]] <= path.stat().st_size
    assert held[names[1]] == held[names[2]] == 4
    assert Name("main", 'la"rge') not in held


def test_the_manifest_owns_by_alias_and_schema(tmp_path: Path) -> None:
    path = build(tmp_path, runs=1)
    off = {
        "resource_type": "model",
        "schema": "gold",
        "name": "x",
        "alias": "tmp_switched_off",
        "config": {"materialized": "table"},
    }
    source = {"resource_type": "source", "schema": "main", "name": "s", "identifier": "raw_old"}
    ephemeral = ("gold", "tmp_ephemeral", "ephemeral")
    manifest = write_manifest(
        tmp_path / "manifest.json",
        [*MODELS, ephemeral],
        disabled={"model.shop.x": [off]},
        sources={"source.shop.s": source},
    )
    with open_warehouse(path, read_only=True) as opened:
        ownership = read_ownership(opened, manifest)
    owners = ownership.owners
    assert ownership.has_manifest
    assert "dbt model" in owners[Name("gold", "temp_scores").key]
    assert "switched-off" in owners[Name("gold", "tmp_switched_off").key]
    assert "dbt source" in owners[Name("main", "raw_old").key]
    assert Name("gold", "tmp_ephemeral").key not in owners
    assert Name("gold", "gold_temp_scores").key not in owners
    assert "results contract" in owners[Name("results", "assignments").key]
    assert STUDY in owners[Name("results", f"{STUDY}_latest").key]
    assert ownership.keys == {Name("gold", "shop_customers").key: ("customer_id",)}


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", '{"nodes": 3}'])
def test_a_damaged_manifest_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = build(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text)
    with (
        open_warehouse(path, read_only=True) as opened,
        pytest.raises(WarehouseError, match="no dbt manifest") as error,
    ):
        read_ownership(opened, manifest)
    assert "\n" not in str(error.value)


def test_a_manifest_that_was_named_must_be_there(tmp_path: Path) -> None:
    path = build(tmp_path)
    with (
        open_warehouse(path, read_only=True) as opened,
        pytest.raises(WarehouseError, match="cannot read dbt's manifest"),
    ):
        read_ownership(opened, tmp_path / "none.json")


def test_the_projects_own_manifest_has_the_shape_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "things.sql").write_text(
        "{{ config(alias='tmp_things', schema='gold', materialized='table') }} select 1 as a"
    )
    (tmp_path / "models" / "things.yml").write_text(
        "models: [{name: things, columns: [{name: a, data_tests: [unique]}]}]"
    )
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "names.sql").write_text(
        "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}"
    )
    (tmp_path / "dbt_project.yml").write_text("name: small\nprofile: small\nversion: 1.0.0\n")
    profile = {"type": "duckdb", "path": str(tmp_path / "small.duckdb")}
    (tmp_path / "profiles.yml").write_text(
        json.dumps({"small": {"target": "dev", "outputs": {"dev": profile}}})
    )
    words = "import sys; from dbt.cli.main import cli; sys.exit(cli())"
    subprocess.run([sys.executable, "-c", words, "--quiet", "run"], cwd=tmp_path, check=True)
    with open_warehouse(tmp_path / "small.duckdb", read_only=True) as opened:
        ownership = read_ownership(opened, tmp_path / "target" / "manifest.json")
        made = [relation.name for relation in read_relations(opened)]
    assert made == [Name("gold", "tmp_things")]
    assert "dbt model things" in ownership.owners[made[0].key]
    assert ownership.keys[made[0].key] == ("a",)


def test_what_is_loaded_and_what_runs_and_studies_read_is_owned(home: Path) -> None:
    path = build(home, runs=1)
    (home / "mine.toml").write_text('table = "gold.TMP_mine"')
    (home / "broken.toml").write_text("table = ")
    with open_warehouse(path) as warehouse:
        warehouse.rows("create table gold.tmp_mine as select 1 as a")
        warehouse.rows("create table gold.loaded_old as select 1 as a")
        warehouse.rows(f"comment on table gold.loaded_old is '{contract.LOADED}customers.csv'")
        warehouse.rows("create table gold.tmp_read as select 1 as a")
        warehouse.rows("update results.runs set source_table = 'gold.tmp_read'")
        owners = read_ownership(warehouse, home / "manifest.json").owners
    assert "mine" in owners[Name("gold", "tmp_mine").key]
    assert "customers.csv" in owners[Name("gold", "loaded_old").key]
    assert STUDY in owners[Name("gold", "tmp_read").key]
    assert Name("gold", "forgotten").key not in owners


def test_what_dbt_made_of_a_log_is_the_users(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = ("gold._customers", "silver._rejections", "silver._customer_shares", "silver._sales")
    tables = [name.replace("._", f".{log}_") for name in made for log in ("my_shop", "other")]
    with duckdb.connect(str(path)) as raw:
        for log in ("my_shop", "other"):
            raw.execute(f"create table bronze.{log}_log as select 1 as a")
            raw.execute(f"comment on table bronze.{log}_log is '{contract.LOADED}sales.csv'")
        for table in (*tables, "silver.nobodys_rejections"):
            raw.execute(f"create table {table} as select 1 as a")
    # dbt's manifest has them under one name: of the log that was built last, or of none.
    nodes = {
        name: [
            {
                "resource_type": "model",
                "schema": schema,
                "name": f"{schema}_custom{rest}",
                "alias": f"custom{rest}",
                "path": f"{schema}/custom/{schema}_custom{rest}.sql",
                "config": {"materialized": "table"},
            }
        ]
        for name in made
        for schema, _, rest in [name.partition(".")]
    }
    manifest = write_manifest(tmp_path / "manifest.json", MODELS, disabled=nodes)
    with open_warehouse(path, read_only=True) as opened:
        owners = read_ownership(opened, manifest).owners
    for table in tables:
        assert Name(*table.split(".")).key in owners, table
    assert Name("silver", "nobodys_rejections").key not in owners
