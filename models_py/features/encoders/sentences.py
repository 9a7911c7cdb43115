"""From a row to a sentence: a template with the row's columns in it.

``"{job}, in their {age:~10}s, with {has_housing_loan}"`` names columns in braces. ``~10`` rounds a
number down to a multiple of 10, so that rows that hardly differ are one text; any format of
Python's works as well. ``words`` says what stands for false and true.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from string import Formatter
from typing import TYPE_CHECKING

from models_py.base.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

STEP = "~"


def template_columns(template: str) -> list[str]:
    """Return the columns that a template names, each once.

    Raises
    ------
    ValueError
        It names none, or its braces do not match.
    """
    columns = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    if not columns or not all(columns):
        raise ValueError("a template names columns in braces, such as '{job}, {age} years old'")
    return list(dict.fromkeys(columns))


def render_rows(
    frame: pd.DataFrame, template: str, words: Mapping[str, tuple[str, str]], missing: str
) -> list[str]:
    """Return one sentence per row.

    Parameters
    ----------
    frame
        The columns that the template names.
    template
        See the module.
    words
        Column to what stands for false and for true.
    missing
        What stands for null.

    Raises
    ------
    DataError
        A column is missing, or a value does not take its format.
    """
    columns = template_columns(template)
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise DataError(
            f"encoder 'text': the template names '{absent[0]}', which is no feature of the study;"
            " add it to features.include"
        )
    pieces = list(Formatter().parse(template))
    texts = [""] * len(frame)
    for literal, column, form, _ in pieces:
        if column is None:
            texts = [text + literal for text in texts]
            continue
        result = _value_texts(frame[column], column, form or "", words.get(column), missing)
        texts = [text + literal + value for text, value in zip(texts, result, strict=True)]
    return texts


def _value_texts(
    column: pd.Series, name: str, form: str, words: tuple[str, str] | None, missing: str
) -> list[str]:
    # Few values are many rows: each is worded once.
    codes, values = column.astype(object).factorize()
    texts = [_value_text(value, name, form, words) for value in values]
    return [missing if code < 0 else texts[code] for code in codes]


def _value_text(value: object, name: str, form: str, words: tuple[str, str] | None) -> str:
    if words is not None:
        return words[1 if value else 0]
    try:
        if form.startswith(STEP):
            step = float(form.removeprefix(STEP))
            return f"{math.floor(float(str(value)) / step) * step:.10g}"
        if not form and isinstance(value, float) and value.is_integer():
            return str(int(value))
        return format(value, form)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise DataError(
            f"encoder 'text': {name} = {value!r} does not take the format '{form}'; use {STEP}10 to"
            " round a number down to tens, or no format"
        ) from error
