"""The same dbt project built by DuckDB and by Spark from the same lines, compared value by value.

Both engines build a domain into a home of its own, in the same run, with every data test; then
each relation of silver and gold is compared: names and types of the columns, rows, every value
that is no double exactly, every double relative to 1 or its size. Rows are matched by all their
exact values, so that the comparison needs no key and finds one that differs. Spark's tables are
read as the parquet files that they are; its views are written out by Spark first.

Example::

    python benchmarks/spark.py --domains grocery retail_org --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO

import duckdb
from dbt_builds import dbt, model_seconds

from models_py.base import settings
from models_py.base.errors import WarehouseError
from models_py.database.spark_opening import check_java, open_session

DOMAINS = ("grocery", "online_retail", "retail_org", "bank", "automobile")
ROOMS = ("models/*/", "seeds/", "tests/")
TOLERANCE = 1e-9
SPARK_PARAMETERS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}


@dataclass(frozen=True)
class Compared:
    """One relation on both engines.

    Attributes
    ----------
    differences
        What differs, in words; empty where all is equal.
    largest_difference
        Of all doubles, relative to 1 or the value.
    """

    relation: str
    rows: int
    columns: int
    differences: tuple[str, ...]
    largest_difference: float


def built(home: Path, domains: Sequence[str], engine: str) -> dict[str, float]:
    """Build and test domains on one engine; return its seconds, and those of the models."""
    seconds = dbt(home, "build", *selected(domains), "--target", engine)
    return {f"{engine}_seconds": seconds, f"{engine}_model_seconds": model_seconds(home)}


def selected(domains: Sequence[str]) -> list[str]:
    """Return the words by which dbt selects the models, seeds and tests of some domains."""
    return ["--select", *(f"path:{room}{domain}" for domain in domains for room in ROOMS)]


def compare_domains(home: Path, domains: Sequence[str], process: Executor) -> list[Compared]:
    """Compare every relation of silver and gold that DuckDB built for some domains.

    Spark is asked in the process: Java keeps the metastore to itself for as long as the process
    lives that started it.
    """
    with duckdb.connect(str(home / "data" / "segmenthouse.duckdb"), read_only=True) as database:
        names = database.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema in ('silver', 'gold') and regexp_matches(table_name, ?)"
            " order by 1, 2",
            [f"^({'|'.join(domains)})_"],
        ).fetchall()
        files = spark_files(home, names, process)
        return [compare(database, *name, files.get(name)) for name in names]


def spark_files(
    home: Path, names: Sequence[tuple[str, str]], process: Executor
) -> dict[tuple[str, str], Path]:
    """Return the folder of parquet files of each relation that Spark has."""
    tables = home / "data" / "spark" / "tables"
    files = {(schema, name): tables / f"{schema}.db" / name for schema, name in names}
    absent = {
        name: home / "views" / ".".join(name) for name, at in files.items() if not at.is_dir()
    }
    if absent:
        process.submit(write_views, home, absent).result()
    return {name: at for name, at in {**files, **absent}.items() if at.is_dir()}


def write_views(home: Path, folders: Mapping[tuple[str, str], Path]) -> None:
    """Let Spark write what it has of these relations as parquet files."""
    with settings.home_at(home):
        session = open_session(SPARK_PARAMETERS)
    for (schema, name), folder in folders.items():
        if session.catalog.tableExists(f"{schema}.{name}"):
            session.table(f"{schema}.{name}").write.mode("overwrite").parquet(str(folder))


def compare(
    database: duckdb.DuckDBPyConnection, schema: str, name: str, folder: Path | None
) -> Compared:
    """Compare one relation; nothing of Spark's is there without a folder."""
    ours = f'"{schema}"."{name}"'
    columns = columns_of(database, ours)
    (rows,) = one_row(database, f"select count(*) from {ours}")
    if folder is None:
        return Compared(f"{schema}.{name}", rows, len(columns), ("Spark has no such relation",), 0)
    theirs = f"read_parquet('{folder}/*.parquet')"
    differences = column_differences(columns, columns_of(database, theirs))
    largest = 0.0
    if not differences:
        doubles = [column for column, kind in columns.items() if kind == "DOUBLE"]
        exact = [column for column in columns if column not in doubles]
        differences = row_differences(database, ours, theirs, exact)
        if not differences and doubles:
            apart = double_differences(database, ours, theirs, exact, doubles)
            largest = max(apart.values())
            differences = [f"{c} by {value:.1e}" for c, value in apart.items() if value > TOLERANCE]
    return Compared(f"{schema}.{name}", rows, len(columns), tuple(differences), largest)


