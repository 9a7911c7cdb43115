"""How far segments go in telling a known label, beside what a supervised model reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models_py.base.errors import MissingExtraError
from models_py.evaluation.agreement import adjusted_rand, contingency
from models_py.base.arrays import FloatArray, IntArray

FOLDS = 5
"""Folds of the supervised model's cross-validation."""

Labels = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Agreement:
    """Two groupings of the same rows, compared.

    Attributes
    ----------
    purity
        Share of the rows whose label is the commonest of their segment, 0..1.
    adjusted_rand
        1 for the same groups, about 0 for chance.
    mutual_information
        Normalised by the mean of both entropies, 0..1.
    """

    purity: float
    adjusted_rand: float
    mutual_information: float


@dataclass(frozen=True)
class Supervised:
    """What a model that is told the labels reaches on rows that it was not told.

    Attributes
    ----------
    accuracy
        Share of the rows with the right label.
    adjusted_rand
        Between the labels that it gives and the known ones.
    folds
        Parts that each stayed out of one fit.
    """

    accuracy: float
    adjusted_rand: float
    folds: int


def agreement(segments: Labels, labels: Labels) -> Agreement:
    """Compare segments with known labels.

    Parameters
    ----------
    segments, labels
        Shape (n,): whole numbers that name the group of each row.
    """
    table = contingency(segments, labels)
    return Agreement(
        purity=float(table.max(axis=1).sum() / table.sum()),
        adjusted_rand=adjusted_rand(segments, labels),
        mutual_information=normalised_mutual_information(table),
    )


def normalised_mutual_information(table: IntArray) -> float:
    """Return the mutual information of a contingency table over the mean of both entropies.

    1 where each grouping determines the other, 0 where they are independent or where one
    group holds every row.

    References
    ----------
    Strehl, Ghosh (2002), Cluster ensembles, Journal of Machine Learning Research 3, 583-617;
    with the arithmetic mean.
    """
    both = _entropy(table.ravel())
    first, second = _entropy(table.sum(axis=1)), _entropy(table.sum(axis=0))
    if first == 0.0 or second == 0.0:
        return 0.0
    return float(np.clip(2.0 * (first + second - both) / (first + second), 0.0, 1.0))


def supervised_score(points: FloatArray, labels: Labels, seed: int) -> Supervised | None:
    """Cross-validate a LightGBM classifier of the label on the study's features.

    Parameters
    ----------
    points
        Shape (n, p): the scaled features.
    labels
        Shape (n,): whole numbers.
    seed
        For the folds and the trees.

    Returns
    -------
    Supervised or None
        None where a label has fewer rows than there are folds, or only one label is there.

    Raises
    ------
    MissingExtraError
        LightGBM is not installed.
    """
    _, counts = np.unique(labels, return_counts=True)
    if counts.size < 2 or counts.min() < FOLDS:
        return None
    predicted = _out_of_fold(points, labels, seed)
    return Supervised(
        accuracy=float(np.mean(predicted == labels)),
        adjusted_rand=adjusted_rand(predicted, labels),
        folds=FOLDS,
    )


def _out_of_fold(points: FloatArray, labels: Labels, seed: int) -> Labels:
    from sklearn.model_selection import StratifiedKFold

    predicted = np.empty_like(labels)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for taught, asked in folds.split(points, labels):
        model = _classifier(seed).fit(points[taught], labels[taught])
        predicted[asked] = model.predict(points[asked])
    return predicted


def _classifier(seed: int) -> Any:
    try:
        from lightgbm import LGBMClassifier
    except ImportError as error:
        raise MissingExtraError(
            "the supervised score beside a label needs lightgbm:"
            " pip install -c constraints.txt -e '.[report]'"
        ) from error
    # Small trees, for a few thousand rows are usual; one thread, for threads that wait for a
    # busy core cost more than they gain there.
    return LGBMClassifier(
        n_estimators=100,
        learning_rate=0.05,
        num_leaves=15,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


def _entropy(counts: IntArray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
