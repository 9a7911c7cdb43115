"""The study: what one modelling job reads, tries and how it chooses.

Every section is a frozen model; unknown keys are refused. The defaults are a sound first
study of any table with one row per customer.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models_py.base.errors import near_match
from models_py.sources.reading.record import Reading
from models_py.studies.measures import CRITERIA, MEASURES
from models_py.studies.vocabulary import ALGORITHMS, refused

Share = Annotated[float, Field(ge=0.0, le=1.0)]

# TOML has lists and no tuples; their items are taken strictly all the same.
Range = Annotated[tuple[int, int], Strict(False)]

# TOML has no null: a limit that does not hold is written "none".
Unlimited = BeforeValidator(lambda value: None if value == "none" else value)

KRANGE = (2, 10)
LISTS = ("encoding", "algorithms")


def _with_schema(table: str) -> str:
    if table.count(".") != 1 or not all(table.split(".")):
        raise ValueError("table is written schema.name, such as 'gold.grocery_customers'")
    return table


class Section(BaseModel):
    """A section of a study file: frozen, and strict about its keys and their types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Features(Section):
    """Which columns become features, and how each is made a number.

    Names may hold ``*``. A column of text is categorical unless ``ordinal`` gives its order;
    every other column is numeric, with 1 and 0 for true and false. What ``categorical`` names
    is categorical whatever its type. ``winsorise`` is the share of the values clipped at each
    end; ``log1p = "auto"`` takes the logarithm of columns without a negative value whose
    skewness is over 2. A null in an ordinal column takes the rank of ``"missing"`` where its
    order holds that word, otherwise what ``impute_ordinal`` says of the ranks.
    ``category_weight`` is the variance that all levels of a category, or a column of yes and
    no, hold together where a number holds 1: scaled one by one they would outweigh the numbers.
    ``"none"`` scales them as numbers are.
    """

    include: list[str] = Field(min_length=1)
    exclude: list[str] = []
    categorical: list[str] = []
    ordinal: dict[str, list[str]] = {}
    impute: Literal["median", "mean", "zero", "constant"] = "median"
    impute_constant: float = 0.0
    impute_zero: list[str] = []
    impute_ordinal: Literal["median", "most_frequent"] = "median"
    impute_category: Literal["most_frequent", "missing"] = "most_frequent"
    missing_indicator: bool = False
    scale: Literal["standard", "robust", "minmax", "yeo_johnson", "none"] = "standard"
    log1p: Literal["auto", "none"] | list[str] = "none"
    power: list[str] = []
    one_hot_drop_first: bool = False
    category_weight: Annotated[Annotated[float, Field(gt=0.0)] | None, Unlimited] = 0.5
    winsorise: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0


class Selection(Section):
    """Limits past which a feature goes; ``"none"`` lifts that of correlation or of VIF."""

    max_missing_share: Share = 0.6
    min_variance: Annotated[float, Field(ge=0.0)] = 1e-4
    max_correlation: Annotated[Annotated[float, Field(gt=0.0, le=1.0)] | None, Unlimited] = 0.9
    max_vif: Annotated[Annotated[float, Field(gt=1.0)] | None, Unlimited] = 10.0
    max_features: Annotated[int, Field(ge=1)] | None = None


class Outliers(Section):
    """Which rows stay out of the fit; they are assigned and flagged all the same.

    ``reconstruct`` gives the encoders the values that come back from that encoder, fitted on
    the rows kept with ``reconstruct_parameters``, in place of the values themselves.
    """

    method: Literal["none", "isolation_forest", "local_outlier_factor", "ecod", "mahalanobis"] = (
        "isolation_forest"
    )
    contamination: Annotated[float, Field(gt=0.0, le=0.5)] | Literal["auto"] = 0.02
    reconstruct: Literal["none", "pca", "denoising_autoencoder"] = "none"
    reconstruct_parameters: dict[str, object] = {}


class Encoding(Section):
    """One encoder and its parameters."""

    kind: Literal[
        "none",
        "pca",
        "autoencoder",
        "denoising_autoencoder",
        "variational_autoencoder",
        "dec",
        "text",
    ] = "pca"
    parameters: dict[str, object] = {}


