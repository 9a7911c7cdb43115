"""Distances between all pairs of rows, in blocks of bounded size and on all cores.

Every distance is computed from differences in float64 (never from inner products, which lose
half the digits of near points), so equal rows are at distance 0 exactly. The cosine distance of
two rows is half the squared Euclidean distance of the rows scaled to length 1.
"""

from __future__ import annotations


import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, finite_table
from models_py.base.errors import UsageError, near_match
from models_py.base.threads import compiled

EUCLIDEAN, COSINE = "euclidean", "cosine"
METRICS: tuple[str, ...] = (EUCLIDEAN, COSINE)

TILE = 64  # rows that one kernel handles side by side: 8 vector registers of 8 float64
_FEATURE_STEP = 4  # features summed in registers before a partial sum goes back to memory


def check_metric(metric: str) -> None:
    """Raise unless ``metric`` is known.

    Raises
    ------
    UsageError
        With the near match.
    """
    if metric not in METRICS:
        allowed = ", ".join(METRICS)
        raise UsageError(f"metric '{metric}' is not one of {allowed}{near_match(metric, METRICS)}")


def measurable_rows(points: npt.ArrayLike, metric: str = "euclidean") -> FloatArray:
    """Rows whose squared Euclidean distances give the metric's distances.

    For the Euclidean metric these are the points themselves, for the cosine metric the points
    scaled to length 1. A row of zeros has no direction: it is put at distance 1 from every other
    direction and at distance 0 from other rows of zeros (on an axis of its own).

    Parameters
    ----------
    points
        Shape (n, p), finite.
    metric
        ``"euclidean"`` or ``"cosine"``.

    Returns
    -------
    FloatArray
        Shape (n, q), C-contiguous, with q padded by zeros to a multiple of four.

    Raises
    ------
    UsageError
        The metric is unknown.
    DataError
        The points are not a table of finite numbers.
    """
    check_metric(metric)
    rows = finite_table(points, may_be_empty=True)
    columns = [rows + 0.0] if metric == "euclidean" else _directions(rows)
    width = sum(column.shape[1] for column in columns)
    padding = -width % _FEATURE_STEP or (_FEATURE_STEP if width == 0 else 0)
    return np.ascontiguousarray(np.hstack([*columns, np.zeros((len(rows), padding))]))


def directions(points: FloatArray) -> FloatArray:
    """Return the rows at length 1, shape (n, p); rows of zeros stay zeros.

    Half their squared Euclidean distance is the cosine distance, so that whatever works on
    Euclidean coordinates (centers, nearest rows, Ward's linkage) works on angles with them.
    """
    return np.ascontiguousarray(_directions(finite_table(points, may_be_empty=True))[0])


def metric_points(points: FloatArray, metric: str) -> FloatArray:
    """Return the rows whose Euclidean distances rank as the metric's do, shape (n, p).

    Raises
    ------
    UsageError
        The metric is unknown.
    """
    check_metric(metric)
    return points if metric == "euclidean" else directions(points)


def _directions(rows: FloatArray) -> list[FloatArray]:
    largest = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    zero = largest == 0.0
    scaled = rows / np.where(zero, 1.0, largest)  # first by the largest: squares cannot overflow
    length = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    unit = scaled / np.where(zero, 1.0, length) + 0.0
    return [unit, zero.astype(np.float64)] if zero.any() else [unit]


@compiled
def tile_squares(tile: FloatArray, vector: FloatArray, out: FloatArray) -> None:
    """Squared distances of one vector (q,) to the TILE columns of ``tile`` (q, TILE)."""
    for t in range(TILE):
        out[t] = 0.0
    for feature in range(0, len(vector), _FEATURE_STEP):
        a, b = vector[feature], vector[feature + 1]
        c, d = vector[feature + 2], vector[feature + 3]
        for t in range(TILE):
            da, db = tile[feature, t] - a, tile[feature + 1, t] - b
            dc, dd = tile[feature + 2, t] - c, tile[feature + 3, t] - d
            out[t] += da * da + db * db + dc * dc + dd * dd


@compiled
def load_tile(vectors: FloatArray, first: int, tile: FloatArray) -> None:
    """Copy rows first..first + TILE of ``vectors`` (n, q) to the columns of ``tile`` (q, TILE).

    Past the end the last row is repeated.
    """
    n = len(vectors)
    for t in range(TILE):
        row = min(first + t, n - 1)
        for feature in range(vectors.shape[1]):
            tile[feature, t] = vectors[row, feature]
