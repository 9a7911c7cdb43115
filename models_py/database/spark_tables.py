"""A table that lives on Spark: sampled, measured, clustered and labelled where it lies.

What is distributed is Spark's own: its SQL, and the k-means, the summaries and the silhouettes of
MLlib. Coordinates and labels are the statements that score in DuckDB too.

References
----------
Meng, X. et al. (2016). MLlib: machine learning in Apache Spark. JMLR 17(34).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base import settings
from models_py.base.arrays import FloatArray
from models_py.base.errors import DataError, WarehouseError, first_line_of
from models_py.base.imports import is_installed
from models_py.clustering.algorithms import ALGORITHMS
from models_py.clustering.candidate import Candidate, FittedModel
from models_py.clustering.kmeans import KMeansModel
from models_py.clustering.mixture import SHRINKAGE, MixtureModel, information
from models_py.database.connection import quoted
from models_py.database.gold import conditions_on
from models_py.database.scoring import (
    SPARK_READS_IT,
    Projection,
    coordinates_statement,
    nearest_center,
)
from models_py.database.scoring_mixtures import (
    Components,
    Step,
    component_steps,
    most_probable,
)
from models_py.database.spark_opening import check_java, open_session
from models_py.database.waiting import open_for_writing
from models_py.features.matrix import Moments

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from models_py.features.recipes import Recipe
    from models_py.studies.study import Study

STUDIED, SAMPLED = "studied_rows", "sampled_rows"
"""Views of the rows that the study reads, and of the entities of the sample."""

AS_DBT_BUILDS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}
MOST_PASSES = 300
GAIN = 1e-3
"""A mixture ends when the log-likelihood of all rows gains less."""
AT_REST = 1e-6
"""No center moves farther than this when k-means ends."""


@dataclass(frozen=True)
class SparkTable:
    """The rows of a study on Spark.

    Attributes
    ----------
    study
        The recipe.
    session
        Open.
    types
        DuckDB's name of each column's type.
    rows
        How many there are.
    seed
        Draws the sample, and what MLlib draws.
    """

    study: Study
    session: SparkSession
    types: Mapping[str, str]
    rows: int
    seed: int

    @property
    def words(self) -> str:
        """What was clustered and what was described, for the reason of the choice."""
        described = min(self.rows, self.study.sample_rows)
        return (
            f"clustered on Spark, all {self.rows:,} rows of {self.study.table}; described by"
            f" {described:,} of them, drawn by the seed"
        )

    def sample(self) -> pa.Table:
        """Return ``sample_rows`` rows whole: those of the lowest hashes of entity and seed."""
        key = quoted(self.study.entity)
        with _spark_errors(self.study.table):
            drawn: pa.Table = self.session.sql(
                f"select * from {STUDIED} order by"
                f" md5(concat(cast({key} as string), '#', ?)), {key}"
                f" limit {self.study.sample_rows}",
                [str(self.seed)],
            ).toArrow()
            ids = self.session.createDataFrame(drawn.select([self.study.entity]))
            ids.createOrReplaceTempView(SAMPLED)
        return drawn

    def moments(self, recipes: Sequence[Recipe]) -> Moments:
        """Return what all rows say of features before they are scaled."""
        from pyspark.ml.stat import Correlation, Summarizer

        space = self.space([replace(recipe, center=0.0, spread=1.0) for recipe in recipes], {})
        with _spark_errors(self.study.table):
            wanted = Summarizer.metrics("mean", "variance", "min", "max")
            summed = wanted.summary(space.points["features"])
            ((found,),) = space.points.select(summed).collect()
            ((correlation,),) = Correlation.corr(space.points, "features").collect()
            space.points.unpersist()
        share = (self.rows - 1) / self.rows
        return Moments(
            means=found["mean"].toArray(),
            variances=found["variance"].toArray() * share,
            lows=found["min"].toArray(),
            highs=found["max"].toArray(),
            # MLlib gives nan for a constant, which goes with nothing.
            correlation=np.where(
                np.isnan(correlation.toArray()), np.eye(len(recipes)), correlation.toArray()
            ),
        )

    def covariance(self, recipes: Sequence[Recipe]) -> tuple[FloatArray, FloatArray]:
        """Return the mean and the covariance of features over all rows."""
        moments = self.moments(recipes)
        spreads = np.array([recipe.spread for recipe in recipes])
        centers = np.array([recipe.center for recipe in recipes])
        scales = np.sqrt(moments.variances) / spreads
        return (moments.means - centers) / spreads, moments.correlation * np.outer(scales, scales)

    def space(self, recipes: Sequence[Recipe], projections: Mapping[str, Projection]) -> SparkSpace:
        """Return all rows in the coordinates that recipes and projections give."""
        from pyspark.ml.feature import VectorAssembler

        names, statement = coordinates_statement(STUDIED, self.types, recipes, projections)
        with _spark_errors(self.study.table):
            rows = self.session.sql(statement)
            points = VectorAssembler(inputCols=names, outputCol="features").transform(rows)
            return SparkSpace(self.study.table, names, points.persist(), self.seed)

    def write_labels(self, statement: str, folder: Path) -> None:
        """Write the segments of all rows but those of the sample as parquet.

        Parameters
        ----------
        statement
            Scores :data:`STUDIED`, as :func:`models_py.database.scoring.scoring_statement` does.
        folder
            Is replaced; of a disk that the cluster's machines share with this one.
        """
        key = quoted(self.study.entity)
        with _spark_errors(self.study.table):
            self.session.sql(
                f"select cast({key} as string) as entity_id, partition, segment_id, confidence"
                f" from (\n{statement}) as scored left anti join {SAMPLED} using ({key})"
            ).write.mode("overwrite").parquet(folder.as_uri())


@dataclass(frozen=True)
class SparkSpace:
    """All rows as coordinates.

    Attributes
    ----------
    table
        What a message calls them.
    names
        Of the coordinates.
    points
        Kept on Spark: the coordinates by name, and together as the vector ``features``.
    seed
        For what MLlib draws.
    """

    table: str
    names: Sequence[str]
    points: DataFrame
    seed: int

    def over_all(self, candidate: Candidate, points: FloatArray) -> Candidate | None:
        """Return a candidate of the sample as MLlib fits it to all rows.

        Parameters
        ----------
        candidate
            Its model is the start.
        points
            Shape (n, d): the sample's rows, which take their labels from the fitted model.

        Returns
        -------
        Candidate or None
            None where one of its clusters has no row of the sample.
        """
        began = time.perf_counter()
        fit = FITTED_BY[ALGORITHMS[candidate.algorithm].assignment]
        with _spark_errors(self.table):
            model, steps, group = fit(self, candidate)
            silhouette = self._silhouette(steps, group)
        labels = model.predict(points)
        bic = candidate.bic
        if isinstance(model, MixtureModel):
            bic = information(model.log_likelihood(points), len(model.means), points, "full")
        if np.unique(labels).size < candidate.k:
            return None
        return replace(
            candidate,
            labels=labels,
            seconds=candidate.seconds + time.perf_counter() - began,
            model=model,
            bic=bic,
            squared_silhouette=silhouette,
        )

    def _silhouette(self, steps: Sequence[Step], group: str) -> float:
        from pyspark.ml.evaluation import ClusteringEvaluator

        rows = self.points
        for names, expressions in steps:
            columns = [f"{e} as {n}" for e, n in zip(expressions, names, strict=True)]
            rows = rows.selectExpr("features", *columns)
        labelled = rows.selectExpr("features", f"{group} as prediction")
        return float(ClusteringEvaluator().evaluate(labelled))

    def _vectors(self) -> Any:
        # MLlib takes a start where rows are an RDD of lists.
        from pyspark.sql import functions

        return self.points.select(functions.array(*self.names)).rdd.map(itemgetter(0))

    def _kmeans(self, candidate: Candidate) -> Fitted:
        from pyspark.mllib.clustering import KMeans, KMeansModel as Start

        assert isinstance(candidate.model, KMeansModel)
        centers = candidate.model.centers
        fitted = KMeans.train(
            self._vectors(),
            len(centers),
            maxIterations=MOST_PASSES,
            initialModel=Start(list(centers)),
            epsilon=AT_REST,
        )
        model = KMeansModel(np.array(fitted.clusterCenters))
        step, group = nearest_center(self.names, model.centers)
        return model, [step], group

    def _mixture(self, candidate: Candidate) -> Fitted:
        from pyspark.mllib.clustering import GaussianMixture
        from pyspark.mllib.linalg import Matrices, Vectors
        from pyspark.mllib.stat.distribution import MultivariateGaussian

        start = candidate.model
        assert isinstance(start, MixtureModel)
        k, d = start.means.shape
        gaussians = [
            MultivariateGaussian(Vectors.dense(mean), Matrices.dense(d, d, spread.ravel()))
            for mean, spread in zip(start.means, start.covariances, strict=True)
        ]
        # MLlib reads these three of a model, which it makes of what it fitted alone.
        first: Any = SimpleNamespace(k=k, weights=start.weights, gaussians=gaussians)
        fitted = GaussianMixture.train(
            self._vectors(), k, convergenceTol=GAIN, maxIterations=MOST_PASSES, initialModel=first
        )
        spreads = np.array([gaussian.sigma.toArray() for gaussian in fitted.gaussians])
        # As one machine has it, so that no variance is zero; MLlib has no such floor.
        floor = SHRINKAGE * float(np.trace(spreads, axis1=1, axis2=2).mean()) / d
        model = MixtureModel(
            np.array(fitted.weights),
            np.array([gaussian.mu.toArray() for gaussian in fitted.gaussians]),
            spreads + floor * np.eye(d),
        )
        roots, offsets = model.roots()
        components = Components(np.arange(k), offsets, model.means, roots)
        return model, component_steps(components, self.names), most_probable(components)


Fitted = tuple[FittedModel, list[Step], str]
"""A model, the steps from coordinates to what decides, and the cluster as an expression on it."""

FITTED_BY: Mapping[str, Callable[[SparkSpace, Candidate], Fitted]] = {
    "nearest_center": SparkSpace._kmeans,
    "most_probable": SparkSpace._mixture,
}
"""What fits the candidates of algorithms that assign rows so."""


def keep_sample(path: Path, whole: SparkTable, wait_seconds: float) -> None:
    """Draw the sample and keep it in the warehouse file, in place of the study's earlier one."""
    drawn = whole.sample()
    schema, name = whole.study.schema_and_name
    with open_for_writing(path, wait_seconds=wait_seconds) as warehouse, warehouse.transaction():
        warehouse.rows(f"create schema if not exists {quoted(schema)}")
        warehouse.raw.register("drawn_rows", drawn)
        try:
            warehouse.rows(
                f"create or replace table {quoted(schema, name)} as select * from drawn_rows"
            )
        finally:
            warehouse.raw.unregister("drawn_rows")