class Algorithm(Section):
    """One algorithm with the numbers of clusters and parameters to try.

    ``k`` is a range ``[from, to]``, or a single number; algorithms that find their own
    number take none. A list as the value of a parameter tries each of its items.
    """

    name: str
    k: int | Range = KRANGE
    parameters: dict[str, object] = {}

    @field_validator("name")
    @classmethod
    def _name_is_known(cls, value: str) -> str:
        if value not in ALGORITHMS:
            raise ValueError(
                f"unknown algorithm{near_match(value, ALGORITHMS)} (known: {', '.join(ALGORITHMS)})"
            )
        return value

    @field_validator("k")
    @classmethod
    def _k_is_a_range(
        cls, value: int | tuple[int, int], info: ValidationInfo
    ) -> int | tuple[int, int]:
        name = info.data.get("name")
        if name is not None and ALGORITHMS[name].finds_k:
            raise ValueError(f"{name} finds its own number of clusters; leave k out")
        low, high = (value, value) if isinstance(value, int) else value
        if low < 2 or high < low:
            raise ValueError("k is a number from 2, or a range [from, to] with from <= to")
        return value

    @field_validator("parameters")
    @classmethod
    def _parameters_are_known(
        cls, value: dict[str, object], info: ValidationInfo
    ) -> dict[str, object]:
        name = info.data.get("name")
        wrong = refused(name, value) if name is not None else None
        if wrong is not None:
            raise ValueError(wrong)
        return value

    @property
    def ks(self) -> list[int]:
        """The numbers of clusters to try."""
        low, high = (self.k, self.k) if isinstance(self.k, int) else self.k
        return list(range(low, high + 1))


class Choose(Section):
    """How the selected candidate is chosen.

    ``by = "rule"``: of the candidates whose smallest segment has ``min_share`` of the rows and
    whose segments all reach ``min_stability``, the highest silhouette in the common space, where
    a row that is left as noise counts 0; of those within ``tolerance`` (a share) of it, the one
    with the most segments.
    ``k`` leaves the candidates with that number of clusters alone in the choice. ``evidence``
    measures DBCV and the gap statistic of every candidate beside it.
    """

    by: str = "rule"
    min_share: Share = 0.02
    min_stability: Share = 0.6
    tolerance: Share = 0.0
    k: Annotated[int, Field(ge=2)] | None = None
    evidence: bool = False

    @field_validator("by")
    @classmethod
    def _by_is_known(cls, value: str) -> str:
        allowed = ("auto", "rule", *CRITERIA)
        if value not in allowed:
            raise ValueError(f"should be one of {', '.join(allowed)}{near_match(value, allowed)}")
        return value

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

    algorithm: Literal[
        "kmeans", "bisecting_kmeans", "gaussian_mixture", "ward", "average", "complete"
    ] = "kmeans"
    k: Range = (2, 5)
    min_share: Share = 0.2
    min_part: Share = 0.1
    min_silhouette: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.1


class Describe(Section):
    """How the segments are described.

    ``measures`` are gold columns profiled beside the features. A segment with fewer rows than
    ``small_segment`` gets neither profile nor rule, for they would be those of single customers.
    """

    measures: list[str] = []
    top: Annotated[int, Field(ge=1, le=10)] = 3
    small_segment: Annotated[int, Field(ge=1)] = 5


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
    ``reading`` is how the user's file was read, and how it is read again.
    """

    name: str = Field(min_length=1)
    title: str
    description: str = ""
    table: str
    entity: str
    where: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    at_least: dict[str, float] = {}
    order_by: str | None = None
    partition_by: str | None = None
    label: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    features: Features
    selection: Selection = Selection()
    outliers: Outliers = Outliers()
    encoding: list[Encoding] = Field([Encoding()], min_length=1)
    algorithms: list[Algorithm] = Field(min_length=1)
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

    @property
    def extras(self) -> list[str]:
        """The package's extras that the study needs installed; explaining needs the report's."""
        kinds = {encoding.kind for encoding in self.encoding} | {self.outliers.reconstruct}
        networks = {"autoencoder", "denoising_autoencoder", "variational_autoencoder", "dec"}
        needed = ["autoencoder"] if kinds & networks else []
        if self.outliers.method == "ecod":
            needed.append("outliers")
        if "text" in kinds:
            needed.append("text")
        return [*needed, "report"]

    @property
    def schema_and_name(self) -> tuple[str, str]:
        """The table's schema and name."""
        schema, _, name = self.table.partition(".")
        return schema, name
