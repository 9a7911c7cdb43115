"""Texts that a spreadsheet would take for a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    return frame.assign(**{str(name): frame[name].map(spreadsheet_cell) for name in texts})
