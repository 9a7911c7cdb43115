"""Which columns of a study's table tell groups apart, before the study is written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.features.matrix import FeatureMatrix, feature_columns
from models_py.features.outliers import find_outliers
from models_py.features.recipes import as_numbers, is_number
from models_py.features.structure import LEAST_ROWS, Relevance, find_structure
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

JUDGED_ROWS = 20_000
MOST_GROUPS = 10
SKEWED = 0.5
"""Skewness past which a number is straightened before it is looked at."""

FEW_VALUES = 10


def skewed_columns(frame: pd.DataFrame, columns: Iterable[str], clipped: float) -> list[str]:
    """Return the numbers of many values that lean to one side.

    Parameters
    ----------
    frame
        Gold rows.
    columns
        Columns to look at; those that are no numbers are passed over.
    clipped
        Share of the values clipped at each end, as the study does.
    """
    leaning = []
    for name in columns:
        if not is_number(frame[name]):
            continue
        values = as_numbers(frame[name])
        values = values[np.isfinite(values)]
        if len(np.unique(values)) > FEW_VALUES:
            low, high = np.quantile(values, [clipped, 1.0 - clipped])
            if high > low and abs(_skewness(np.clip(values, low, high))) > SKEWED:
                leaning.append(name)
    return leaning


def _skewness(values: FloatArray) -> float:
    # By hand: scipy.stats takes a second to be imported.
    from_mean = values - values.mean()
    return float((from_mean**3).mean() / (from_mean**2).mean() ** 1.5)


def column_relevance(study: Study, frame: pd.DataFrame, seed: int) -> Mapping[str, Relevance]:
    """Return what each feature column says of groups, by its name.

    Parameters
    ----------
    study
        Says what the columns are taken for; every column that may be a feature is one.
    frame
        Its gold rows, `JUDGED_ROWS` at most: more say no more.
    seed
        Of the starts.

    Returns
    -------
    dict
        Empty with fewer than 100 rows, of which nothing can be said.
    """
    if len(frame) < LEAST_ROWS:
        return {}
    apart = {study.entity, study.label, study.partition_by}
    columns = [c for c in feature_columns(study.features, frame.columns) if c not in apart]
    matrix = FeatureMatrix(study.features, study.selection.max_missing_share).fit(frame[columns])
    scaled = matrix.transform(frame)
    kept = ~find_outliers(scaled, study.outliers, seed).is_outlier
    numeric, codes = matrix.numbers_and_codes(scaled[kept])
    numbers = [recipe.column for recipe in matrix.recipes_ if recipe.kind != "category"]
    words = [recipe.column for recipe in matrix.recipes_ if recipe.kind == "category"]
    structure = find_structure(numeric, codes, MOST_GROUPS, seed)
    return {
        name: Relevance(float(gain), float(explained))
        for names, gains, shares in (
            (numbers, structure.numeric, structure.numeric_explained),
            (list(dict.fromkeys(words)), structure.categorical, structure.categorical_explained),
        )
        for name, gain, explained in zip(names, gains, shares, strict=True)
    }
