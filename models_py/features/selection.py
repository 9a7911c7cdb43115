"""Which features stay: variance, correlation, variance inflation, importance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.rounding import constant_columns
from models_py.features.recipes import Dropped
from models_py.features.settings import Selection

RANK_TOLERANCE = 1e-9
IMPORTANCE_ROWS = 4000
IMPORTANCE_TREES = 80


@dataclass(frozen=True)
class Selected:
    """What selection kept and dropped.

    Attributes
    ----------
    kept
        Column positions in the matrix that was given, ascending.
    dropped
        Features that went, with the step and reason, in the order they went.
    vif
        Variance inflation factor of each kept feature, in the order of ``kept``.
    """

    kept: IntArray
    dropped: list[Dropped]
    vif: FloatArray


def select_features(
    matrix: FloatArray,
    names: list[str],
    unit_variances: dict[str, float],
    limits: Selection,
    seed: int,
    parts: IntArray | None = None,
    correlation: FloatArray | None = None,
) -> Selected:
    """Drop nearly constant, redundant and (if a number is set) unimportant features.

    Parameters
    ----------
    matrix
        Shape (rows, features), finite.
    names
        The features' names.
    unit_variances
        Variance of each feature scaled to 0..1; a share of ones p has p (1 - p).
    limits
        The study's section ``selection``.
    seed
        For the importance ranking, where ``limits.max_features`` asks for one.
    parts
        Positions of columns that are parts of a composition: they stay, for a whole without one
        of its parts is another whole, and no column goes because of them.
    correlation
        Shape (features, features), where it is known of more rows than these.
    """

    def among(positions: IntArray) -> FloatArray:
        if correlation is None:
            return _correlation(matrix[:, positions])
        return correlation[np.ix_(positions, positions)]

    apart = np.empty(0, dtype=np.int64) if parts is None else parts
    kept = np.setdiff1d(np.arange(len(names)), apart)
    dropped: list[Dropped] = []

    def drop(positions: IntArray, gone: list[Dropped]) -> IntArray:
        dropped.extend(gone)
        return np.setdiff1d(kept, positions)

    kept = drop(*_flat(names, unit_variances, limits.min_variance))
    if limits.max_correlation is not None:
        kept = drop(*_correlated(among(kept), names, kept, limits.max_correlation))
    if limits.max_vif is not None:
        kept = drop(*_inflated(among, names, kept, limits.max_vif))
    if limits.max_features is not None and kept.size > limits.max_features:
        kept = drop(*_unimportant(matrix, names, kept, limits.max_features, seed))
    kept = np.union1d(kept, apart)
    return Selected(kept, dropped, _inflation(among(kept)))


def variance_inflation(matrix: FloatArray) -> FloatArray:
    """Return each column's variance inflation factor, 1 / (1 - R²) on all the others.

    The factors are the diagonal of the inverse correlation matrix (Belsley, Kuh and Welsch,
    Regression Diagnostics, 1980), which takes one factorisation rather than a regression per
    feature. A column that the others determine gets infinity.

    Parameters
    ----------
    matrix
        Shape (rows, columns).

    Returns
    -------
    FloatArray
        Shape (columns,).
    """
    return _inflation(_correlation(matrix))


def _inflation(correlation: FloatArray) -> FloatArray:
    if not correlation.size:
        return np.empty(0)
    values, vectors = np.linalg.eigh(correlation)
    null = values < RANK_TOLERANCE * max(1.0, float(values[-1]))
    if not null.any():
        return np.asarray(np.diag(np.linalg.inv(correlation)).copy())
    inflation = ((vectors[:, ~null] ** 2) / values[~null]).sum(axis=1)
    determined = (vectors[:, null] ** 2).sum(axis=1) > RANK_TOLERANCE
    return np.where(determined, np.inf, inflation)


def feature_importance(matrix: FloatArray, seed: int) -> FloatArray:
    """Rank features by the joint structure they carry; no label is needed.

    A forest tells the rows from rows whose columns were permuted one by one (Breiman 2003;
    Shi and Horvath, Unsupervised Learning with Random Forest Predictors, 2006): what helps
    to tell them is tied to other features. At most 4,000 rows are used.

    Parameters
    ----------
    matrix
        Shape (rows, features).
    seed
        For sampling, permuting and the forest.

    Returns
    -------
    FloatArray
        Shape (features,), summing to 1.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    generator = np.random.default_rng(seed)
    rows = matrix
    if len(matrix) > IMPORTANCE_ROWS:
        rows = matrix[np.sort(generator.choice(len(matrix), IMPORTANCE_ROWS, replace=False))]
    shuffled = np.column_stack([generator.permutation(column) for column in rows.T])
    forest = ExtraTreesClassifier(
        IMPORTANCE_TREES, min_samples_leaf=5, n_jobs=-1, random_state=seed
    )
    forest.fit(np.vstack([rows, shuffled]), np.repeat([1, 0], len(rows)))
    with np.errstate(divide="ignore", invalid="ignore"):
        importance = np.asarray(forest.feature_importances_, dtype=np.float64)
    # Of few rows no tree splits: then every feature counts alike.
    is_split = bool(np.isfinite(importance).all()) and importance.sum() > 0
    return importance if is_split else np.full(importance.size, 1.0 / importance.size)


