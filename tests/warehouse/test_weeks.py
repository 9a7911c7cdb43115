"""Weeks that arrive in any order, late, twice or corrected leave what a full build makes."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from models_py.base.progress import Silent
from models_py.database.grocery_generator import generate, shop_week
from tests.warehouse.dbt_runs import Run, Warehouse

WEEKS = 6
FLOW = (
    "silver.grocery_checked_lines",
    "silver.grocery_baskets",
    "silver.grocery_int_customer_kinds",
    "silver.grocery_int_customer_kind_sums",
    "gold.grocery_customers",
    "gold.grocery_customer_basket_features",
    "gold.grocery_customer_departments",
)
CORRECTION = """
    select * replace (
        -- A product turns out to be sold in bulk, another moves, a shop is of another format.
        case when PROD_CODE = (select max(PROD_CODE) from given) then 5000 else QUANTITY end
            as QUANTITY,
        case when PROD_CODE = (select min(PROD_CODE) from given) then 'D00009' else PROD_CODE_40 end
            as PROD_CODE_40,
        case when STORE_CODE = (select min(STORE_CODE) from given) then 'LS' else STORE_FORMAT end
            as STORE_FORMAT,
        case when hash(BASKET_ID) % 9 = 0 then SPEND + 1 else SPEND end as SPEND,
        case when hash(BASKET_ID, PROD_CODE) % 19 = 0 then 'CUST0000000001' else CUST_CODE end
            as CUST_CODE
    )
    from given
    where hash(BASKET_ID, 1) % 13 > 0
"""
LATE = """
    select * replace (case when hash(PROD_CODE) % 5 = 0 then null else CUST_CODE end as CUST_CODE)
    from given
    where hash(BASKET_ID, PROD_CODE) % 7 = 0
    union all
    select * replace (PROD_CODE || '1' as PROD_CODE, 'new' || BASKET_ID as BASKET_ID)
    from given
    where hash(BASKET_ID, 3) % 10 = 0
