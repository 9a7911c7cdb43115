"""Rows that would pull the segments towards themselves: found, flagged, kept out of the fit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray
from models_py.base.errors import DataError, MissingExtraError
from models_py.features.settings import OUTLIER_METHODS, OutlierMethod, Outliers

FAR_OUT = 3.0
CHI_SQUARE_SHARE = 0.999
INCOMPLETE = "incomplete"
"""What stands for a method where a row is left out for a missing value."""


@dataclass(frozen=True)
class OutlierScores:
    """How unusual each row is.

    Attributes
    ----------
    method
        Name of the detector.
    scores
        Shape (rows,); higher is more unusual.
    is_outlier
        Shape (rows,): the rows that stay out of the fit.
    is_incomplete
        Shape (rows,): those of them that are so for a missing value, whatever their score.
    """

    method: str
    scores: FloatArray
    is_outlier: BoolArray
    is_incomplete: BoolArray

    @property
    def methods(self) -> np.ndarray[Any, np.dtype[np.str_]]:
        """Shape (rows,): the detector, or ``"incomplete"`` for a row that it did not see."""
        return np.where(self.is_incomplete, INCOMPLETE, self.method)


def find_outliers(
    points: FloatArray, section: Outliers, seed: int, incomplete: BoolArray | None = None
) -> OutlierScores:
    """Score every row and flag the most unusual.

    A fixed contamination flags that share of the rows. With ``"auto"`` the detector's own
    threshold holds: 0.5 of the isolation forest's score, 1.5 of the local outlier factor,
    the 99.9% point of chi square for Mahalanobis distances, and Tukey's outer fence (upper
    quartile + 3 interquartile ranges) for ECOD.

    Parameters
    ----------
    points
        Shape (rows, features), scaled.
    section
        The study's section ``outliers``.
    seed
        For the isolation forest and the robust covariance.
    incomplete
        Shape (rows,): rows that are left out for a missing value; the detector does not see them
        and their score is 0.

    Raises
    ------
    DataError
        Fewer than two rows would be left, or too few rows for the detector.
    MissingExtraError
        ECOD is asked for and pyod is not installed.
    """
    if incomplete is None:
        incomplete = np.zeros(len(points), dtype=bool)
    seen = np.flatnonzero(~incomplete)
    if len(seen) < 2:
        raise DataError(
            f"features.incomplete = 'drop_after_scaling' leaves {len(seen)} of {len(points)} rows;"
            " exclude the columns with the most nulls, or set it to 'impute'"
        )
    scores, is_outlier = np.zeros(len(points)), incomplete.copy()
    method = OUTLIER_METHODS[section.method]
    if method is not None:
        scores[seen], is_outlier[seen] = _scored(points[seen], method, section, seed)
    return OutlierScores(section.method, scores, is_outlier, incomplete)


def _scored(
    points: FloatArray, method: OutlierMethod, section: Outliers, seed: int
) -> tuple[FloatArray, BoolArray]:
    scores, threshold = method.load()(points, seed)
    if section.contamination != "auto":
        count = round(section.contamination * len(points))
        order = np.argsort(-scores, kind="stable")
        is_outlier = np.zeros(len(points), dtype=bool)
        is_outlier[order[:count]] = True
    else:
        is_outlier = scores > threshold
    if (~is_outlier).sum() < 2:
        raise DataError(
            f"outliers: {section.method} leaves {int((~is_outlier).sum())} of {len(points)} rows;"
            " lower outliers.contamination or set outliers.method = 'none'"
        )
    return scores, is_outlier


def isolation_forest(points: FloatArray, seed: int) -> tuple[FloatArray, float]:
    """Return the forest's scores and its own threshold (Liu, Ting and Zhou 2008)."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=100, random_state=seed).fit(points)
    return -np.asarray(forest.score_samples(points)), 0.5


def local_outlier_factor(points: FloatArray, seed: int) -> tuple[FloatArray, float]:
    """Return local outlier factors (Breunig et al. 2000) and the usual threshold."""
    from sklearn.neighbors import LocalOutlierFactor

    del seed
    neighbours = min(20, len(points) - 1)
    detector = LocalOutlierFactor(n_neighbors=neighbours, n_jobs=-1).fit(points)
    return -np.asarray(detector.negative_outlier_factor_), 1.5


def ecod(points: FloatArray, seed: int) -> tuple[FloatArray, float]:
    """Return tail probabilities' scores (Li et al. 2022) and Tukey's outer fence."""
    del seed
    try:
        from pyod.models.ecod import ECOD
    except ImportError as error:
        raise MissingExtraError(
            "outliers.method = 'ecod' needs pyod: pip install -c constraints.txt -e '.[outliers]'"
        ) from error
    scores = np.asarray(ECOD().fit(points).decision_scores_)
    lower, upper = np.quantile(scores, [0.25, 0.75])
    return scores, float(upper + FAR_OUT * (upper - lower))


def mahalanobis(points: FloatArray, seed: int) -> tuple[FloatArray, float]:
    """Return robust squared distances (Rousseeuw 1984) and a point of chi square."""
    from scipy.stats import chi2
    from sklearn.covariance import MinCovDet

    if len(points) <= points.shape[1]:
        raise DataError(
            f"outliers: mahalanobis needs more rows than features, got {len(points)} rows of"
            f" {points.shape[1]}; use outliers.method = 'isolation_forest'"
        )
    with warnings.catch_warnings():
        # Where half of the rows agree in a feature, the directions that vary decide alone.
        warnings.filterwarnings("ignore", "The covariance matrix associated", UserWarning)
        warnings.filterwarnings("ignore", "Determinant has increased", RuntimeWarning)
        distances = MinCovDet(random_state=seed).fit(points).mahalanobis(points)
    return np.asarray(distances), float(chi2.ppf(CHI_SQUARE_SHARE, points.shape[1]))