def _flat(
    names: list[str], unit_variances: dict[str, float], limit: float
) -> tuple[IntArray, list[Dropped]]:
    variances = np.array([unit_variances[name] for name in names])
    gone = np.flatnonzero(variances < limit)
    reason = "nearly constant: variance {:.2g} of the column scaled to 0..1, under {:g}"
    return gone, [
        Dropped(names[i], "variance", reason.format(variances[i], limit), variances[i])
        for i in gone
    ]


def _correlation(matrix: FloatArray) -> FloatArray:
    centered = matrix - matrix.mean(axis=0)
    norms = np.linalg.norm(centered, axis=0)
    is_flat = constant_columns(matrix) | ~(norms > 0)
    scaled = np.where(is_flat, 0.0, centered / np.where(is_flat, 1.0, norms))
    correlation: FloatArray = scaled.T @ scaled
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _correlated(
    correlation: FloatArray, names: list[str], kept: IntArray, limit: float
) -> tuple[IntArray, list[Dropped]]:
    # Of the strongest pair left, the one that correlates more with all the rest goes (Kuhn
    # and Johnson, Applied Predictive Modeling, 2013, section 3.5).
    strength = np.abs(correlation)
    np.fill_diagonal(strength, 0.0)
    alive = np.ones(kept.size, dtype=bool)
    gone: list[int] = []
    dropped: list[Dropped] = []
    while alive.sum() > 1:
        here = np.where(np.outer(alive, alive), strength, 0.0)
        first, second = np.unravel_index(int(here.argmax()), here.shape)
        if here[first, second] <= limit:
            break
        means = here.sum(axis=1) / (alive.sum() - 1)
        out, stays = (first, second) if means[first] > means[second] else (second, first)
        alive[out] = False
        gone.append(int(kept[out]))
        reason = (
            f"correlates {strength[out, stays]:.2f} with {names[kept[stays]]}, and with the rest"
            f" {means[out]:.2f} on average against {means[stays]:.2f}"
        )
        dropped.append(Dropped(names[kept[out]], "correlation", reason))
    return np.array(gone, dtype=np.int64), dropped


def _inflated(
    among: Callable[[IntArray], FloatArray], names: list[str], kept: IntArray, limit: float
) -> tuple[IntArray, list[Dropped]]:
    gone, dropped = _determined(among(kept), names, kept)
    left = np.setdiff1d(kept, gone)
    inverse = np.asarray(np.linalg.inv(among(left)), dtype=np.float64)
    while left.size > 1:
        worst = int(np.argmax(np.diag(inverse)))
        inflation = float(inverse[worst, worst])
        if inflation <= limit:
            break
        gone.append(int(left[worst]))
        reason = f"variance inflation {inflation:.1f}, over {limit:g}"
        dropped.append(Dropped(names[left[worst]], "vif", reason, vif=inflation))
        inverse = _without(inverse, worst)
        left = np.delete(left, worst)
    return np.array(gone, dtype=np.int64), dropped


def _determined(
    correlation: FloatArray, names: list[str], kept: IntArray
) -> tuple[list[int], list[Dropped]]:
    # Columns that others determine go first, so that the inverse exists; pivoting keeps the
    # most independent ones.
    from scipy.linalg import qr

    if kept.size == 0:
        return [], []
    _, triangle, order = qr(correlation, pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int((sizes > RANK_TOLERANCE * sizes[0]).sum())
    gone = [int(kept[i]) for i in sorted(order[rank:])]
    reason = "other features determine it exactly"
    return gone, [Dropped(names[i], "vif", reason, vif=float("inf")) for i in gone]


def _without(inverse: FloatArray, index: int) -> FloatArray:
    # Inverse of the correlation matrix without one row and column, by Schur complement.
    rest = np.delete(np.arange(len(inverse)), index)
    column = inverse[rest, index]
    updated: FloatArray = (
        inverse[np.ix_(rest, rest)] - np.outer(column, column) / inverse[index, index]
    )
    return updated


def _unimportant(
    matrix: FloatArray, names: list[str], kept: IntArray, limit: int, seed: int
) -> tuple[IntArray, list[Dropped]]:
    importance = feature_importance(matrix[:, kept], seed)
    order = np.argsort(-importance, kind="stable")
    gone = np.sort(kept[order[limit:]])
    place = {int(kept[i]): rank + 1 for rank, i in enumerate(order)}
    return gone, [
        Dropped(names[i], "importance", f"place {place[int(i)]} by importance, past {limit}")
        for i in gone
    ]