def open_spark_table(study: Study, seed: int) -> SparkTable:
    """Open the rows that a study reads, on the home's Spark or the cluster that is named.

    Parameters
    ----------
    study
        The recipe.
    seed
        For everything random.

    Raises
    ------
    WarehouseError
        Spark or Java is missing, or the table is.
    DataError
        No row is left, or an entity is null or stands twice.
    """
    session = session_for_studies()
    # What an earlier run of this process kept.
    session.catalog.clearCache()
    schema, _, name = study.table.partition(".")
    key, source = quoted(study.entity), quoted(schema, name)
    with _spark_errors(study.table):
        if not session.catalog.tableExists(f"`{schema}`.`{name}`"):
            raise WarehouseError(
                f"Spark has no table {study.table}"
                " (build it with: dbt build --project-dir warehouse --target spark)"
            )
        types = {n: _duckdb_type(kind) for n, kind in session.table(f"`{schema}`.`{name}`").dtypes}
        for column in [study.entity, *study.where, *study.at_least, *study.under]:
            if column not in types:
                raise WarehouseError(f"{study.table} on Spark has no column '{column}'")
        conditions, values = conditions_on(study.where, study.at_least, study.under)
        session.sql(f"select * from {source}{conditions}", values).createOrReplaceTempView(STUDIED)
        ((rows, known, different),) = session.sql(
            f"select count(*), count({key}), count(distinct {key}) from {STUDIED}"
        ).collect()
    if rows == 0:
        raise DataError(f"{study.table} has no rows for the study: widen the study's where")
    if different < rows:
        raise DataError(
            f"{study.table}.{study.entity} is null on {rows - known:,} rows and repeats itself on"
            f" {known - different:,}: a study needs one row per entity"
        )
    return SparkTable(study, session, types, int(rows), seed)