"""


class Deliveries:
    """A folder of raw files, and what is still to come into it."""

    def __init__(self, made: Path, folder: Path) -> None:
        self.made = made
        self.folder = folder
        folder.mkdir()

    def calendar(self, weeks: int, moved: bool = False) -> None:
        """Write time.csv with the first weeks; one may end sooner than it was said to."""
        lines = (self.made / "time.csv").read_text().splitlines()[: weeks + 1]
        if moved:
            week, begin, _ = lines[2].split(",")
            lines[2] = f"{week},{begin},{int(begin) + 3}"
        (self.folder / "time.csv").write_text("\n".join(lines) + "\n")

    def week(self, week: int, query: str = "from given", name: str = "", form: str = "csv") -> Path:
        """Write a week as it was made, or as a query changes it."""
        path = self.folder / f"transactions_{shop_week(week)}{name}.{form}"
        given = self.made / f"transactions_{shop_week(week)}.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"create view given as from read_parquet('{given}')")
            connection.execute(f"copy ({query}) to '{path}' (format {form.removesuffix('.gz')})")
        return path


def build(warehouse: Warehouse, *words: str) -> Run:
    built = warehouse.dbt(
        "build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test", *words
    )
    assert built.code == 0, built.text
    return built


def differences(first: Warehouse, second: Warehouse) -> Iterator[str]:
    """Name the relations of two warehouses that differ in a row, a column or a type."""
    with duckdb.connect() as connection:
        for name, warehouse in {"first": first, "second": second}.items():
            path = warehouse.home / "data" / "segmenthouse.duckdb"
            connection.execute(f"attach '{path}' as {name} (read_only)")
        columns = connection.execute(
            "select schema_name || '.' || table_name, database_name,"
            " list((column_name, data_type) order by column_index) from duckdb_columns()"
            " where schema_name in ('bronze', 'silver', 'gold') group by all"
        ).fetchall()
        of_first = {relation: listed for relation, name, listed in columns if name == "first"}
        of_second = {relation: listed for relation, name, listed in columns if name == "second"}
        assert len(of_first) >= 20
        for relation in sorted(of_first.keys() | of_second.keys()):
            listed = of_first.get(relation)
            if listed != of_second.get(relation):
                yield f"{relation}: other columns"
                continue
            shown = ", ".join(
                f'round("{column}", 9)' if kind == "DOUBLE" else f'"{column}"'
                for column, kind in listed or ()
                if column != "loaded_at"
            )
            sides = [f"select {shown} from {name}.{relation}" for name in ("first", "second")]
            for one, other in (sides, sides[::-1]):
                (count,) = connection.execute(
                    f"select count(*) from ({one} except all {other})"
                ).fetchone() or (0,)
                if count:
                    yield f"{relation}: {count} rows only in {one.split(' from ')[-1]}"


def marks(warehouse: Warehouse) -> dict[str, dict[str, str]]:
    rows = warehouse.rows(
        "select schema_name || '.' || table_name, comment from duckdb_tables()"
        " where comment like '{%'"
    )
    return {relation: json.loads(comment) for relation, comment in rows}


def made_too_soon(warehouse: Warehouse) -> Iterator[str]:
    """Name what a relation takes in of weeks and dbt may make after it, or beside it."""
    manifest = json.loads((warehouse.home / "target" / "manifest.json").read_text())
    nodes = manifest["nodes"]
    name_of = {key: f"{node['schema']}.{node['alias']}" for key, node in nodes.items()}
    key_of = {name: key for key, name in name_of.items() if key.split(".")[0] != "test"}

    def made_before(key: str) -> set[str]:
        parents = [p for p in nodes[key]["depends_on"].get("nodes", []) if p in nodes]
        return {name_of[parent] for parent in parents}.union(*map(made_before, parents))

    code = manifest["macros"]["macro.segmenthouse.weekly_flow"]["macro_sql"]
    named = dict(re.findall(r"set (\w+) = '([\w.]+)'", code))
    (flow,) = re.findall(r"return\((\{.*\})\)", code, re.DOTALL)
    for name, taken in eval(flow, {"none": None}, named).items():
        for needed in {taken["follows"], *taken["inputs"]} - {None} - made_before(key_of[name]):
            yield f"{needed} is not made before {name}"


def decided_too_soon(warehouse: Warehouse) -> list[str]:
    """Name the steps that chose what they read before all that gold waits for was there."""
    manifest = json.loads((warehouse.home / "target" / "manifest.json").read_text())
    steps = {
        node["alias"]: node["compiled_code"]
        for node in manifest["nodes"].values()
        if node["config"]["materialized"] == "ephemeral" and node.get("compiled_code")
    }
    assert "'every customer'" in steps["grocery_int_customer_habits"]
    return [name for name, code in steps.items() if "loads." in code]


@pytest.mark.parametrize("seed", [1])
def test_sum_of_the_loads_is_the_full_build(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    made = tmp_path / "made"
    generate(made, customers=150, weeks=WEEKS, seed=seed, progress=Silent())
    files = Deliveries(made, tmp_path / "files")
    variables = {"grocery_source": "sort_of_real", "sort_of_real_dir": str(files.folder)}
    loaded = Warehouse(tmp_path / "loaded", variables)
    full = Warehouse(tmp_path / "full", variables)
    loaded.home.mkdir()
    full.home.mkdir()
    order = chance.sample(range(1, WEEKS + 1), WEEKS)
    forms = [chance.choice(["csv", "csv.gz", "parquet"]) for _ in order]

    files.calendar(WEEKS - 1)
    paths = {w: files.week(w, form=f) for w, f in zip(order[:3], forms[:3], strict=True)}
    build(loaded)
    first = marks(loaded)

    files.calendar(WEEKS)
    for week, form in zip(order[3:], forms[3:], strict=True):
        paths[week] = files.week(week, form=form)
    corrected, resent, gone = order[:3]
    files.week(corrected, CORRECTION, form=forms[0])
    os.utime(paths[resent])
    build(loaded)
    second = marks(loaded)
    assert [r for r in FLOW if second[r]["before"] != first[r]["version"]] == []

    files.week(order[4], LATE, "_late")
    files.calendar(WEEKS, moved=True)
    paths[gone].unlink()
    build(loaded)
    third = marks(loaded)
    assert [r for r in FLOW if third[r]["before"] != second[r]["version"]] == []
    assert decided_too_soon(loaded) == []

    build(full)
    assert list(made_too_soon(full)) == []
    assert list(differences(loaded, full)) == []
    assert loaded.rejected() == full.rejected()
    assert loaded.rejected()["line_repeated"] + loaded.rejected()["basket_shared"] > 0

    build(loaded)
    kept = marks(loaded)
    assert [r for r in FLOW if kept[r]["version"] != third[r]["version"]] == []
    assert list(differences(loaded, full)) == []

    assert loaded.dbt("source", "freshness").lines_with("PASS freshness of loads.grocery_files")
    loaded.execute("update loads.grocery_files set loaded_at = loaded_at - interval 9 days")
    late = loaded.dbt("source", "freshness")
    assert (late.code, len(late.lines_with("WARN freshness of loads.grocery_files"))) == (0, 1)
