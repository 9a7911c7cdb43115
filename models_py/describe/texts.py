"""What sentences add to the columns: the text's segments beside k-means of the columns alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.numbers import listed, plain, share
from models_py.describe.effects import correlation_ratio
from models_py.describe.labels import agreement
from models_py.describe.words import Vocabulary
from models_py.segmentation.segmentation import Segmentation

if TYPE_CHECKING:
    import pandas as pd

    from models_py.studies.study import Study

MOST_ROWS = 20_000
"""Rows that the columns are clustered on at most."""

CLEARLY, LEAST = 0.1, 0.01
"""Part by which one grouping has to tell more than the other to be called the better, and the
share of the variance under which it tells nothing."""


def compare_text(
    study: Study, frame: pd.DataFrame, segmentation: Segmentation, seed: int
) -> dict[str, object]:
    """Return what a text's segments tell beside groups of the columns, for ``results.surrogates``.

    Both are asked what they tell of the label and the measures that neither was made of: the
    share of the variance between the groups, averaged.

    Parameters
    ----------
    study
        The recipe.
    frame
        Gold rows of all partitions.
    segmentation
        A partition's segments.
    seed
        Of the rows drawn and of k-means, which gets the same number of groups.

    Returns
    -------
    dict
        Empty where the segments were not found in sentences.
    """
    prepared, position = segmentation.prepared, segmentation.choice.position
    if position is None or len(segmentation.jaccard) < 2:
        return {}
    if not prepared.encoders[segmentation.candidates[position].space].reads_rows:
        return {}
    rows = np.arange(len(prepared.rows))
    if rows.size > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
    by_text = segmentation.groups[rows]
    by_columns = _groups_of(prepared.common[rows], len(segmentation.jaccard), seed)
    unseen = _unseen(study, frame.iloc[prepared.rows[rows]])
    explained = [
        float(np.mean([correlation_ratio(groups, values) for values in unseen.values()]))
        if unseen
        else float("nan")
        for groups in (by_text, by_columns)
    ]
    agreed = agreement(by_text, by_columns).adjusted_rand
    return {
        "text_agreement": agreed,
        "text_explained": explained[0],
        "columns_explained": explained[1],
        "text_comparison": _sentence(
            agreed, explained, list(unseen), Vocabulary(study.describe.words)
        ),
    }


def _groups_of(points: FloatArray, count: int, seed: int) -> IntArray:
    from models_py.clustering.kmeans import kmeans_sweep

    (candidate,) = kmeans_sweep(points, [count], seed=seed)
    return candidate.labels


def _unseen(study: Study, rows: pd.DataFrame) -> dict[str, FloatArray]:
    """Return the label and the measures that no sentence and no group of columns was made of."""
    from models_py.features.matrix import feature_columns

    made_of = {study.entity, study.partition_by, *feature_columns(study.features, rows.columns)}
    made_of -= {study.label}
    columns = rows.drop(columns=[name for name in rows if name in made_of])
    numbers = columns.select_dtypes(["number", "bool", "boolean"]).astype("Float64")
    return {str(n): numbers[n].to_numpy(np.float64, na_value=np.nan) for n in numbers}


def _sentence(agreed: float, explained: list[float], unseen: list[str], words: Vocabulary) -> str:
    alike = f"the two agree by an adjusted Rand index of {plain(agreed)}"
    of = "k-means of the columns alone, with as many groups"
    if not unseen:
        return f"What the sentences add is not known: no label and no measure; with {of}, {alike}"
    text, columns = explained
    verdict = "tell as much as the columns alone"
    if max(text, columns) < LEAST:
        verdict = "add nothing that could be shown"
    elif text > columns * (1 + CLEARLY):
        verdict = "tell more than the columns alone"
    elif text < columns * (1 - CLEARLY):
        verdict = "tell less than the columns alone"
    names = listed([words.called(name) for name in unseen])
    return (
        f"The sentences {verdict}: of what neither was made of ({names}) their segments explain"
        f" {share(text)} of the variance on average, {of}, {share(columns)}; {alike}"
    )
