"""Arrays that travel between the steps: their types, their blocks, and what is asked of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models_py.base.errors import DataError

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def blocks(rows: int, size: int) -> list[slice]:
    """Cut 0..rows into slices of ``size`` rows, the last perhaps shorter, whatever the threads."""
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


def finite_table(
    points: npt.ArrayLike,
    subject: str = "points",
    purpose: str = "measuring",
    *,
    may_be_empty: bool = False,
) -> FloatArray:
    """Return points as a C-contiguous float64 table, or say what is wrong with them.

    Parameters
    ----------
    points
        Shape (n, p).
    subject, purpose
        Whose points they are and what they are for, as an error names them.
    may_be_empty
        Take a table without rows or columns too.

    Raises
    ------
    DataError
        When there is no row, no column, or a value that is not finite.
    """
    table = np.ascontiguousarray(points, dtype=np.float64)
    if table.ndim != 2 or (0 in table.shape and not may_be_empty):
        raise DataError(
            f"{subject}: a table with rows and columns is needed, got shape {table.shape}; "
            "keep at least one feature and one row"
        )
    is_finite = np.isfinite(table).all(axis=0)
    if not is_finite.all():
        raise DataError(
            f"{subject}: column {int(np.argmin(is_finite))} holds missing or infinite values; "
            f"impute or drop it before {purpose}"
        )
    return table
