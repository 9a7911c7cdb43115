"""How one gold column becomes columns of the feature matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.rounding import is_constant

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dropped:
    """A feature that went, at which step and why."""

    feature: str
    step: str
    reason: str
    variance: float | None = None
    vif: float | None = None


@dataclass(frozen=True)
class Recipe:
    """How one feature is made from one gold column.

    The value goes through: number (or rank, or 1/0 for a category and a truth value), clipping
    to ``low``..``high``, ``fill`` for null, ``log1p``, square ``root`` (of a share that is part
    of the ``composition`` named) or Yeo-Johnson with ``power``, then
    ``(value - center) / spread``. The values of ``missing`` stand for null. ``known`` are the
    words that the column of a category held.
    """

    feature: str
    column: str
    kind: Kind
    fill: float = 0.0
    low: float | None = None
    high: float | None = None
    log1p: bool = False
    power: float | None = None
    center: float = 0.0
    spread: float = 1.0
    category: str | None = None
    fill_category: str | None = None
    order: tuple[str, ...] = ()
    root: bool = False
    composition: str | None = None
    missing: tuple[float | str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def missing_numbers(self) -> list[float]:
        """The numbers among the values that stand for null."""
        return missing_numbers(self.missing)

    @property
    def missing_words(self) -> list[str]:
        """The values that stand for null, as a column of words has them."""
        return as_text(self.missing)


def type_of_values(column: pd.Series[Any]) -> str:
    """Return what pandas infers of a column's values, nulls left out."""
    from pandas.api.types import infer_dtype

    return str(infer_dtype(column, skipna=True))


def is_plain_number(column: pd.Series[Any]) -> bool:
    """Whether a column's type is a real number or a boolean."""
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    return (is_numeric_dtype(column) or is_bool_dtype(column)) and not is_complex_dtype(column)


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column holds real numbers, be it as objects."""
    return is_plain_number(column) or type_of_values(column) in NUMBERS_IN_OBJECTS


def as_numbers(column: pd.Series[Any]) -> FloatArray:
    """Return a column as floats, shape (rows,); nan where it is null."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def as_words(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column's values as text, nulls kept."""
    # As objects: a pandas categorical would bring categories that no row has.
    if type_of_values(column) == "string":
        return column.astype(object).infer_objects()
    return column.astype(object).map(_word, na_action="ignore")


def without_missing(column: pd.Series[Any], missing: Sequence[float | str]) -> pd.Series[Any]:
    """Return a column with null in the place of the values that stand for missing ones."""
    if not missing:
        return column
    if is_number(column):
        numbers = missing_numbers(missing)
        return column.mask(np.isin(as_numbers(column), numbers)) if numbers else column
    return column.mask(as_words(column).isin(as_text(missing)))


def as_text(missing: Sequence[float | str]) -> list[str]:
    """Return the values that stand for missing ones as a column of words has them."""
    return [_word(value) for value in missing]


def missing_numbers(missing: Sequence[float | str]) -> list[float]:
    """Return the numbers among the values that stand for missing ones."""
    numbers = []
    for value in missing:
        try:
            numbers.append(float(value))
        except ValueError:
            # A word: no column of numbers holds it.
            continue
    return numbers


def _word(value: object) -> str:
    # A column of whole numbers becomes floating where a null is among them.
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def apply_recipe(recipe: Recipe, column: pd.Series[Any]) -> FloatArray:
    """Return a fitted feature of a column, shape (rows,)."""
    return (before_scaling(recipe, column) - recipe.center) / recipe.spread


def is_two_valued(recipe: Recipe, column: pd.Series[Any]) -> bool:
    """Whether a feature holds 0 and 1 alone before scaling."""
    if recipe.kind != "numeric":
        return recipe.kind != "ordinal"
    values = as_numbers(column)
    return set(np.unique(values[~np.isnan(values)])) <= {0.0, 1.0}


def before_scaling(recipe: Recipe, column: pd.Series[Any]) -> FloatArray:
    """Return a feature of a column before it is centered and scaled, shape (rows,)."""
    column = without_missing(column, recipe.missing)
    match recipe.kind:
        case "indicator":
            return column.isna().to_numpy().astype(np.float64)
        case "category":
            words = as_words(column).where(column.notna(), recipe.fill_category)
            return (words == recipe.category).to_numpy().astype(np.float64)
        case "ordinal":
            ranks = {word: float(rank) for rank, word in enumerate(recipe.order)}
            known = as_numbers(as_words(column).map(ranks).astype(float))
            return np.where(np.isnan(known), recipe.fill, known)
        case "numeric":
            return _transformed(recipe, as_numbers(column))


def _transformed(recipe: Recipe, raw: FloatArray) -> FloatArray:
    values = raw
    if recipe.low is not None and recipe.high is not None:
        values = np.clip(values, recipe.low, recipe.high)
    values = np.where(np.isfinite(raw), values, recipe.fill)
    if recipe.log1p:
        values = np.log1p(np.maximum(values, 0.0))
    if recipe.root:
        values = np.sqrt(np.maximum(values, 0.0))
    return values if recipe.power is None else _yeo_johnson(values, recipe.power)


def yeo_johnson_power(values: FloatArray) -> float:
    """Return the power of the Yeo-Johnson transform that fits values best."""
    from scipy.stats import yeojohnson_normmax

    if np.abs(values).max() < NEARLY_ZERO or is_constant(values):
        # So near to 0 every power leaves the values as they are, and the search for one overflows.
        return 1.0
    with np.errstate(all="ignore"):
        power = float(yeojohnson_normmax(values))
    return power if np.isfinite(power) else 1.0


def _yeo_johnson(values: FloatArray, power: float) -> FloatArray:
    from scipy.stats import yeojohnson

    with np.errstate(over="ignore", invalid="ignore"):
        transformed: FloatArray = yeojohnson(values, lmbda=power)
    return transformed


NEARLY_ZERO = 1e-12


NUMBERS_IN_OBJECTS = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")


Kind = Literal["numeric", "ordinal", "category", "indicator"]
