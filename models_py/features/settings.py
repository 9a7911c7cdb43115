"""What a study says of its features, outliers and encodings; light to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from models_py.base.imports import import_named
from models_py.base.sections import Section, Share, Unlimited, check_known
from models_py.features.encoders.catalog import ENCODERS, RECONSTRUCTING


class Features(Section):
    """Which columns become features, and how each is made a number.

    Names may hold ``*``; the name of a column means that column alone. A column of text is
    categorical unless ``ordinal`` gives its order; every other column is numeric, with 1 and 0
    for true and false. What ``categorical`` names
    is categorical whatever its type. ``winsorise`` is the share of the values clipped at each
    end; ``log1p = "auto"`` takes the logarithm of columns without a negative value whose
    skewness is over 2. A null in an ordinal column takes the rank of ``"missing"`` where its
    order holds that word, otherwise what ``impute_ordinal`` says of the ranks.
    ``category_weight`` is the variance that all levels of a category, or a column of yes and
    no, hold together where a number holds 1: scaled one by one they would outweigh the numbers.
    ``"none"`` scales them as numbers are. With ``incomplete = "drop_after_scaling"`` centers and
    spreads are those of every known value, and a row with a null in a feature stays out of all
    that is fitted after them; it is assigned and flagged as an outlier is. ``missing`` says
    which values of a column stand for none (``age = [-1]``): they are null everywhere, in
    profiles and rules too.
    ``compositions`` names groups of columns that are shares of one whole, each with its patterns:
    their square roots are taken, so that distances between them are Hellinger's, and the parts
    together hold the variance that one number holds: twelve shares are not twelve votes.
    """

    include: list[str] = Field(min_length=1)
    exclude: list[str] = []
    categorical: list[str] = []
    ordinal: dict[str, list[str]] = {}
    missing: dict[str, Annotated[list[float | str], Field(min_length=1)]] = {}
    impute: Literal["median", "mean", "zero", "constant"] = "median"
    impute_constant: float = 0.0
    impute_zero: list[str] = []
    impute_ordinal: Literal["median", "most_frequent"] = "median"
    impute_category: Literal["most_frequent", "missing"] = "most_frequent"
    missing_indicator: bool = False
    incomplete: Literal["impute", "drop_after_scaling"] = "impute"
    scale: Literal["standard", "robust", "minmax", "yeo_johnson", "none"] = "standard"
    log1p: Literal["auto", "none"] | list[str] = "none"
    power: list[str] = []
    one_hot_drop_first: bool = False
    category_weight: Annotated[Annotated[float, Field(gt=0.0)] | None, Unlimited] = 0.5
    winsorise: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    compositions: dict[str, Annotated[list[str], Field(min_length=1)]] = {}


class Selection(Section):
    """Limits past which a feature goes; ``"none"`` lifts that of correlation or of VIF."""

    max_missing_share: Share = 0.6
    min_variance: Annotated[float, Field(ge=0.0)] = 1e-4
    max_correlation: Annotated[Annotated[float, Field(gt=0.0, le=1.0)] | None, Unlimited] = 0.9
    max_vif: Annotated[Annotated[float, Field(gt=1.0)] | None, Unlimited] = 10.0
    max_features: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True)
class OutlierMethod:
    """One way to score outliers.

    Attributes
    ----------
    detector
        ``"module:function"`` of this package: takes the points and a seed, and returns scores
        (the higher, the further out) with the threshold that ``contamination = "auto"`` takes.
    extra
        The package's extra that it needs installed.
    """

    detector: str
    extra: str | None = None

    def load(self) -> Callable[..., Any]:
        """Import the detector."""
        loaded: Callable[..., Any] = import_named("models_py.features", self.detector)
        return loaded


OUTLIER_METHODS: dict[str, OutlierMethod | None] = {
    "none": None,
    "isolation_forest": OutlierMethod("outliers:isolation_forest"),
    "local_outlier_factor": OutlierMethod("outliers:local_outlier_factor"),
    "ecod": OutlierMethod("outliers:ecod", extra="outliers"),
    "mahalanobis": OutlierMethod("outliers:mahalanobis"),
}


class Outliers(Section):
    """Which rows stay out of the fit; they are assigned and flagged all the same.

    ``reconstruct`` gives the encoders the values that come back from that encoder, fitted on
    the rows kept with ``reconstruct_parameters``, in place of the values themselves.
    """

    method: str = "isolation_forest"
    contamination: Annotated[float, Field(gt=0.0, le=0.5)] | Literal["auto"] = 0.02
    reconstruct: str = "none"
    reconstruct_parameters: dict[str, object] = {}

    @field_validator("method")
    @classmethod
    def _method_is_known(cls, value: str) -> str:
        return check_known("method", value, OUTLIER_METHODS)

    @field_validator("reconstruct")
    @classmethod
    def _encoder_reconstructs(cls, value: str) -> str:
        return check_known("encoder that reconstructs", value, RECONSTRUCTING)

    @property
    def extras(self) -> set[str]:
        """The package's extras that the section needs installed."""
        method = OUTLIER_METHODS[self.method]
        needed = {ENCODERS[self.reconstruct].extra, None if method is None else method.extra}
        return {extra for extra in needed if extra is not None}


class Encoding(Section):
    """One encoder and its parameters."""

    kind: str = "pca"
    parameters: dict[str, object] = {}

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, value: str) -> str:
        return check_known("encoder", value, ENCODERS)

    @property
    def extras(self) -> set[str]:
        """The package's extras that the encoder needs installed."""
        extra = ENCODERS[self.kind].extra
        return set() if extra is None else {extra}