def session_for_studies() -> SparkSession:
    """Return a session that reads names and texts as the statements that score write them.

    Raises
    ------
    WarehouseError
        Spark or Java is missing, or the server named is one that cannot do it.
    """
    if not is_installed("pyspark"):
        raise WarehouseError(
            "engine = 'spark' needs pyspark: pip install -c constraints.txt -e '.[spark]'"
        )
    if settings.spark_remote():
        raise WarehouseError(
            "SPARK_REMOTE is set, and a Spark Connect server takes no start for MLlib's k-means:"
            " unset it and name the cluster's master, such as SPARK_MASTER=spark://host:7077"
        )
    session = _of_cluster(settings.spark_master()) or open_session(AS_DBT_BUILDS)
    own = session.newSession()
    for name, value in {**AS_DBT_BUILDS, **SPARK_READS_IT}.items():
        own.conf.set(name, value)
    return own


def _of_cluster(master: str) -> SparkSession | None:
    if not master:
        return None
    check_java()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("segmenthouse").enableHiveSupport()
    with _spark_errors(master):
        return builder.getOrCreate()


def _duckdb_type(spark_type: str) -> str:
    return "VARCHAR" if spark_type == "string" else spark_type.upper()


@contextmanager
def _spark_errors(where: str) -> Iterator[None]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        cause = getattr(error, "java_exception", None)
        said = str(cause) if cause is not None else first_line_of(error)
        raise WarehouseError(f"{where} on Spark: {said.splitlines()[0]}") from error
