"""What each segment is like: its figures beside the population's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models_py.clustering.centres import centre_distances, group_centres
from models_py.typing import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "segment_id",
    "feature",
    "mean",
    "median",
    "lower_quartile",
    "upper_quartile",
    "population_mean",
    "z",
    "importance",
)


def profile_segments(frame: pd.DataFrame, segment_ids: IntArray) -> pd.DataFrame:
    """Describe every numeric column in every segment.

    Parameters
    ----------
    frame
        Gold columns in their own units, one row per entity; nulls are left out of each
        figure, other than numeric and boolean columns are left out altogether.
    segment_ids
        Shape (rows,).

    Returns
    -------
    pandas.DataFrame
        One row per segment and feature: ``segment_id``, ``feature``, ``mean``, ``median``,
        ``lower_quartile``, ``upper_quartile``, ``population_mean``, ``z`` (the difference of
        the means in population standard deviations) and ``importance`` (eta squared: the
        share of the column's variance that lies between segments).
    """
    import pandas as pd

    numbers = frame.select_dtypes(["number", "bool", "boolean"], exclude=["timedelta"])
    numbers = numbers.astype(float).replace([np.inf, -np.inf], np.nan)
    numbers = numbers.loc[:, numbers.notna().any()]
    if numbers.columns.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    grouped = numbers.groupby(segment_ids)
    parts = {
        "mean": grouped.mean(),
        "median": grouped.median(),
        "lower_quartile": grouped.quantile(0.25),
        "upper_quartile": grouped.quantile(0.75),
    }
    profiles = pd.DataFrame({name: part.stack(future_stack=True) for name, part in parts.items()})
    profiles.index.names = ["segment_id", "feature"]
    profiles = profiles.reset_index()
    means, spreads = numbers.mean(), numbers.std(ddof=0)
    feature = profiles["feature"]
    profiles["population_mean"] = feature.map(means)
    spread = feature.map(spreads).where(lambda values: values > 0)
    profiles["z"] = ((profiles["mean"] - profiles["population_mean"]) / spread).fillna(0.0)
    profiles["importance"] = feature.map(_between_share(numbers, segment_ids))
    return profiles


def _between_share(numbers: pd.DataFrame, segment_ids: IntArray) -> pd.Series[float]:
    overall = numbers.mean()
    grouped = numbers.groupby(segment_ids)
    between = (grouped.count() * (grouped.mean() - overall) ** 2).sum()
    total = ((numbers - overall) ** 2).sum()
    return (between / total.where(total > 0)).fillna(0.0)


def confidences(points: FloatArray, groups: IntArray) -> FloatArray:
    """Return how clearly each row belongs: 1 - distance to its centre / to the nearest other.

    Parameters
    ----------
    points
        Shape (rows, columns): the encoding that was clustered.
    groups
        Shape (rows,): 0..k-1.

    Returns
    -------
    FloatArray
        Shape (rows,), 0 (as near to another centre, or nearer) to 1; all 1 for one group.
    """
    centres = group_centres(points, groups)
    if len(centres) < 2:
        return np.ones(len(points))
    distances = centre_distances(points, centres)
    rows = np.arange(len(points))
    own = distances[rows, groups]
    distances[rows, groups] = np.inf
    other = distances.min(axis=1)
    share = np.divide(own, other, out=np.ones_like(own), where=other > 0)
    return np.asarray(np.clip(1.0 - share, 0.0, 1.0))
