"""The study: what one modelling job reads, tries and how it chooses.

Every section is a frozen model; unknown keys are refused. What a study says of features and of
algorithms stands beside what obeys it. The defaults are a sound first study of any table with one
row per customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from models_py.base.errors import near_match
from models_py.base.sections import Range, Section, Share, check_known
from models_py.clustering.algorithms import ALGORITHMS, names_of, refused
from models_py.clustering.settings import AlgorithmSettings
from models_py.features.settings import Encoding, Features, Outliers, Selection
from models_py.sources.reading.record import Reading
from models_py.studies.measures import (
    COMMON_SILHOUETTE,
    CRITERIA,
    MEASURES,
    METRIC_SILHOUETTE,
    Measure,
)

LISTS = ("encoding", "algorithms")

SPARK_SAMPLES = "spark_sample"
"""Schema of the warehouse file that keeps the sample of each study whose table is on Spark."""

ENCODINGS_ON_SPARK = ("none", "pca")
SCALES_ON_SPARK = ("standard", "yeo_johnson", "none")


def _with_schema(table: str) -> str:
    if table.count(".") != 1 or not all(table.split(".")):
        raise ValueError("table is written schema.name, such as 'gold.grocery_customers'")
    return table


class Choose(Section):
    """How the selected candidate is chosen.

    ``by = "rule"``: of the candidates whose smallest segment has ``min_share`` of the rows, and
    ``min_size`` rows, and
    whose segments all reach ``min_stability``, the highest silhouette in the common space, where
    a row that is left as noise counts 0; of those within ``tolerance`` (a share) of it, the one
    with the most segments. Where none is stable, ``when_unstable`` takes the most stable one or
    says that the rows are one segment.
    ``algorithm`` and ``k`` leave the candidates of that algorithm and with that number of clusters
    alone in the choice, ``candidate`` the one at that place of the search (0 the first), which is
    refused where it is of another algorithm or k. ``evidence`` measures DBCV and the gap
    statistic of every candidate beside it.
    """

    by: str = "rule"
    min_share: Share = 0.02
    min_size: Annotated[int, Field(ge=1)] = 1
    min_stability: Share = 0.6
    tolerance: Share = 0.0
    when_unstable: Literal["most_stable", "one_segment"] = "most_stable"
    algorithm: str | None = None
    k: Annotated[int, Field(ge=2)] | None = None
    candidate: Annotated[int, Field(ge=0)] | None = None
    evidence: bool = False

    @field_validator("by")
    @classmethod
    def _by_is_known(cls, value: str) -> str:
        allowed = ("auto", "rule", *CRITERIA)
        if value not in allowed:
            raise ValueError(f"should be one of {', '.join(allowed)}{near_match(value, allowed)}")
        return value

    @property
    def measure(self) -> Measure:
        """What the candidates are ranked by, or the nearest to it where evidence is weighed."""
        if self.by in MEASURES:
            return MEASURES[self.by]
        return METRIC_SILHOUETTE if self.by == "rule" else COMMON_SILHOUETTE

    @property
    def needs_evidence(self) -> bool:
        """Whether DBCV and the gap statistic are measured."""
        return self.evidence or (self.by in MEASURES and MEASURES[self.by].needs_evidence)


class Stability(Section):
    """Refits on subsamples that show which segments come back.

    ``consensus_seeds`` runs the chosen candidate again with that many seeds and keeps the
    labels that they agree on; 0 keeps its own.
    """

    refits: Annotated[int, Field(ge=0, le=1000)] = 20
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.8
    consensus_seeds: Annotated[int, Field(ge=0, le=200)] = 0


class SubSearch(Section):
    """A second search inside each large cluster of the selected candidate.

    A cluster with ``min_share`` of the rows is split where the parts hold ``min_part`` of it,
    reach ``min_silhouette`` among themselves and come back in refits.
    """

    algorithm: str = "kmeans"
    k: Range = (2, 5)
    min_share: Share = 0.2
    min_part: Share = 0.1
    min_silhouette: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.1

    @field_validator("algorithm")
    @classmethod
    def _algorithm_splits(cls, value: str) -> str:
        return check_known("algorithm", value, names_of(lambda entry: entry.splits_a_cluster))


class ColumnWords(Section):
    """What a column is called, and a segment that differs in it.

    ``called`` is the column's own name and ``unit`` stands behind its values. A segment is
    called ``high`` or ``low`` by a number, ``yes`` or ``no`` by a column of yes and no, and by
    a column of words by these, each called what ``values`` says; with ``alone`` they are said
    without the column's name, with ``place`` as ``from Graz``. What is left out is made of the
    column's name.
    """

    called: str | None = None
    unit: str | None = None
    high: str | None = None
    low: str | None = None
    yes: str | None = None
    no: str | None = None
    alone: bool | None = None
    place: bool | None = None
    values: dict[str, str] = {}


class Describe(Section):
    """How the segments are described.

    ``measures`` are gold columns profiled beside the features. A segment with fewer rows than
    ``small_segment`` gets neither profile nor rule, for they would be those of single customers.
    ``rows`` is what a row is called, in the plural, and ``words`` what columns are called.
    ``worth`` is the column of money that says what a row is worth: a column of its own ending in
    ``_amount`` is taken where none is named.
    ``perplexity`` is how many neighbours each row of the t-SNE map looks at, about.
    """

    measures: list[str] = []
    worth: Annotated[str, Field(min_length=1)] | None = None
    rows: Annotated[str, Field(min_length=1)] | None = None
    words: dict[str, ColumnWords] = {}
    top: Annotated[int, Field(ge=1, le=10)] = 3
    small_segment: Annotated[int, Field(ge=1)] = 5
    perplexity: Annotated[float, Field(ge=2.0, le=500.0)] = 30.0


class Log(Section):
    """A table of one row per event, with its ``time`` and ``amount``."""

    table: str
    time: str
    amount: str

    @field_validator("table")
    @classmethod
    def _table_has_a_schema(cls, value: str) -> str:
        return _with_schema(value)

    @property
    def schema_and_name(self) -> tuple[str, str]:
        """The table's schema and name."""
        schema, _, name = self.table.partition(".")
        return schema, name


