"""Studies of tables on Spark: the segments of one machine, under the same contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from planted_gold import asked, gold_customers, planted_study
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture
from tests.warehouse.dbt_runs import Warehouse
from tests.warehouse.test_spark import FOR_FEW_ROWS, FOR_SHORT_RUNS

from models_py.base import settings
from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError, UsageError, WarehouseError
from models_py.base.progress import Silent
from models_py.clustering.candidate import Candidate, Request
from models_py.clustering.fitting import find_candidates
from models_py.commands.check_drift import drift_of
from models_py.commands.score_customers import main as score_customers
from models_py.database import spark_opening, spark_tables
from models_py.database.connection import open_warehouse
from models_py.database.maintenance.integrity import check_warehouse, faults
from models_py.database.spark_opening import check_java
from models_py.database.spark_tables import open_spark_table
from models_py.features.matrix import FeatureMatrix, feature_columns
from models_py.pipeline import Finished, run_study
from models_py.report.writing import write_report
from models_py.runs.storage import load_run_models
from models_py.studies.study import Study

pytest.importorskip("pyspark", reason="the extra spark is not installed")
if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLANTED, SAMPLED, GROCERY = 3000, 1000, 2469
GROCERY_FEATURES = [
    "baskets_per_week",
    "visit_gap_mean_days",
    "basket_spend_mean",
    "basket_units_mean",
    "category_richness",
    "category_effective_count",
    "discount_share",
    "own_label_share",
    "department_fuel_share",
]


def customers_with_gaps() -> pd.DataFrame:
    """Planted customers with nulls, and words that a statement has to quote."""
    customers = gold_customers(PLANTED)
    customers.loc[::50, "discount_share"] = np.nan
    customers.loc[::70, "visit_gap_mean_days"] = np.nan
    customers["chain's \\ name"] = np.array(["o'neill", "a\\b", "x"])[np.arange(PLANTED) % 3]
    return customers


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Spark in a home of its own, with the planted customers there and in the warehouse file."""
    try:
        check_java()
    except WarehouseError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as environment:
        home = tmp_path_factory.mktemp("spark_studies")
        environment.setenv(settings.HOME_VARIABLE, str(home))
        environment.setenv("JAVA_TOOL_OPTIONS", FOR_SHORT_RUNS)
        for name, value in {**FOR_FEW_ROWS, "spark.sql.shuffle.partitions": "1"}.items():
            environment.setitem(spark_tables.AS_DBT_BUILDS, name, value)
        opened = spark_tables.session_for_studies()
        opened.sql("create schema gold")
        put_on_spark(opened, "planted", customers_with_gaps())
        yield opened
        opened.stop()
        for lock in spark_opening._held:
            lock.release()
        spark_opening._held.clear()


def put_on_spark(session: SparkSession, name: str, rows: pd.DataFrame | pa.Table) -> None:
    """Put rows into a gold table of Spark and of the warehouse file."""
    path = settings.warehouse_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.parent / f"{name}.parquet"
    with duckdb.connect(str(path)) as database:
        database.execute("create schema if not exists gold")
        database.register("given", rows)
        database.execute(f"create table gold.{name} as from given")
        database.execute(f"copy gold.{name} to '{file}' (format parquet)")
    session.read.parquet(file.as_uri()).write.saveAsTable(f"gold.{name}")


@pytest.fixture(scope="module")
def done(session: SparkSession) -> Finished:
    """A run on Spark of the planted customers."""
    return run("planted", "spark", **SEVERAL)


def study(name: str, engine: str, **changes: Any) -> Study:
    """A study of one of the tables; on Spark with a sample of fewer rows."""
    content = {
        "name": f"{name}_{engine}",
        "table": "gold.planted",
        "engine": engine,
        "sample_rows": SAMPLED,
        "outliers": {"method": "none"},
        "algorithms": [{"name": "kmeans", "k": 3}],
        "stability": {"refits": 0},
    }
    return planted_study(**content | changes)


def run(name: str, engine: str, **changes: Any) -> Finished:
    return run_study(study(name, engine, **changes), settings.warehouse_path(), 1, Silent())


def agreement(one: Finished, other: Finished) -> tuple[int, float]:
    """Return how many customers two runs both labelled, and their adjusted Rand index."""
    labels = asked(
        settings.warehouse_path(),
        "select a.segment_id, b.segment_id from results.assignments as a join"
        " results.assignments as b using (entity_id) where a.run_id = ? and b.run_id = ?",
        [one.run_id, other.run_id],
    )
    return len(labels), float(adjusted_rand_score(*zip(*labels, strict=True)))


