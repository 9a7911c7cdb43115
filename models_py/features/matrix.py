"""From gold columns to a matrix of finite numbers: impute, transform, encode, scale.

One fitted :class:`FeatureMatrix` treats new customers as it treated the old ones. Its
state is plain numbers and words, kept as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import StudyError, near_match
from models_py.base.patterns import matching, matching_any
from models_py.base.rounding import LARGEST, ROUNDING, is_constant
from models_py.features.recipes import (
    Dropped,
    Recipe,
    apply_recipe,
    as_numbers,
    as_words,
    before_scaling,
    is_number,
    is_plain_number,
    is_two_valued,
    type_of_values,
    without_missing,
    yeo_johnson_power,
)
from models_py.features.settings import Features

if TYPE_CHECKING:
    import pandas as pd

ALL_CATEGORIES_LIMIT = 50
SKEW_LIMIT = 2.0
MISSING = "missing"
NESTED = (list, tuple, set, dict, np.ndarray)


@dataclass(frozen=True)
class _Named:
    """The columns of a table that each key of ``[features]`` means.

    ``log1p`` is None where a column's own skewness decides.
    """

    categorical: set[str]
    ordinal: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[float | str, ...]]
    impute_zero: set[str]
    power: set[str]
    log1p: set[str] | None

    @classmethod
    def of(cls, features: Features, columns: Sequence[str]) -> _Named:
        log1p = features.log1p
        return cls(
            categorical=matching_any(features.categorical, columns),
            ordinal={c: tuple(order) for c, order in _by_column(features.ordinal, columns)},
            missing={c: tuple(values) for c, values in _by_column(features.missing, columns)},
            impute_zero=matching_any(features.impute_zero, columns),
            power=matching_any(features.power, columns),
            log1p=None if isinstance(log1p, str) else matching_any(log1p, columns),
        )


@dataclass(frozen=True, eq=False)
class Moments:
    """What all rows of a table say of features before they are scaled.

    Attributes
    ----------
    means, variances, lows, highs
        Shape (features,).
    correlation
        Shape (features, features).
    """

    means: FloatArray
    variances: FloatArray
    lows: FloatArray
    highs: FloatArray
    correlation: FloatArray


def _by_column(
    named: Mapping[str, Sequence[Any]], columns: Sequence[str]
) -> list[tuple[str, Sequence[Any]]]:
    # A column's own name counts more than a pattern, and the first pattern more than the next.
    results: dict[str, Sequence[Any]] = {}
    for pattern in sorted(named, key=lambda item: item not in columns):
        for column in matching(pattern, columns):
            results.setdefault(column, named[pattern])
    return list(results.items())


def without_missing_values(
    frame: pd.DataFrame, features: Features, apart: Collection[str | None] = ()
) -> pd.DataFrame:
    """Return a frame with null where a study says that a value stands for none.

    Parameters
    ----------
    frame
        Gold columns.
    features
        The study's section of that name.
    apart
        Columns that stay as they are.
    """
    columns = [str(column) for column in frame.columns if column not in apart]
    named = dict(_by_column(features.missing, columns))
    if not named:
        return frame
    return frame.assign(
        **{column: without_missing(frame[column], values) for column, values in named.items()}
    )


class FeatureMatrix:
    """Turns gold columns into the scaled feature matrix.

    Parameters
    ----------
    features
        The study's section of that name.
    max_missing_share
        A column with more nulls than this share is dropped.

    Attributes
    ----------
    recipes_ : list of Recipe
        One per feature kept, in the order of the matrix's columns.
    dropped_ : list of Dropped
        Columns that cannot be features, with the reason.
    unit_variances_ : dict
        Variance of each feature after scaling it to 0..1; tells nearly constant ones.
    """

    def __init__(self, features: Features, max_missing_share: float = 1.0) -> None:
        self.features = features
        self.max_missing_share = max_missing_share

    @property
    def names_(self) -> list[str]:
        """The features' names, in the order of the matrix's columns."""
        return [recipe.feature for recipe in self.recipes_]

    def fit(self, frame: pd.DataFrame) -> FeatureMatrix:
        """Learn fills, categories, powers and scales from gold columns.

        Raises
        ------
        StudyError
            No column is left to be a feature.
        """
        self.dropped_: list[Dropped] = []
        self.recipes_: list[Recipe] = []
        self.unit_variances_: dict[str, float] = {}
        self._named = _Named.of(self.features, [str(column) for column in frame.columns])
        frame = without_missing_values(frame, self.features)
        for column in frame.columns:
            reason = _unusable(frame[column], self.max_missing_share)
            if reason:
                self.dropped_.append(Dropped(str(column), "matrix", reason))
            else:
                self.recipes_ += self._fit_column(str(column), frame[column])
        self._weigh_compositions(frame)
        self._drop_duplicates(frame)
        if not self.recipes_:
            raise StudyError(
                f"no usable feature is left of {len(frame.columns)} columns"
                f" (first: {self._first_reason()}); widen features.include"
            )
        return self

    def transform(self, frame: pd.DataFrame) -> FloatArray:
        """Return the matrix, shape (rows, features), C-contiguous and finite.

        Raises
        ------
        StudyError
            A column that a feature is made from is missing.
        """
        missing = [r.column for r in self.recipes_ if r.column not in frame.columns]
        if missing:
            raise StudyError(f"column '{missing[0]}' is missing in the rows to transform")
        matrix = np.empty((len(frame), len(self.recipes_)))
        for index, recipe in enumerate(self.recipes_):
            matrix[:, index] = apply_recipe(recipe, frame[recipe.column])
        return matrix

    def keep(self, names: Sequence[str]) -> FeatureMatrix:
        """Return the same fitted matrix with these features only."""
        kept = FeatureMatrix(self.features, self.max_missing_share)
        kept.dropped_ = self.dropped_
        kept.unit_variances_ = self.unit_variances_
        wanted = set(names)
        kept.recipes_ = [recipe for recipe in self.recipes_ if recipe.feature in wanted]
        return kept

    def rescaled(self, moments: Moments, frame: pd.DataFrame) -> FeatureMatrix:
        """Return the same matrix with the centers and spreads of more rows.

        Parameters
        ----------
        moments
            Of those rows, the features in the order of this matrix.
        frame
            The rows that this matrix was fitted on.
        """
        blocks = [self._block_of(recipe, frame[recipe.column]) for recipe in self.recipes_]
        own = [float(np.var(before_scaling(r, frame[r.column]))) for r in self.recipes_]
        scaled = self.keep(self.names_)
        scaled.recipes_ = []
        for recipe, block, mean in zip(self.recipes_, blocks, moments.means, strict=True):
            if self.features.scale == "none" and recipe.power is None:
                scaled.recipes_.append(recipe)
                continue
            of_block = [place for place, other in enumerate(blocks) if other == block]
            grown = moments.variances[of_block].sum() / sum(own[place] for place in of_block)
            spread = recipe.spread * float(np.sqrt(grown))
            scaled.recipes_.append(replace(recipe, center=float(mean), spread=spread or 1.0))
        widths = moments.highs - moments.lows
        units = moments.variances / np.where(widths > 0, widths, 1.0) ** 2
        scaled.unit_variances_ |= dict(zip(self.names_, units.tolist(), strict=True))
        return scaled

    def _block_of(self, recipe: Recipe, column: pd.Series[Any]) -> tuple[str, str]:
        # Features that one spread holds for.
        if recipe.composition is not None:
            return "composition", recipe.composition
        if self.features.category_weight is not None and is_two_valued(recipe, column):
            return "column", recipe.column
        return "feature", recipe.feature

    def incomplete_rows(self, frame: pd.DataFrame) -> BoolArray:
        """Return which rows are left out because a feature of theirs has no value.

        Returns
        -------
        BoolArray
            Shape (rows,): all False unless ``features.incomplete`` is ``"drop_after_scaling"``.
        """
        columns = list(dict.fromkeys(recipe.column for recipe in self.recipes_))
        if self.features.incomplete != "drop_after_scaling":
            return np.zeros(len(frame), dtype=bool)
        known = without_missing_values(frame[columns], self.features)
        return np.asarray(known.isna().any(axis=1).to_numpy(), dtype=bool)

    def numbers_and_codes(self, matrix: FloatArray) -> tuple[FloatArray, IntArray]:
        """Split the matrix into its numbers and one code column per categorical column.

        Parameters
        ----------
        matrix
            Shape (rows, features), as :meth:`transform` made it.

        Returns
        -------
        numbers, codes
            Shape (rows, numeric features) and (rows, categorical columns).
        """
        numbers = [i for i, recipe in enumerate(self.recipes_) if recipe.kind != "category"]
        by_column: dict[str, list[int]] = {}
        for i, recipe in enumerate(self.recipes_):
            if recipe.kind == "category":
                by_column.setdefault(recipe.column, []).append(i)
        codes = np.zeros((len(matrix), len(by_column)), dtype=np.int64)
        for place, positions in enumerate(by_column.values()):
            centers = np.array([self.recipes_[i].center for i in positions])
            spreads = np.array([self.recipes_[i].spread for i in positions])
            shares = matrix[:, positions] * spreads + centers
            # A category that was dropped (drop-first, or selection) has no column of its own.
            codes[:, place] = np.where(shares.max(axis=1) > 0.5, 1 + shares.argmax(axis=1), 0)
        return np.ascontiguousarray(matrix[:, numbers]), codes

    def described(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return what a reader can average of features that are not numbers in gold.

        Returns
        -------
        pandas.DataFrame
            With the index of ``frame``: 1 or 0 per category kept, the rank (0, 1, ...) of an
            ordinal column, 1 or 0 for a missing value; nulls stay null.
        """
        import pandas as pd

        columns: dict[str, FloatArray] = {}
        for recipe in self.recipes_:
            if recipe.kind != "numeric":
                column = without_missing(frame[recipe.column], recipe.missing)
                values = before_scaling(recipe, column)
                is_known = column.notna().to_numpy() | (recipe.kind == "indicator")
                columns[recipe.feature] = np.where(is_known, values, np.nan)
            elif recipe.missing or not is_plain_number(frame[recipe.column]):
                columns[recipe.feature] = _numbers_of(frame, recipe)
        return pd.DataFrame(columns, index=frame.index)

    def ordinal_words(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return which word each row has of the columns that are given an order.

        An order that words were numbered in makes no quantity of them.

        Returns
        -------
        pandas.DataFrame
            With the index of ``frame``: 1 or 0 for each ``column=word``; nulls stay null.
        """
        import pandas as pd

        columns = {
            f"{recipe.column}={word}": words.eq(word).astype(float).where(words.notna())
            for recipe in self.recipes_
            if recipe.kind == "ordinal"
            for words in [as_words(frame[recipe.column])]
            for word in recipe.order
            if word != MISSING
        }
        return pd.DataFrame(columns, index=frame.index)

    def unscaled(self, frame: pd.DataFrame) -> FloatArray:
        """Return the features in gold's units: no clipping, no logarithm, nulls left as nan.

        Returns
        -------
        FloatArray
            Shape (rows, features), C-contiguous: numbers as they are in gold, the rank of an
            ordinal column, 1 or 0 per category and per missing-value indicator.
        """
        described = self.described(frame)
        values = np.empty((len(frame), len(self.recipes_)))
        for index, recipe in enumerate(self.recipes_):
            is_described = recipe.feature in described.columns
            values[:, index] = (
                described[recipe.feature] if is_described else _numbers_of(frame, recipe)
            )
        values[~np.isfinite(values)] = np.nan
        return values

    def to_json(self) -> str:
        """Return the fitted state as JSON."""
        return json.dumps(
            {
                "features": self.features.model_dump(mode="json"),
                "max_missing_share": self.max_missing_share,
                "recipes": [asdict(recipe) for recipe in self.recipes_],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> FeatureMatrix:
        """Return the matrix that :meth:`to_json` wrote."""
        state = json.loads(text)
        matrix = cls(Features.model_validate(state["features"]), state["max_missing_share"])
        matrix.recipes_ = [Recipe(**_with_tuples(recipe)) for recipe in state["recipes"]]
        matrix.dropped_ = []
        matrix.unit_variances_ = {}
        return matrix

    def _first_reason(self) -> str:
        first = self.dropped_[0] if self.dropped_ else None
        return f"{first.feature}: {first.reason}" if first else "no column matches"

    def _fit_column(self, name: str, column: pd.Series[Any]) -> list[Recipe]:
        if name in self._named.ordinal:
            recipes = [self._fit_ordinal(name, column)]
        elif name in self._named.categorical or not is_number(column):
            recipes = self._fit_categories(name, column)
        else:
            recipes = [self._fit_numeric(name, column)]
        if self.features.missing_indicator and column.isna().any():
            recipes.append(Recipe(f"{name}_is_missing", name, "indicator"))
        stand_for_none = self._named.missing.get(name, ())
        recipes = [replace(recipe, missing=stand_for_none) for recipe in recipes]
        return self._weighted([self._scaled(recipe, column) for recipe in recipes], column)

    def _weighted(self, recipes: list[Recipe], column: pd.Series[Any]) -> list[Recipe]:
        # One spread for the whole block: levels lie as far apart wherever a row comes from.
        weight = self.features.category_weight
        if weight is None or self.features.scale in ("minmax", "none"):
            return recipes
        block = [recipe for recipe in recipes if is_two_valued(recipe, column)]
        variance = sum(float(np.var(before_scaling(recipe, column))) for recipe in block)
        if not variance:
            return recipes
        spread = float(np.sqrt(variance / weight))
        return [replace(r, spread=spread) if r in block else r for r in recipes]

    def _weigh_compositions(self, frame: pd.DataFrame) -> None:
        # One spread for all parts: together they hold the variance of one number.
        if self.features.scale in ("minmax", "none"):
            return
        for name in self.features.compositions:
            parts = [recipe for recipe in self.recipes_ if recipe.composition == name]
            variances = [float(np.var(before_scaling(r, frame[r.column]))) for r in parts]
            spread = float(np.sqrt(sum(variances))) or 1.0
            self.recipes_ = [
                replace(r, spread=spread) if r.composition == name else r for r in self.recipes_
            ]

    def _composition_of(self, name: str) -> str | None:
        return next(
            (
                composition
                for composition, patterns in self.features.compositions.items()
                if any(fnmatchcase(name, pattern) for pattern in patterns)
            ),
            None,
        )

    def _fit_part(self, name: str, composition: str, known: FloatArray) -> Recipe:
        if known.min() < 0.0 or known.max() > 1.0 + 1e-9:
            raise StudyError(
                f"features.compositions.{composition}: column '{name}' holds"
                f" {known.min():g} to {known.max():g}, and a share is from 0 to 1"
            )
        fill = float(known.mean())
        return Recipe(name, name, "numeric", fill=fill, root=True, composition=composition)

    def _fit_numeric(self, name: str, column: pd.Series[Any]) -> Recipe:
        values = as_numbers(column)
        known = values[~np.isnan(values)]
        composition = self._composition_of(name)
        if composition is not None:
            return self._fit_part(name, composition, known)
        recipe = Recipe(name, name, "numeric")
        if is_two_valued(recipe, column):
            # Two values leave nothing to clip or bend; a rare 1 would be clipped away.
            return replace(recipe, fill=self._fill(name, known))
        share = self.features.winsorise
        low, high = (float(edge) for edge in np.quantile(known, [share, 1 - share]))
        clipped = np.clip(known, low, high)
        recipe = replace(recipe, fill=self._fill(name, clipped))
        if share:
            recipe = replace(recipe, low=low, high=high)
        if self._takes_power(name):
            return replace(recipe, power=yeo_johnson_power(clipped))
        return replace(recipe, log1p=self._takes_log(name, clipped))

    def _fit_ordinal(self, name: str, column: pd.Series[Any]) -> Recipe:
        order = self._named.ordinal[name]
        words = as_words(column).dropna()
        unknown = sorted(set(words) - set(order))
        if unknown:
            raise StudyError(
                f"features.ordinal.{name} lacks the value '{unknown[0]}' that the column holds"
                f" (it lists: {', '.join(order)})"
            )
        ranks = words.map({word: i for i, word in enumerate(order)})
        if MISSING in order:
            fill = float(order.index(MISSING))
        elif self.features.impute_ordinal == "most_frequent":
            fill = float(ranks.mode().iloc[0])
        else:
            fill = float(ranks.median())
        return Recipe(name, name, "ordinal", fill=fill, order=order)

    def _fit_categories(self, name: str, column: pd.Series[Any]) -> list[Recipe]:
        counts = as_words(column).value_counts()
        if len(counts) > ALL_CATEGORIES_LIMIT:
            reason = f"{len(counts)} categories, over {ALL_CATEGORIES_LIMIT}: an identifier?"
            self.dropped_.append(Dropped(name, "matrix", reason))
            return []
        most_frequent = str(min(counts[counts == counts.max()].index))
        fill = MISSING if self.features.impute_category == MISSING else most_frequent
        categories = sorted({*counts.index, fill} if column.isna().any() else set(counts.index))
        kept = categories[1:] if self.features.one_hot_drop_first else categories
        return [
            Recipe(
                f"{name}={word}",
                name,
                "category",
                category=word,
                fill_category=fill,
                known=tuple(sorted(counts.index)),
            )
            for word in kept
        ]

    def _fill(self, name: str, known: FloatArray) -> float:
        if name in self._named.impute_zero:
            return 0.0
        match self.features.impute:
            case "median":
                return float(np.median(known))
            case "mean":
                return float(known.mean())
            case "zero":
                return 0.0
            case "constant":
                return self.features.impute_constant

    def _takes_power(self, name: str) -> bool:
        return self.features.scale == "yeo_johnson" or name in self._named.power

    def _takes_log(self, name: str, known: FloatArray) -> bool:
        if self.features.log1p == "none" or known.min() < 0:
            return False
        if self.features.log1p == "auto":
            from scipy.stats import skew

            return not is_constant(known) and bool(skew(known) > SKEW_LIMIT)
        return self._named.log1p is not None and name in self._named.log1p

    def _scaled(self, recipe: Recipe, column: pd.Series[Any]) -> Recipe:
        values = apply_recipe(recipe, column)
        if self.features.incomplete == "drop_after_scaling":
            # What is filled in belongs to rows that are left out, and moves no center.
            values = values[column.notna().to_numpy()]
        if is_constant(values):
            # Its spread is what rounding left of none: scaling would make a feature of it.
            self.unit_variances_[recipe.feature] = 0.0
            return replace(recipe, center=float(values[0]))
        low, high = float(values.min()), float(values.max())
        width = high - low
        self.unit_variances_[recipe.feature] = (
            float(np.var((values - low) / width)) if width else 0.0
        )
        scale = "standard" if recipe.power is not None else self.features.scale
        match scale:
            case "standard" | "yeo_johnson":
                center, spread = float(values.mean()), float(values.std())
            case "robust":
                lower, center, upper = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
                is_flat = upper - lower <= ROUNDING * max(abs(lower), abs(upper))
                spread = float(values.std()) if is_flat else upper - lower
            case "minmax":
                center, spread = low, width
            case "none":
                center, spread = 0.0, 1.0
        return replace(recipe, center=center, spread=spread or 1.0)

    def _drop_duplicates(self, frame: pd.DataFrame) -> None:
        seen: dict[bytes, str] = {}
        kept = []
        for recipe in self.recipes_:
            values = apply_recipe(recipe, frame[recipe.column])
            # Adding zero makes one zero of -0 and 0, which differ in their bytes.
            same = seen.setdefault((np.round(values, 12) + 0.0).tobytes(), recipe.feature)
            if is_constant(before_scaling(recipe, frame[recipe.column])):
                reason = _why_constant(recipe, frame[recipe.column])
                self.dropped_.append(Dropped(recipe.feature, "matrix", reason))
            elif same != recipe.feature:
                self.dropped_.append(Dropped(recipe.feature, "matrix", f"the same as {same}"))
            else:
                kept.append(recipe)
        self.recipes_ = kept


def check_patterns(features: Features, available: Iterable[str]) -> None:
    """Check that every name and pattern of the study matches a column of its table.

    Raises
    ------
    StudyError
        One matches none; the message names the key and the nearest column.
    """
    columns = list(available)
    named = {
        "include": features.include,
        "exclude": features.exclude,
        "categorical": features.categorical,
        "ordinal": list(features.ordinal),
        "missing": list(features.missing),
        "impute_zero": features.impute_zero,
        "log1p": features.log1p if isinstance(features.log1p, list) else [],
        "power": features.power,
        **{f"compositions.{name}": parts for name, parts in features.compositions.items()},
    }
    for key, patterns in named.items():
        for pattern in patterns:
            if not matching(pattern, columns):
                raise StudyError(
                    f"features.{key}: no column matches '{pattern}'{near_match(pattern, columns)}"
                )


def feature_columns(features: Features, available: Iterable[str]) -> list[str]:
    """Return the columns that the study's patterns name, in the table's order."""
    columns = list(available)
    meant = matching_any(features.include, columns) - matching_any(features.exclude, columns)
    return [column for column in columns if column in meant]


def _unusable(column: pd.Series[Any], max_missing_share: float) -> str:
    missing = float(column.isna().mean())
    if missing == 1.0:
        return "every value is null"
    if missing > max_missing_share:
        return f"{missing:.0%} of the values are null, over {max_missing_share:.0%}"
    return _unusable_number(as_numbers(column)) if is_number(column) else _unusable_words(column)


def _unusable_number(values: FloatArray) -> str:
    infinite = int(np.isinf(values).sum())
    if infinite:
        return f"{infinite} infinite values"
    if np.nanmax(np.abs(values)) > LARGEST:
        return f"values past {LARGEST:g}: their squares cannot be computed"
    # With nulls a group may still show by what is missing.
    if np.isnan(values).any() or not is_constant(values):
        return ""
    return f"constant{'' if np.ptp(values) == 0 else ' up to rounding'} ({values[0]:g})"


def _unusable_words(column: pd.Series[Any]) -> str:
    if type_of_values(column).startswith(("date", "time", "period", "interval")):
        return "a date or time is no feature; make a number of days of it in gold"
    nested = next((value for value in column.dropna() if isinstance(value, NESTED)), None)
    if nested is not None:
        return f"values of type {type(nested).__name__} are no feature; make numbers in gold"
    only = as_words(column).unique()
    return f"constant ({only[0]})" if len(only) == 1 else ""


def _numbers_of(frame: pd.DataFrame, recipe: Recipe) -> FloatArray:
    return as_numbers(without_missing(frame[recipe.column], recipe.missing))


def _with_tuples(recipe: dict[str, Any]) -> dict[str, Any]:
    # JSON has lists alone.
    return {key: tuple(v) if isinstance(v, list) else v for key, v in recipe.items()}


def _why_constant(recipe: Recipe, column: pd.Series[Any]) -> str:
    if recipe.kind == "numeric":
        untransformed = replace(recipe, log1p=False, power=None)
        if not is_constant(before_scaling(untransformed, column)):
            step = "logarithm" if recipe.log1p else "power transform"
            return f"constant up to rounding after the {step}"
    if recipe.low is not None and column.nunique() > 1:
        return f"constant after winsorising ({recipe.low:.4g})"
    return f"constant after its missing values were filled ({recipe.fill:.4g})"
