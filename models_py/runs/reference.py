"""What the rows of a run were like: kept with it, so that drift can be measured against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.base.rounding import without_last_bits
from models_py.clustering.distances import EUCLIDEAN
from models_py.features.matrix import FeatureMatrix
from models_py.segmentation.measures.computing import EXACT_SILHOUETTE_ROWS, silhouettes

if TYPE_CHECKING:
    import pandas as pd

    from models_py.features.encoders.base import Encoder

BINS = 10
"""Bins of a feature with many values: tenths of the run's rows, as is usual for the PSI."""

CURVE_POINTS = 5_000
"""Values kept of a feature's distribution; with as many distinct ones or fewer it is exact."""


@dataclass(frozen=True, eq=False)
class FeatureReference:
    """How one feature was distributed.

    Attributes
    ----------
    edges
        Shape (bins - 1,): a bin reaches from one edge (excluded) to the next (included).
    counts
        Shape (bins + 1,): rows in each bin; the last holds those without a value.
    values, shares
        Shape (m,): rising values and the share of the known values that are not above each.
    known
        Rows with a value.
    """

    edges: FloatArray
    counts: IntArray
    values: FloatArray
    shares: FloatArray
    known: int


@dataclass(frozen=True)
class Figures:
    """Single figures of a partition's rows.

    Attributes
    ----------
    rows
        How many there were.
    silhouette
        Mean over all rows in the chosen encoding; nan with one segment or past 60,000 rows.
    simplified_silhouette
        From the distances to the centers; nan with one segment.
    reconstruction_error
        Mean squared error over all rows; nan where the encoder has no way back or loses nothing.
    """

    rows: int
    silhouette: float
    simplified_silhouette: float
    reconstruction_error: float


@dataclass(frozen=True, eq=False)
class Reference:
    """The rows of a partition, in figures.

    Attributes
    ----------
    features
        By name, in the order of the matrix's columns.
    sizes
        Shape (segments,): rows of each.
    error_quantiles
        Shape (101,): percentiles of the rows' reconstruction errors; empty where there are none.
    figures
        Single figures.
    """

    features: dict[str, FeatureReference]
    sizes: IntArray
    error_quantiles: FloatArray
    figures: Figures

    def arrays(self) -> dict[str, FloatArray | IntArray]:
        """Return the arrays by name; features are numbered."""
        content: dict[str, FloatArray | IntArray] = {
            "sizes": self.sizes,
            "error_quantiles": self.error_quantiles,
        }
        for number, feature in enumerate(self.features.values()):
            for part in ("edges", "counts", "values", "shares"):
                content[f"{part}_{number}"] = getattr(feature, part)
            content[f"known_{number}"] = np.array([feature.known], dtype=np.int64)
        return content

    def figures_json(self) -> dict[str, float | None]:
        """Return the single figures; null for nan."""
        figures = asdict(self.figures)
        return {name: None if np.isnan(value) else value for name, value in figures.items()}

    @classmethod
    def from_arrays(
        cls, names: list[str], arrays: Mapping[str, Any], figures: Mapping[str, float | None]
    ) -> Reference:
        """Return the reference that :meth:`arrays` and :meth:`figures_json` gave."""
        features = {
            name: FeatureReference(
                arrays[f"edges_{number}"],
                arrays[f"counts_{number}"],
                arrays[f"values_{number}"],
                arrays[f"shares_{number}"],
                int(arrays[f"known_{number}"][0]),
            )
            for number, name in enumerate(names)
        }
        numbers = {n: np.nan if value is None else value for n, value in figures.items()}
        numbers["rows"] = int(numbers["rows"])
        result = Figures(**numbers)  # type: ignore[arg-type]
        return cls(features, arrays["sizes"], arrays["error_quantiles"], result)


def feature_values(matrix: FeatureMatrix, frame: pd.DataFrame) -> pd.DataFrame:
    """Return each feature in the units of gold, null where it is not known.

    Categories are 1 or 0, an ordinal column its rank, a truth value 1 or 0. Numbers have 12
    digits: sums that were added up in another order are no shift.
    """
    import pandas as pd

    values = without_last_bits(matrix.unscaled(frame))
    return pd.DataFrame(values, columns=matrix.names_, index=frame.index)


def feature_reference(values: FloatArray) -> FeatureReference:
    """Return how the values of one feature are distributed.

    Parameters
    ----------
    values
        Shape (n,): nan where it is not known.
    """
    known = np.sort(values[~np.isnan(values)])
    edges = _edges(known)
    distinct, ends = np.unique(known, return_counts=True)
    shares = np.cumsum(ends) / max(known.size, 1)
    if distinct.size > CURVE_POINTS:
        kept = np.unique(np.linspace(0, distinct.size - 1, CURVE_POINTS).round().astype(int))
        distinct, shares = distinct[kept], shares[kept]
    return FeatureReference(edges, bin_counts(values, edges), distinct, shares, int(known.size))


def bin_counts(values: FloatArray, edges: FloatArray) -> IntArray:
    """Return the rows in each bin and, last, those without a value; shape (edges + 2,)."""
    known = values[~np.isnan(values)]
    bins = np.bincount(np.searchsorted(edges, known, side="left"), minlength=edges.size + 1)
    return np.append(bins, values.size - known.size).astype(np.int64)


def mean_silhouettes(
    points: FloatArray,
    groups: IntArray,
    metric: str = EUCLIDEAN,
    samples: FloatArray | None = None,
) -> tuple[float, float]:
    """Return the mean silhouette and the simplified one; nan where one is not measured.

    Parameters
    ----------
    points, groups, metric
        Shape (n, d), the segment of each row, and the distance.
    samples
        Shape (n,): each row's silhouette where it was computed already, nan where it was not.
    """
    from models_py.segmentation.measures.silhouette import mean_of_clustered, simplified_silhouette

    if np.unique(groups).size < 2:
        return np.nan, np.nan
    exact = np.nan
    if samples is not None:
        exact = float(mean_of_clustered(samples[None, :])[0])
    elif len(points) <= EXACT_SILHOUETTE_ROWS:
        exact = float(silhouettes(points, groups[None, :], metric)[0])
    return exact, float(simplified_silhouette(points, groups, metric=metric).mean())


def reconstruction_errors(encoder: Encoder, points: FloatArray) -> FloatArray:
    """Return each row's mean squared error, shape (n,); empty where there is no decoder.

    Parameters
    ----------
    encoder
        Fitted.
    points
        Shape (n, p): what it was fitted on, or new rows of the same columns.
    """
    if encoder.kind == "none":
        return np.empty(0)
    try:
        return encoder.reconstruction_error(points)
    except DataError:
        # The encoder keeps no way back from its embedding.
        return np.empty(0)


def _edges(known: FloatArray) -> FloatArray:
    distinct = np.unique(known)
    if distinct.size <= BINS:
        return np.asarray((distinct[1:] + distinct[:-1]) / 2.0)
    return np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