SEVERAL = {"algorithms": [{"name": "kmeans", "k": [2, 3]}]}
WORDS: dict[str, Any] = {
    "features": {
        "include": ["baskets_per_week", "basket_spend_mean", "*_share", "visit*", "chain*"]
    },
    "encoding": {"kind": "none"},
}
GROCERY_KEYS: dict[str, Any] = {
    "table": "gold.grocery_customers",
    "features": {"include": GROCERY_FEATURES, "log1p": "auto", "winsorise": 0.005},
    "selection": {"max_correlation": 0.85, "max_vif": 5.0},
}


@pytest.fixture(scope="module")
def words(session: SparkSession) -> Finished:
    """A run on Spark with features of words, whose names and values have to be quoted."""
    return run("words", "spark", **WORDS)


@pytest.fixture(scope="module")
def grocery(session: SparkSession, complete_journey: Warehouse) -> pd.DataFrame:
    """Real customers, on Spark and in the warehouse file."""
    path = complete_journey.home / "data" / "segmenthouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as built:
        rows = built.execute("from gold.grocery_customers").to_arrow_table()
    put_on_spark(session, "grocery_customers", rows)
    return rows.to_pandas()


def test_segments_are_those_of_one_machine(done: Finished) -> None:
    assert agreement(run("planted", "duckdb", **SEVERAL), done) == (PLANTED, 1.0)


def test_so_are_those_that_words_make(words: Finished) -> None:
    labelled, rand = agreement(run("words", "duckdb", **WORDS), words)
    assert labelled == PLANTED
    assert rand >= 0.99


def test_so_are_those_of_grocery_customers(grocery: pd.DataFrame) -> None:
    changes = GROCERY_KEYS | {"sample_rows": GROCERY}
    here, there = (run("grocery", engine, **changes) for engine in ("duckdb", "spark"))
    labelled, rand = agreement(here, there)
    assert labelled == len(grocery) == GROCERY
    assert rand >= 0.99


@dataclass(frozen=True)
class Start:
    """All rows as points, one machine's candidate of some of them, and the table on Spark."""

    points: FloatArray
    candidate: Candidate
    fitted: Candidate


def from_the_sample(algorithm: str, frame: pd.DataFrame, **changes: Any) -> Start:
    """Cluster drawn rows here, and all rows from there on Spark."""
    asked_for = study(algorithm, "spark", encoding={"kind": "none"}, **changes)
    columns = feature_columns(asked_for.features, frame.columns)
    matrix = FeatureMatrix(asked_for.features, 0.6).fit(frame[columns])
    points = matrix.transform(frame)
    drawn = np.random.default_rng(4).choice(len(points), SAMPLED, replace=False)
    (candidate,) = find_candidates([Request(algorithm, [3], {})], points[drawn], None, 1)
    space = open_spark_table(asked_for, 1).space(matrix.recipes_, {})
    fitted = space.over_all(candidate, points)
    assert fitted is not None
    return Start(points, candidate, fitted)


def check_silhouette(start: Start) -> None:
    """Compare MLlib's silhouette of labels made by SQL with scikit-learn's of the model's own."""
    expected = silhouette_score(start.points, start.fitted.labels, metric="sqeuclidean")
    assert start.fitted.squared_silhouette == pytest.approx(expected, abs=1e-9)


def test_kmeans_goes_on_from_its_start(grocery: pd.DataFrame) -> None:
    start = from_the_sample("kmeans", grocery, **GROCERY_KEYS)
    centers = start.candidate.model.centers
    here = KMeans(3, init=centers, n_init=1, max_iter=300, tol=0.0).fit_predict(start.points)
    assert adjusted_rand_score(here, start.fitted.labels) >= 0.99
    assert np.abs(start.fitted.model.centers - centers).max() > 0.01
    check_silhouette(start)


def test_a_mixture_goes_on_from_its_start(session: SparkSession) -> None:
    start = from_the_sample("gaussian_mixture", customers_with_gaps())
    model = start.candidate.model
    mixture = GaussianMixture(
        3,
        weights_init=model.weights,
        means_init=model.means,
        precisions_init=np.linalg.inv(model.covariances),
        tol=1e-6,
        max_iter=500,
    )
    here = mixture.fit_predict(start.points)
    assert adjusted_rand_score(here, start.fitted.labels) >= 0.99
    expected = mixture.bic(start.points)
    assert start.fitted.bic == pytest.approx(expected, rel=1e-4)
    check_silhouette(start)


