"""Whether segments tell of what comes next: found on the first part of a period, tried on the rest.

The study's table is built again by its own dbt models from what was bought before the split, so
that no feature has seen the next period. Then the study's recipe runs on it, and the groups are
asked how much of the next period's spend, visits and churn they explain, and of what comes back
where returns are known, beside groupings that anybody can make: RFM quintiles, and plain k-means
with the same number of groups.

All figures are of rows that were not used to make them: a group's mean is that of the other folds'
members, for otherwise the grouping with the most groups would always win.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models_py.base import settings
from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError, StudyError
from models_py.base.progress import Progress
from models_py.database.connection import open_warehouse
from models_py.database.dbt import build_first_part
from models_py.database.purchases import read_purchases, split_day
from models_py.runs.tables import global_groups
from models_py.segmentation.prepare import ALL
from models_py.segmentation.studied import read_studied, segment_partitions

if TYPE_CHECKING:
    import pandas as pd

    from models_py.studies.study import Study

FOLDS = 10
QUINTILES = 5
PLAIN_STARTS = 10
YES_OR_NO = ("churn", "returned")
"""Outcomes that are measured by AUC; the others by the share of their variance."""


def check_validity(study: Study, path: Path, seed: int, progress: Progress) -> pd.DataFrame:
    """Ask how much the segments of the first part of the period explain of the rest.

    Parameters
    ----------
    study
        The recipe; its section ``validity`` says where the purchases are.
    path
        The warehouse of the whole period; it is only read.
    seed
        Of the recipe, the k-means and the folds.
    progress
        Shows each step.

    Returns
    -------
    pandas.DataFrame
        Rows of ``results.validity``, without ``run_id``.

    Raises
    ------
    StudyError
        The study has no such section, or it names what is not there.
    DataError
        The first part holds too little.
    WarehouseError
        dbt could not build it.
    """
    section = study.validity
    if section is None:
        raise StudyError(
            f"study {study.name} has no [validity]: say there which table holds the purchases"
            " (table, time, amount) and which dbt variable leaves out the later ones (until)"
        )
    with open_warehouse(path, read_only=True) as warehouse:
        split_on = split_day(warehouse, section)
        progress.step(f"reading purchases before and from {split_on}")
        purchases = read_purchases(warehouse, section, section.entity or study.entity, split_on)
    data = settings.home() / "data"
    with tempfile.TemporaryDirectory(prefix="validity_", dir=data) as folder:
        progress.step(f"building {study.table} of what was before {split_on} (dbt)")
        first_part = build_first_part(study, section, split_on, Path(folder))
        gold = read_studied(study, first_part).frame
    segmentations = segment_partitions(study, gold, seed, progress)
    progress.step("asking the next period")
    groups = global_groups(segmentations, len(gold))
    seen = purchases.frame.reindex(gold[study.entity].astype(str))
    if seen["visits"].isna().any():
        raise DataError(
            f"{int(seen['visits'].isna().sum())} rows of {study.table} have no purchase before"
            f" {split_on} in {section.table}: check validity.table and validity.entity, and"
            " validity.variables where the warehouse was built with dbt variables of its own"
        )
    columns = sorted(
        {r.column for segmentation in segmentations for r in segmentation.prepared.matrix.recipes_}
    )
    groupings = {
        "segments": groups,
        "rfm": rfm_cells(seen),
        "rfm_score": rfm_score(seen, int(groups.max()) + 1),
        "kmeans": plain_kmeans(gold[columns], int(groups.max()) + 1, seed),
    }
    result = measured(groupings, outcomes(seen), seed)
    return result.assign(partition=ALL, rows=len(gold), split_on=split_on)


def rfm_cells(seen: pd.DataFrame) -> IntArray:
    """Return each row's cell of recency, frequency and money quintiles, numbered from 0.

    Parameters
    ----------
    seen
        ``last_on``, ``visits`` and ``spend`` before the split.
    """
    cells = sum(quintile * QUINTILES**place for place, quintile in enumerate(_rfm_quintiles(seen)))
    return np.asarray(np.unique(cells, return_inverse=True)[1])


def rfm_score(seen: pd.DataFrame, count: int) -> IntArray:
    """Return the same quintiles added up, cut into so many groups of equal size."""
    score = np.sum(_rfm_quintiles(seen), axis=0) + _ranks(seen["spend"].to_numpy(np.float64)) / 1e9
    return _cut(score, count)


def plain_kmeans(frame: pd.DataFrame, count: int, seed: int) -> IntArray:
    """Return the groups of scikit-learn's k-means on the standardised columns, nothing more.

    Parameters
    ----------
    frame
        The columns that the segments were made of; a null is the median, words are left out.
    count
        Groups wanted.
    seed
        Of its starts.
    """
    from sklearn.cluster import KMeans
    from sklearn.preprocessing import StandardScaler

    numbers = frame.select_dtypes(["number", "bool", "boolean"]).astype(float)
    points = StandardScaler().fit_transform(numbers.fillna(numbers.median()))
    model = KMeans(count, n_init=PLAIN_STARTS, random_state=seed)
    return np.asarray(model.fit_predict(points), dtype=np.int64)


def outcomes(seen: pd.DataFrame) -> dict[str, FloatArray]:
    """Return next period's ``spend``, ``visits`` and ``churn`` (1: no visit at all).

    Where returns are known also ``return_share``, what came back over what was bought, at most 1,
    and ``returned`` (1: anything came back); both nan of who bought nothing.
    """
    visits = seen["next_visits"].to_numpy(dtype=np.float64)
    spend = seen["next_spend"].to_numpy(dtype=np.float64)
    by_outcome = {"spend": spend, "visits": visits, "churn": (visits == 0).astype(np.float64)}
    if "next_returned" in seen:
        returned = seen["next_returned"].to_numpy(dtype=np.float64)
        bought = np.where(spend > 0, spend, np.nan)
        by_outcome["return_share"] = np.minimum(returned / bought, 1.0)
        by_outcome["returned"] = np.where(spend > 0, (returned > 0).astype(np.float64), np.nan)
    return by_outcome


def measured(
    groupings: Mapping[str, IntArray], outcome: Mapping[str, FloatArray], seed: int
) -> pd.DataFrame:
    """Return what each grouping explains of each outcome, out of fold.

    Parameters
    ----------
    groupings
        Name to each row's group.
    outcome
        Name to each row's value; ``churn`` and ``returned`` are 0 or 1. Rows of nan are left out.
    seed
        Of the folds, which are the same for all groupings.

    Returns
    -------
    pandas.DataFrame
        ``grouping``, ``groups``, ``outcome``, ``measure`` and ``value``; null where the outcome
        is the same for all, or known of fewer than ten rows.
    """
    import pandas as pd

    rows = []
    for grouping, groups in groupings.items():
        for name, values in outcome.items():
            is_case = name in YES_OR_NO
            rows.append(
                {
                    "grouping": grouping,
                    "groups": np.unique(groups).size,
                    "outcome": name,
                    "measure": "auc" if is_case else "eta_squared",
                    "value": _explained(groups, values, is_case, seed),
                }
            )
    return pd.DataFrame(rows)


def _explained(groups: IntArray, values: FloatArray, is_case: bool, seed: int) -> float | None:
    from sklearn.metrics import r2_score, roc_auc_score

    is_known = ~np.isnan(values)
    if is_known.sum() < FOLDS:
        return None
    known = values[is_known]
    result = out_of_fold_means(groups[is_known], known, seed)
    outcome = known > 0 if is_case else known
    if outcome.min() == outcome.max():
        return None
    return float(roc_auc_score(outcome, result) if is_case else r2_score(outcome, result))


def out_of_fold_means(groups: IntArray, values: FloatArray, seed: int) -> FloatArray:
    """Return for each row its group's mean over the other folds; of all where it has no other."""
    folds = np.random.default_rng(seed).permutation(len(groups)) % FOLDS
    result = np.empty(len(groups))
    for fold in range(FOLDS):
        is_held = folds == fold
        known = groups[~is_held]
        counts = np.bincount(known, minlength=groups.max() + 1)
        sums = np.bincount(known, values[~is_held], minlength=groups.max() + 1)
        overall = values[~is_held].mean()
        means = np.divide(sums, counts, out=np.full(sums.shape, overall), where=counts > 0)
        result[is_held] = means[groups[is_held]]
    return result


def _rfm_quintiles(seen: pd.DataFrame) -> list[IntArray]:
    import pandas as pd

    days = pd.to_datetime(seen["last_on"]) - pd.Timestamp(0)
    recency = np.asarray(days.dt.days, dtype=np.float64)
    return [
        _cut(_ranks(values), QUINTILES)
        for values in (
            recency,
            seen["visits"].to_numpy(dtype=np.float64),
            seen["spend"].to_numpy(dtype=np.float64),
        )
    ]


def _ranks(values: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values))


def _cut(values: FloatArray, count: int) -> IntArray:
    # Equal values stay together, so that groups may be of somewhat unequal size.
    shares = (_ranks(values) - 0.5) / len(values)
    return np.minimum((shares * count).astype(np.int64), count - 1)
