"""Which columns are numbers, which answer yes or no, and which hold words."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from models_py.features.recipes import as_numbers, is_number

if TYPE_CHECKING:
    import pandas as pd

    from models_py.features.settings import Features

Kind = Literal["number", "boolean", "words"]

MEASURED = ("*_share", "*_ratio", "*_count", "*_amount", "*_days", "*_mean", "*_median")
"""Numbers by their name, though 0 and 1 may be all that a table holds of them."""


def column_kinds(frame: pd.DataFrame, features: Features) -> dict[str, Kind]:
    """Return what each column holds, however the study makes numbers of it.

    Parameters
    ----------
    frame
        Gold rows.
    features
        The study's section: what it takes for words is words, though it stands as numbers.

    Examples
    --------
    An order that a study gives to words does not make a quantity of them:

    >>> import pandas as pd
    >>> from models_py.features.settings import Features
    >>> frame = pd.DataFrame({"age": [31, 40], "score": ["Low", "High"], "is_new": [True, False]})
    >>> column_kinds(frame, Features(include=["*"], ordinal={"score": ["High", "Low"]}))
    {'age': 'number', 'score': 'words', 'is_new': 'boolean'}
    """
    from pandas.api.types import is_datetime64_any_dtype, is_timedelta64_dtype

    return {
        str(column): _kind(str(column), values, features)
        for column, values in frame.items()
        if not is_datetime64_any_dtype(values) and not is_timedelta64_dtype(values)
    }


def is_measured(column: str) -> bool:
    """Return whether a column's name says that it is a number, whatever it holds."""
    return any(fnmatchcase(column, pattern) for pattern in MEASURED)


def _kind(name: str, column: pd.Series[Any], features: Features) -> Kind:
    if name in features.ordinal or not is_number(column):
        return "words"
    if _is_yes_or_no(name, column):
        return "boolean"
    return "words" if name in features.categorical else "number"


def _is_yes_or_no(name: str, column: pd.Series[Any]) -> bool:
    if is_measured(name):
        return False
    values = as_numbers(column)
    return set(np.unique(values[~np.isnan(values)])) == {0.0, 1.0}
