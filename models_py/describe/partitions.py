"""Do the partitions of a study behave alike: one sentence, and the two figures it rests on.

How well a row's partition is predicted from its features says whether partitions differ; how their
segments match says whether they fall apart in the same way.

References
----------
Conover, Iman (1981), Rank transformations as a bridge between parametric and nonparametric
statistics, The American Statistician 35. Ledoit, Wolf (2004), A well-conditioned estimator for
large-dimensional covariance matrices, J. Multivariate Analysis 88.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.numbers import share
from models_py.base.plurals import many

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
MOST_ROWS = 20_000
"""Rows that the trial stands on at most."""

ALIKE, DIFFERENT = 0.15, 0.4
"""Of the way from chance to always right: up to the first partitions behave alike, from the second
on they differ clearly."""

SAME_WAY = 0.5
"""Mean correlation of matched segments from which they differ in the same way."""


def compare_partitions(
    features: pd.DataFrame,
    partitions: pd.Series[str],
    resemblance: pd.DataFrame,
    partition_of: Mapping[int, str],
    words: tuple[str, str],
    seed: int,
) -> dict[str, object] | None:
    """Return whether partitions behave alike, as a row of ``results.partition_comparison``.

    Parameters
    ----------
    features
        What the segments were made from, one row per entity; words are taken apart.
    partitions
        The partition of each row.
    resemblance
        Rows of ``results.partition_resemblance``.
    partition_of
        Segment id to its partition.
    words
        What a partition and what a row is called, the latter in the plural.
    seed
        Of the folds, and of the rows where there are more than 20,000.

    Returns
    -------
    dict or None
        None where fewer than two partitions have as many rows as there are folds.
    """
    names, codes = np.unique(partitions.to_numpy(dtype=str), return_inverse=True)
    sizes = np.bincount(codes)
    rows = np.flatnonzero(sizes[codes] >= FOLDS)
    if np.unique(codes[rows]).size < 2:
        return None
    if rows.size > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
    right = predicted_share(_ranks(features.iloc[rows]), codes[rows], seed)
    by_chance = 1.0 / np.unique(codes[rows]).size
    alike = matched_correlation(resemblance, partition_of)
    row = {
        "partitions": int(names.size),
        "rows": int(rows.size),
        "resemblance": alike,
        "balanced_accuracy": right,
        "by_chance": by_chance,
    }
    verdict = _verdict(right, by_chance)
    return {
        **row,
        "verdict": verdict,
        "sentence": _sentence(verdict, right, by_chance, alike, words),
    }


def predicted_share(values: FloatArray, codes: IntArray, seed: int) -> float:
    """Return the share of rows, averaged over the classes, whose class is predicted out of fold.

    Parameters
    ----------
    values
        Shape (rows, features), without missing values.
    codes
        Shape (rows,): the classes.
    seed
        Of the five folds.

    Notes
    -----
    Linear discriminant analysis with a shrunk covariance, every class as likely as another.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    count = np.unique(codes).size
    smallest = int(np.unique(codes, return_counts=True)[1].min())
    folds = StratifiedKFold(max(2, min(FOLDS, smallest)), shuffle=True, random_state=seed)
    model = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(count, 1.0 / count)
    )
    guessed = cross_val_predict(model, values, codes, cv=folds)
    return float(balanced_accuracy_score(codes, guessed))


def matched_correlation(resemblance: pd.DataFrame, partition_of: Mapping[int, str]) -> float:
    """Return the mean correlation of segments of two partitions, each matched to its like.

    Segments of every two partitions are matched one to one so that their correlations add up to
    the most (Kuhn 1955).

    Returns
    -------
    float
        -1..1; nan where no two partitions have segments that can be compared.
    """
    from scipy.optimize import linear_sum_assignment

    wide = resemblance.pivot_table(
        index="segment_id", columns="other_segment_id", values="correlation", dropna=False
    )
    matched: list[float] = []
    for one, other in combinations(sorted(set(partition_of.values())), 2):
        own = [i for i in wide.index if partition_of[int(i)] == one]
        theirs = [i for i in wide.columns if partition_of[int(i)] == other]
        values = wide.reindex(index=own, columns=theirs).to_numpy(dtype=np.float64)
        values = values[~np.isnan(values).all(axis=1)]
        if values.size and not np.isnan(values).all():
            values = values[:, ~np.isnan(values).all(axis=0)]
            rows, columns = linear_sum_assignment(-np.nan_to_num(values, nan=-1.0))
            matched += values[rows, columns].tolist()
    return float(np.nanmean(matched)) if matched else float("nan")


def _ranks(frame: pd.DataFrame) -> FloatArray:
    # Ranks, as spend and counts are skewed; what is missing stands in the middle.
    import pandas as pd
    from scipy.stats import rankdata

    texts = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
    flat = (
        pd.get_dummies(frame, columns=texts).astype("Float64").to_numpy(np.float64, na_value=np.nan)
    )
    ranks = rankdata(flat, axis=0, nan_policy="omit")
    ranks = np.where(np.isnan(ranks), np.nan_to_num(np.nanmean(ranks, axis=0)), ranks)
    ranks = ranks[:, np.ptp(ranks, axis=0) > 0]
    return np.asarray((ranks - ranks.mean(axis=0)) / ranks.std(axis=0))


def _verdict(right: float, by_chance: float) -> str:
    skill = (right - by_chance) / (1.0 - by_chance)
    if skill < ALIKE:
        return "alike"
    return "different" if skill >= DIFFERENT else "partly different"


def _sentence(
    verdict: str, right: float, by_chance: float, alike: float, words: tuple[str, str]
) -> str:
    partition, rows = words
    how = {
        "alike": "little better than",
        "partly different": "better than",
        "different": "far better than",
    }[verdict]
    if right <= by_chance:
        how = "no better than"
    behave = {
        "alike": "alike",
        "partly different": "partly differently",
        "different": "differently",
    }
    text = (
        f"{many(partition).capitalize()} behave {behave[verdict]}: the features foretell the"
        f" {partition} of {rows} {how} chance ({share(right)} right on average, {share(by_chance)}"
        " by chance)"
    )
    if np.isnan(alike):
        return f"{text}; no two of them have segments to compare"
    is_same = alike >= SAME_WAY
    link = "and" if is_same == (verdict == "alike") else "but"
    way = "differ in the same way" if is_same else "differ each in its own way"
    return f"{text}, {link} their segments {way} (mean correlation of those matched {alike:.2f})"