class Validity(Log):
    """How to ask whether segments of the first part of a period tell of the rest.

    ``table`` has one row per purchase, with ``entity``, ``time`` and ``amount``. The study's table
    is built again from what was bought in the first ``share`` of the period: its dbt models take
    the variable ``until``, a day from which on purchases are left out, and ``variables``, those
    that the warehouse was built with. With ``returns``, one row per line that came back, they are
    asked what comes back as well.
    """

    until: str = Field(min_length=1)
    entity: str | None = None
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.75
    variables: dict[str, str] = {}
    returns: Log | None = None


class Study(Section):
    """A declarative recipe for one modelling job.

    ``order_by`` is the column by which the rows are ordered before random starts draw from
    them, for figures that were published with the order of a file; without it the entity is.
    Rows under a number of ``fit_at_least`` show too little to shape the segments: they stay out of
    the fit and are assigned all the same, where 100 rows or more reach it.
    ``reading`` is how the user's file was read, and how it is read again.
    With ``engine = "spark"`` the table lies on Spark: MLlib scales and clusters all of its rows,
    and ``sample_rows`` of them, drawn by the seed, are described in the warehouse file.
    """

    name: str = Field(min_length=1)
    title: str
    description: str = ""
    table: str
    entity: str
    where: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    at_least: dict[str, float] = {}
    under: dict[str, float] = {}
    fit_at_least: dict[str, float] = {}
    order_by: str | None = None
    partition_by: str | None = None
    label: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    engine: Literal["duckdb", "spark"] = "duckdb"
    sample_rows: Annotated[int, Field(ge=100)] = 50_000
    features: Features
    selection: Selection = Selection()
    outliers: Outliers = Outliers()
    encoding: list[Encoding] = Field([Encoding()], min_length=1)
    algorithms: list[AlgorithmSettings] = Field(min_length=1)
    choose: Choose = Choose()
    stability: Stability = Stability()
    sub_search: SubSearch | None = None
    describe: Describe = Describe()
    validity: Validity | None = None
    reading: Reading | None = None

    @field_validator("table")
    @classmethod
    def _table_has_a_schema(cls, value: str) -> str:
        return _with_schema(value)

    @model_validator(mode="before")
    @classmethod
    def _one_of_a_list_is_a_list_of_one(cls, data: dict[str, object]) -> dict[str, object]:
        # [encoding] and [algorithms] are easily written for [[encoding]] and [[algorithms]].
        alone = {key: [data[key]] for key in LISTS if isinstance(data.get(key), dict)}
        return {**data, **alone}

    @model_validator(mode="after")
    def _preset_algorithm_is_tried(self) -> Study:
        names = list(dict.fromkeys(algorithm.name for algorithm in self.algorithms))
        if self.choose.algorithm not in (None, *names):
            raise ValueError(
                f"choose.algorithm = '{self.choose.algorithm}' is none of the study's algorithms"
                f" ({', '.join(names)})"
            )
        return self

    @model_validator(mode="after")
    def _engine_can_do_it(self) -> Study:
        wrong = list(_beyond_spark(self)) if self.engine == "spark" else []
        if wrong:
            raise ValueError(f"engine = 'spark' needs {'; '.join(wrong)}; or leave engine out")
        return self

    @property
    def extras(self) -> list[str]:
        """The package's extras that the study needs installed; explaining needs the report's."""
        sections: list[Encoding | Outliers] = [*self.encoding, self.outliers]
        needed = set().union(*(section.extras for section in sections))
        needed |= {"spark"} if self.engine == "spark" else set()
        return [*sorted(needed), "report"]

    @property
    def schema_and_name(self) -> tuple[str, str]:
        """Schema and name of the table in the warehouse file: of the sample, with Spark."""
        if self.engine == "spark":
            return SPARK_SAMPLES, self.name
        schema, _, name = self.table.partition(".")
        return schema, name


def _beyond_spark(study: Study) -> Iterator[str]:
    """Say what a study has to change before Spark can run it, a phrase each."""
    for asked in study.algorithms:
        known = ALGORITHMS[asked.name].on_spark
        if known is None:
            able = names_of(lambda entry: entry.on_spark is not None)
            yield f"another algorithm than {asked.name} ({', '.join(able)})"
        elif problem := refused(asked.name, asked.parameters, known):
            yield f"other parameters ({problem})"
    kinds = [encoding.kind for encoding in study.encoding]
    if len(kinds) > 1 or kinds[0] not in ENCODINGS_ON_SPARK:
        yield f"one encoding of kind {' or '.join(ENCODINGS_ON_SPARK)}"
    if study.features.scale not in SCALES_ON_SPARK:
        yield f"features.scale = {' or '.join(map(repr, SCALES_ON_SPARK))}"
    allowed = {
        "outliers.method": (study.outliers.method, "none"),
        "outliers.reconstruct": (study.outliers.reconstruct, "none"),
        "features.incomplete": (study.features.incomplete, "impute"),
        "stability.consensus_seeds": (study.stability.consensus_seeds, 0),
    }
    yield from (f"{key} = {must!r}" for key, (value, must) in allowed.items() if value != must)
    left_out = ("partition_by", "order_by", "fit_at_least", "sub_search", "validity", "reading")
    yield from (f"no {key}" for key in left_out if getattr(study, key))
