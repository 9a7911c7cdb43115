"""What a user has in memory, as Arrow rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models_py.base.errors import DataError, first_line_of, near_match

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_rows(frame: Any, least: int = 1) -> pa.Table:
    """Return a frame, or an array of numbers, as an Arrow table.

    Parameters
    ----------
    frame
        pandas, Polars, PyArrow or whatever else speaks Arrow's PyCapsule interface; or an array
        of shape (rows, columns), whose columns are called ``x0``, ``x1``, ...
    least
        Rows that there must be.

    Raises
    ------
    DataError
        It has no columns, two of one name, or values of several kinds in one column.
    ValueError
        An array has another shape, or fewer rows.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        if isinstance(frame, pd.DataFrame):
            named = frame.set_axis(_distinct([str(name) for name in frame]), axis="columns")
            rows = pa.Table.from_pandas(named, preserve_index=False).replace_schema_metadata(None)
        elif hasattr(frame, "__arrow_c_stream__"):
            rows = pa.table(frame)
        else:
            return _array_rows(frame, least)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"the frame cannot be read as Arrow ({first_line_of(error)}): give that column values"
            " of one type"
        ) from error
    _distinct(rows.column_names)
    if not rows.num_columns or rows.num_rows < least:
        raise DataError(
            f"the frame has {rows.num_rows:,} rows and {rows.num_columns:,} columns: at least"
            f" {least} and 1 are needed"
        )
    return rows


def _distinct(names: list[str]) -> list[str]:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"the frame has two columns '{twice[0]}': rename one")
    return names


def _array_rows(values: Any, least: int) -> pa.Table:
    import pyarrow as pa
    from sklearn.utils import check_array

    checked = check_array(
        values, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=least
    )
    if checked.dtype == object:
        checked = checked.astype("float64")
    return pa.table({f"x{place}": column for place, column in enumerate(checked.T.copy())})


def ids_as_text(rows: pa.Table, column: str) -> list[str]:
    """Return the ids as the warehouse writes them.

    Raises
    ------
    DataError
        There is no such column, or a row has none.
    """
    from models_py.database.reading.loading import text_of

    if column not in rows.column_names:
        raise DataError(
            f"id '{column}': the frame has no such column{near_match(column, rows.column_names)}"
            f" (it has: {', '.join(rows.column_names)})"
        )
    if rows[column].null_count:
        raise DataError(f"id '{column}' is missing on {rows[column].null_count:,} rows")
    return text_of(rows, column)