def columns_of(database: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the type of each column; an enumeration counts as the text that it is read as."""
    described = database.execute(f"describe select * from {relation}").fetchall()
    return {name: "VARCHAR" if kind.startswith("ENUM") else kind for name, kind, *_ in described}


def column_differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Say which columns one engine alone has, and which are of two types."""
    if list(ours) != list(theirs):
        return [f"columns {sorted(set(ours) ^ set(theirs)) or 'in another order'}"]
    return [
        f"{name} is {kind} and {theirs[name]}"
        for name, kind in ours.items()
        if kind != theirs[name]
    ]


def row_differences(
    database: duckdb.DuckDBPyConnection, ours: str, theirs: str, exact: Sequence[str]
) -> list[str]:
    """Say how many rows of each engine have no equal in the other, by their exact values."""
    columns = ", ".join(f'"{column}"' for column in exact)
    differences = []
    for engine, left, right in (("DuckDB", ours, theirs), ("Spark", theirs, ours)):
        (lone,) = one_row(
            database,
            f"select count(*) from (select {columns} from {left}"
            f" except all select {columns} from {right})",
        )
        if lone:
            differences.append(f"{lone} rows of {engine} alone")
    return differences


def double_differences(
    database: duckdb.DuckDBPyConnection,
    ours: str,
    theirs: str,
    exact: Sequence[str],
    doubles: Sequence[str],
) -> dict[str, float]:
    """Return the largest difference of each column of doubles, infinite where one is null."""
    places = ", ".join(f'"{column}"' for column in [*exact, *doubles])
    largest = ", ".join(
        f'max(case when ours."{c}" is null and theirs."{c}" is null then 0'
        f' else coalesce(abs(ours."{c}" - theirs."{c}") / greatest(abs(ours."{c}"), 1),'
        f" 'inf'::double) end)"
        for c in doubles
    )
    sides = ", ".join(
        f"{side} as (select *, row_number() over (order by {places}) as place from {relation})"
        for side, relation in (("ours", ours), ("theirs", theirs))
    )
    apart = one_row(database, f"with {sides} select {largest} from ours join theirs using (place)")
    return {name: float(value or 0) for name, value in zip(doubles, apart, strict=True)}


def one_row(database: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the only row of a query."""
    (row,) = database.execute(query).fetchall()
    return tuple(row)


def measure(domain: str, raw: Path) -> dict[str, Any]:
    """Return the seconds of both engines on a domain and what their relations differ in."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "data").mkdir()
        (home / "data" / "raw").symlink_to(raw)
        seconds = {**built(home, [domain], "duckdb"), **built(home, [domain], "spark")}
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            relations = compare_domains(home, [domain], process)
    return {
        **seconds,
        "relations": len(relations),
        "equal_relations": sum(not each.differences for each in relations),
        "rows": sum(each.rows for each in relations),
        "values": sum(each.rows * each.columns for each in relations),
        "largest_difference": max(each.largest_difference for each in relations),
        "differing": [asdict(each) for each in relations if each.differences],
    }


def stop_without_spark() -> None:
    """Exit with the way to get what is missing."""
    if find_spec("pyspark") is None:
        sys.exit('pyspark is not installed: run `pip install -c constraints.txt -e ".[spark]"`')
    try:
        check_java()
    except WarehouseError as error:
        sys.exit(str(error))


def print_figures(domain: str, figures: Mapping[str, Any], stream: TextIO) -> None:
    """Print what was measured of a domain, a line each."""
    print(domain, file=stream)
    for key, value in figures.items():
        shown = value if isinstance(value, list) else f"{value:.4g}"
        print(f"  {key:<22} {shown}", file=stream, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domains", nargs="+", choices=DOMAINS, default=list(DOMAINS))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    stop_without_spark()
    figures = {}
    for domain in arguments.domains:
        figures[domain] = measure(domain, settings.raw_dir(""))
        print_figures(domain, figures[domain], sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(json.dumps(figures))
    if any(of_domain["differing"] for of_domain in figures.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
