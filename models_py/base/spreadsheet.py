"""Texts that a spreadsheet would take for a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_cell(value: object) -> object:
    """Return a value as it is, or a text that would be run as a formula behind an apostrophe."""
    if isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA):
        return f"'{value}"
    return value


def spreadsheet_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the cells of :func:`spreadsheet_cell`."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    texts = [c for c in frame if not (is_numeric_dtype(frame[c]) or is_bool_dtype(frame[c]))]
    return frame.assign(**{str(name): _spreadsheet_column(frame[name]) for name in texts})


def _spreadsheet_column(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    is_text = isinstance(column.dtype, pd.StringDtype)
    # Few columns have a value that begins so: those of text are looked at as a whole.
    if is_text and not column.str.startswith(_BEGINS_A_FORMULA, na=False).any():
        return column
    return column.map(spreadsheet_cell)