def test_results_stand_under_the_contract(done: Finished) -> None:
    path = settings.warehouse_path()
    counted = asked(
        path,
        "select (select count(distinct entity_id) from results.assignments where run_id = $1),"
        " (select count(*) from results.outliers where run_id = $1),"
        " (select sum(size) from results.segments where run_id = $1),"
        " (select round(sum(share), 9) from results.segments where run_id = $1),"
        " (select count(*) from results.planted_spark_latest),"
        " (select count(silhouette) from results.assignments where run_id = $1)",
        [done.run_id],
    )
    assert counted == [(PLANTED, SAMPLED, PLANTED, 1.0, PLANTED, SAMPLED)]
    ((engine, source, rows, because),) = asked(
        path,
        "select json_extract_string(parameters, '$.engine'), source_table, rows_read,"
        " chosen_because from results.runs where run_id = ?",
        [done.run_id],
    )
    assert (engine, source, rows) == ("spark", "spark_sample.planted_spark", SAMPLED)
    said = "clustered on Spark, all 3,000 rows of gold.planted; described by 1,000 of them"
    assert said in because
    with open_warehouse(path, read_only=True) as warehouse:
        assert [f for f in faults(check_warehouse(warehouse)) if "spark" in f] == []


def test_silhouettes_are_of_all_rows(done: Finished) -> None:
    path = settings.warehouse_path()
    saved = load_run_models(settings.models_dir(done.run_id), done.run_id)
    everybody = customers_with_gaps()
    points = saved.partitions["all"].encode(everybody)
    labels = saved.score(everybody)["segment_id"]
    ((figure,),) = asked(
        path,
        "select squared_silhouette from results.model_search where run_id = ? and is_chosen",
        [done.run_id],
    )
    assert figure == pytest.approx(silhouette_score(points, labels, metric="sqeuclidean"), abs=1e-9)


def test_the_page_says_what_it_is_made_of(done: Finished) -> None:
    page = write_report(done.run_id, settings.warehouse_path(), Silent()).page
    text = page.read_text(encoding="utf-8")
    assert "clustered on Spark, all 3,000 rows of gold.planted" in text


def test_one_statement_scores_on_both_engines(
    session: SparkSession, done: Finished, words: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    for finished in (done, words):
        assert score_customers(["--run", finished.run_id, "--sql"]) == 0
        statement = capsys.readouterr().out
        assert "set spark.sql.ansi.doubleQuotedIdentifiers=true" in statement
        on_spark = session.sql(statement).toPandas()
        with duckdb.connect(str(settings.warehouse_path()), read_only=True) as database:
            on_duckdb = database.execute(statement).df()
        expected = load_run_models(settings.models_dir(finished.run_id), finished.run_id).score(
            customers_with_gaps()
        )
        for got in (on_spark, on_duckdb):
            both = got.merge(expected, left_on="customer_id", right_on="entity_id")
            assert len(both) == PLANTED
            assert (both["segment_id_x"] == both["segment_id_y"]).all()
            np.testing.assert_allclose(both["confidence_x"], both["confidence_y"], atol=1e-9)


def test_a_second_run_keeps_the_segments(done: Finished) -> None:
    again = run("planted", "spark")
    assert again.previous_run_id == done.run_id
    moved = again.tables.rows["migrations"]
    assert (moved["from_segment_id"] == moved["to_segment_id"]).all()
    assert moved["entities"].sum() == SAMPLED


def test_what_needs_all_rows_here_is_refused(
    done: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score_customers(["--run", done.run_id]) == 2
    assert "gold.planted is on Spark, and here is the sample of run" in capsys.readouterr().err
    with pytest.raises(UsageError, match="name the customers with --input"):
        drift_of(None, "planted_spark", done.run_id, None, Silent())


def test_a_table_that_cannot_be_studied_is_named(session: SparkSession) -> None:
    with pytest.raises(WarehouseError, match=r"Spark has no table gold\.none \(build it with"):
        run("none", "spark", table="gold.none")
    session.sql(
        "create table gold.twice as select * from gold.planted union all table gold.planted"
    )
    with pytest.raises(DataError, match=r"gold\.twice\.customer_id .* repeats itself on 3,000"):
        run("twice", "spark", table="gold.twice")
