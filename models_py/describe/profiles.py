"""What each segment is like: its figures beside the population's."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.rounding import constant_columns
from models_py.describe.effects import Moments, effects, enrichment_p, moments
from models_py.describe.withholding import NO_CATEGORY, RARE, rare_words, suppressed
from models_py.features.recipes import as_words

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
    "known_count",
    "total_share",
    "effect_size",
    "effect_low",
    "effect_high",
    "p",
)
WITHHELD = tuple(
    name
    for name in COLUMNS
    if name not in ("segment_id", "feature", "population_mean", "importance")
)
"""Figures that a segment that is not described does not get."""

OF_ALL = (
    *("population_mean", "z", "importance", "total_share"),
    *("effect_size", "effect_low", "effect_high", "p"),
)
"""Figures that tell of all rows, or of a segment beside all others."""

MEANT = tuple(name for name in COLUMNS if name not in ("segment_id", "feature", "known_count"))
"""Figures that say nothing of words that were numbered."""

ADDED_UP = ("*_amount", "*_count")
NOT_ADDED_UP = ("*_effective_count",)
CATEGORY_COLUMNS = (
    "segment_id",
    "feature",
    "category",
    "share",
    "population_share",
    "lift",
    "p",
)
CATEGORIES_LIMIT = 50


def profile_segments(
    frame: pd.DataFrame, segment_ids: IntArray, small_segment: int = 0, least_known: int = 0
) -> pd.DataFrame:
    """Describe every numeric column in every segment.

    Parameters
    ----------
    frame
        Gold columns in their own units, one row per entity; nulls are left out of each
        figure, other than numeric and boolean columns are left out altogether.
    segment_ids
        Shape (rows,).
    small_segment
        Segments with fewer rows get null for every figure of their own members. They count as
        one for the importance, or it would tell them apart.
    least_known
        So do segments in which fewer rows than that have a value, column by column, and others
        with them (:func:`models_py.describe.withholding.suppressed`).

    Returns
    -------
    pandas.DataFrame
        One row per segment and feature: ``segment_id``, ``feature``, ``mean``, ``median``,
        ``lower_quartile``, ``upper_quartile``, ``population_mean``, ``z`` (the difference of
        the means in population standard deviations), ``importance`` (eta squared: the share of
        the column's variance that lies between segments), ``known_count`` (rows with a value),
        ``total_share`` (the segment's part of the column's sum; for amounts and counts without
        a negative value), ``effect_size`` with ``effect_low`` and ``effect_high`` (Hedges g
        against all other rows, 95% interval) and ``p`` (Welch's t test, not yet adjusted).
    """
    import pandas as pd

    numbers = numeric_columns(frame)
    if numbers.columns.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    values = numbers.to_numpy(dtype=np.float64)
    ids, starts, order = _segment_bounds(segment_ids)
    lowest = np.nanmin(values, axis=0)
    # Of a constant the mean is off by rounding, which would look like a difference.
    is_constant = constant_columns(values)
    values = np.where(is_constant & ~np.isnan(values), lowest, values)
    means = np.where(is_constant, lowest, np.nanmean(values, axis=0))
    overall = moments(values - means)
    spreads = np.sqrt(overall.scatter / overall.count)
    blocks = np.split(values[order], starts[1:])
    inside = [moments(block - means) for block in blocks]
    sizes = np.array([len(block) for block in blocks])
    hidden = _hidden(np.array([m.count for m in inside]), sizes < small_segment, least_known)
    parts = []
    for segment_id, block, own in zip(ids, blocks, inside, strict=True):
        figures = _figures(block, own, overall, means, spreads)
        parts.append(
            pd.DataFrame({"segment_id": segment_id, "feature": numbers.columns, **figures})
        )
    profiles = pd.concat(parts, ignore_index=True)
    profiles["total_share"] = _total_shares(numbers, profiles, overall.count * means)
    profiles["importance"] = np.tile(_importance(inside, hidden, overall), len(ids))
    if hidden.any():
        profiles = profiles.astype({"known_count": "Int64"})
        profiles.loc[hidden.ravel(), list(WITHHELD)] = np.nan
        too_few = np.tile(overall.count < least_known, len(ids))
        profiles.loc[too_few, [*WITHHELD, "population_mean", "importance"]] = np.nan
    return profiles[list(COLUMNS)]


def _hidden(counts: FloatArray, is_small: BoolArray, least: int) -> BoolArray:
    """Return which segment's figures of which column are withheld, shape (segments, columns)."""
    hidden = np.repeat(is_small[:, None], counts.shape[1], axis=1)
    known = counts.astype(np.int64)
    unsure = ((known > 0) & (known < least) | hidden).any(axis=0)
    for column in np.flatnonzero(unsure):
        hidden[:, column] |= suppressed(known[:, column], least, is_small)
    return hidden


def _importance(inside: Sequence[Moments], hidden: BoolArray, overall: Moments) -> FloatArray:
    # Segments that are withheld count as one: their own means would follow from the sum.
    counts = np.array([own.count for own in inside])
    means = np.nan_to_num(np.array([own.mean for own in inside]))
    between = np.where(hidden, 0.0, counts * means**2).sum(axis=0)
    held, sums = (counts * hidden).sum(axis=0), (counts * means * hidden).sum(axis=0)
    between += np.divide(sums**2, held, out=np.zeros_like(sums), where=held > 0)
    total = overall.squares
    return np.asarray(np.divide(between, total, out=np.zeros_like(total), where=total > 0))


def profile_categories(
    frame: pd.DataFrame,
    segment_ids: IntArray,
    small_segment: int = 0,
    columns: Sequence[str] | None = None,
    least_named: int = 0,
) -> pd.DataFrame:
    """Describe every column of words in every segment.

    Parameters
    ----------
    frame
        Gold columns, one row per entity; a null is the category ``'not given'``. Columns of one
        category, or of more than 50, tell nothing of groups and are left out.
    segment_ids
        Shape (rows,).
    small_segment
        Segments with fewer rows are left out.
    columns
        Those of words; without them every column of text.
    least_named
        Categories of fewer rows are not named, nor as many of the next rarest as it takes that
        their number does not follow; together they are ``'(rare categories)'``. A column that
        has one name left tells nothing.

    Returns
    -------
    pandas.DataFrame
        One row per segment, ``feature`` and ``category``: ``segment_id``, ``share`` of the
        segment's rows, ``population_share``, ``lift`` (their ratio) and ``p`` (see
        :func:`models_py.describe.effects.enrichment_p`, not yet adjusted).
    """
    import pandas as pd

    if columns is None:
        columns = list(frame.select_dtypes(["object", "string", "category"]).columns)
    ids, places = np.unique(segment_ids, return_inverse=True)
    sizes = np.bincount(places)
    parts = []
    for column in columns:
        named = as_words(frame[column]).astype("string").fillna(NO_CATEGORY)
        codes, categories = pd.factorize(named, sort=True)
        if not 1 < len(categories) <= CATEGORIES_LIMIT:
            continue
        rare = rare_words(frame[column], least_named)
        if rare:
            codes, categories = pd.factorize(named.mask(named.isin(rare), RARE), sort=True)
        if len(categories) < 2:
            continue
        counts = np.zeros((len(ids), len(categories)), dtype=np.int64)
        np.add.at(counts, (places, codes), 1)
        overall = counts.sum(axis=0)
        population = overall / len(frame)
        for place in np.flatnonzero(sizes >= small_segment):
            share = counts[place] / sizes[place]
            parts.append(
                pd.DataFrame(
                    {
                        "segment_id": ids[place],
                        "feature": column,
                        "category": list(categories),
                        "share": share,
                        "population_share": population,
                        "lift": share / population,
                        "p": enrichment_p(counts[place], overall, int(sizes[place]), len(frame)),
                    }
                )
            )
    if not parts:
        return pd.DataFrame(columns=list(CATEGORY_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def numeric_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that have means, as floats; nan where there is no finite number."""
    numbers = frame.select_dtypes(["number", "bool", "boolean"], exclude=["timedelta"])
    numbers = numbers.astype(float).replace([np.inf, -np.inf], np.nan)
    return numbers.loc[:, numbers.notna().any()]


def _segment_bounds(segment_ids: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    order = np.argsort(segment_ids, kind="stable")
    ids, starts = np.unique(segment_ids[order], return_index=True)
    return ids, starts, order


def _figures(
    block: FloatArray,
    inside: Moments,
    overall: Moments,
    means: FloatArray,
    spreads: FloatArray,
) -> dict[str, FloatArray | IntArray]:
    ordered = np.sort(block, axis=0)
    effect = effects(inside, overall.without(inside))
    distance = np.divide(inside.mean, spreads, out=np.zeros_like(spreads), where=spreads > 0)
    return {
        "mean": _means(block, inside.count),
        "median": _quantile(ordered, inside.count, 0.5),
        "lower_quartile": _quantile(ordered, inside.count, 0.25),
        "upper_quartile": _quantile(ordered, inside.count, 0.75),
        "population_mean": means,
        "z": np.nan_to_num(distance),
        "known_count": inside.count.astype(np.int64),
        "effect_size": effect.size,
        "effect_low": effect.low,
        "effect_high": effect.high,
        "p": effect.p,
    }


def _means(block: FloatArray, count: FloatArray) -> FloatArray:
    # Of the values themselves: shares of 0 and 1 are then exact.
    sums = np.nansum(block, axis=0)
    return np.asarray(np.divide(sums, count, out=np.full_like(sums, np.nan), where=count > 0))


def _quantile(ordered: FloatArray, count: FloatArray, share: float) -> FloatArray:
    # Nulls are sorted to the end, so that each column's first `count` rows are its values.
    place = np.maximum(count - 1, 0) * share
    below = place.astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count.astype(np.int64) - 1, 0))
    columns = np.arange(ordered.shape[1])
    low, high = ordered[below, columns], ordered[above, columns]
    return np.asarray(low + (high - low) * (place - below))


def _total_shares(
    numbers: pd.DataFrame, profiles: pd.DataFrame, sums: FloatArray
) -> pd.Series[float]:
    totals = {
        column: total
        for column, total, least in zip(numbers.columns, sums, numbers.min(), strict=True)
        if least >= 0 and total > 0 and _adds_up(str(column))
    }
    segment_sums = profiles["mean"].fillna(0.0) * profiles["known_count"]
    shares = segment_sums / profiles["feature"].map(totals)
    return shares.where(profiles["z"].notna())


def _adds_up(column: str) -> bool:
    return any(fnmatchcase(column, pattern) for pattern in ADDED_UP) and not any(
        fnmatchcase(column, pattern) for pattern in NOT_ADDED_UP
    )
