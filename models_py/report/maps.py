"""Where rows stand on a map: principal components, t-SNE, multiple correspondence analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.rounding import spreads_of

if TYPE_CHECKING:
    import pandas as pd

TSNE_ROWS = 600
"""Rows that t-SNE lays out: its time grows with n log n, about a second at this number."""

FEWEST_MAPPED = 3
"""Rows that a map of principal components needs at least."""

FEWEST_NEIGHBOURS = 10
"""Rows that t-SNE needs at least."""

TSNE_STEPS = 400
TSNE_ANGLE = 0.8
"""How coarsely far points are summed up; below 0.8 the map looks alike and takes longer."""

PCA_ROWS = 4_000
MCA_ROWS = 20_000


@dataclass(frozen=True)
class Projection:
    """Rows along the two directions in which they differ most.

    Attributes
    ----------
    points
        Shape (n, 2).
    shares
        Shape (2,): part of the variance along each.
    loadings
        Shape (features, 2): how each feature runs along them, -1..1.
    """

    points: FloatArray
    shares: FloatArray
    loadings: FloatArray


@dataclass(frozen=True)
class Correspondence:
    """Rows and categories in one map.

    Attributes
    ----------
    rows
        Shape (n, 2): principal coordinates.
    places
        Shape (categories, 2): principal coordinates of the categories.
    names
        One a category, as ``column: category``.
    shares
        Shape (2,): part of the inertia along each, after Benzecri's correction.
    """

    rows: FloatArray
    places: FloatArray
    names: list[str]
    shares: FloatArray


def sampled(count: int, most: int, seed: int) -> IntArray:
    """Return positions of at most so many rows, drawn without replacement, in order."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    drawn = np.random.default_rng(seed).choice(count, most, replace=False)
    return np.sort(drawn).astype(np.int64)


def principal_map(points: FloatArray) -> Projection:
    """Return rows along their first two principal components.

    Parameters
    ----------
    points
        Shape (n, p): scaled features; n at least 2.
    """
    centered = points - points.mean(axis=0)
    variances, axes = np.linalg.eigh(centered.T @ centered / len(points))
    order = np.argsort(variances)[::-1][:2]
    axes, along = axes[:, order], np.maximum(variances[order], 0.0)
    # An axis has no sign of its own: its strongest feature grows to the right, or upwards.
    strongest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[strongest, np.arange(axes.shape[1])])
    loadings = axes * np.sqrt(along) / spreads_of(points)[:, None]
    placed = centered @ axes
    if placed.shape[1] < 2:
        placed = np.column_stack([placed, np.zeros(len(placed))])
        loadings = np.column_stack([loadings, np.zeros(len(loadings))])
        along = np.append(along, 0.0)
    total = float(np.maximum(variances, 0.0).sum()) or 1.0
    return Projection(placed, along / total, loadings)


def neighbour_map(points: FloatArray, seed: int, perplexity: float = 30.0) -> FloatArray:
    """Return rows laid out by t-SNE, shape (n, 2): neighbours stay neighbours.

    One thread, since the sums of several come in another order each time and t-SNE makes
    another map of the smallest difference.

    Parameters
    ----------
    points
        Shape (n, d), n at least 5.
    seed
        The same points and seed give the same map.
    perplexity
        About how many neighbours each row looks at; a third of the rows at most.

    References
    ----------
    van der Maaten, L., Hinton, G. (2008). Visualizing data using t-SNE. JMLR 9, 2579-2605.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    method = TSNE(
        init="pca" if points.shape[1] > 1 else "random",
        max_iter=TSNE_STEPS,
        angle=TSNE_ANGLE,
        perplexity=used_perplexity(perplexity, len(points)),
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1):
        placed = method.fit_transform(np.ascontiguousarray(points, dtype=np.float32))
    return np.asarray(placed, dtype=np.float64)


def used_perplexity(perplexity: float, rows: int) -> float:
    """Return the perplexity that so many rows allow.

    Examples
    --------
    >>> used_perplexity(30.0, 1000), used_perplexity(30.0, 31)
    (30.0, 10.0)
    """
    return min(perplexity, max(2.0, (rows - 1) / 3.0))


def correspondence_map(frame: pd.DataFrame) -> Correspondence:
    """Return rows and categories by multiple correspondence analysis.

    Parameters
    ----------
    frame
        Columns of words without nulls, at least two columns and two rows; every column has
        two categories or more.

    References
    ----------
    Greenacre, M. (2017). Correspondence analysis in practice, 3rd edition, chapter 18.
    Benzecri, J.-P. (1979). Sur le calcul des taux d'inertie dans l'analyse d'un questionnaire.
    Cahiers de l'analyse des donnees 4(3), 377-378.
    """
    import pandas as pd

    columns = len(frame.columns)
    shown = pd.get_dummies(frame, prefix_sep="\0", dtype=float)
    indicator = shown.to_numpy()
    masses = indicator.sum(axis=0) / (len(frame) * columns)
    # Chi-square residuals; the products of the columns need no matrix as long as the rows.
    standard = (indicator / columns - masses) / np.sqrt(masses) / np.sqrt(len(frame))
    inertias, axes = np.linalg.eigh(standard.T @ standard)
    order = np.argsort(inertias)[::-1]
    inertias, axes = np.maximum(inertias[order], 0.0), axes[:, order]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    rows = standard @ axes[:, :2] * np.sqrt(len(frame))
    places = axes[:, :2] * np.sqrt(inertias[:2]) / np.sqrt(masses)[:, None]
    names = [str(name).replace("\0", ": ").replace("_", " ") for name in shown.columns]
    return Correspondence(rows, places, names, _corrected(inertias, columns)[:2])


def _corrected(inertias: FloatArray, columns: int) -> FloatArray:
    # Only what lies above chance, 1 / columns, says how the columns go together.
    above = np.where(inertias > 1.0 / columns, inertias - 1.0 / columns, 0.0)
    squared = (columns / (columns - 1.0) * above) ** 2
    return np.asarray(squared / (squared.sum() or 1.0))
