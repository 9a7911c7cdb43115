"""What computes each measure that `models_py.studies.measures` declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.clustering.candidate import Candidate
from models_py.clustering.distances import metric_points
from models_py.segmentation.measures.indices import (
    ClusterMoments,
    all_moments,
    calinski_harabasz_scores,
    davies_bouldin_scores,
    inertias,
)
from models_py.segmentation.measures.silhouette import (
    mean_of_clustered,
    silhouette_scores,
    simplified_silhouette,
)
from models_py.studies.measures import (
    ADJUSTED_RAND,
    BIC,
    CALINSKI_HARABASZ,
    COMMON,
    DAVIES_BOULDIN,
    DBCV,
    GAP,
    ICL,
    INERTIA,
    MEASURES,
    METRIC_SILHOUETTE,
    NOISE_SHARE,
    SILHOUETTE,
    SMALLEST_SHARE,
    SQUARED_SILHOUETTE,
    STABILITY,
)

EXACT_SILHOUETTE_ROWS = 60_000
"""Past this many rows the silhouette is the simplified one, which grows with the rows alone."""


def silhouettes(
    points: FloatArray,
    labelings: IntArray,
    metric: str = "euclidean",
    moments: Sequence[ClusterMoments] | None = None,
) -> FloatArray:
    """Return the mean silhouette of each labeling, shape (labelings,); simplified past 60,000 rows.

    Parameters
    ----------
    points
        Shape (n, d).
    labelings
        Shape (labelings, n), -1 for noise.
    metric
        ``"euclidean"`` or ``"cosine"``.
    moments
        Of the clusters of each labeling, where they are known.
    """
    if len(points) <= EXACT_SILHOUETTE_ROWS:
        return silhouette_scores(points, labelings, metric)
    known = [None] * len(labelings) if moments is None else moments
    samples = (
        simplified_silhouette(points, labels, metric=metric, moments=clusters)
        for labels, clusters in zip(labelings, known, strict=True)
    )
    return np.array([mean_of_clustered(row[None, :])[0] for row in samples])


def smallest_share(candidate: Candidate) -> float:
    """Return the share of all rows in the smallest cluster; nan where there is none."""
    sizes = np.bincount(candidate.labels[candidate.labels >= 0])
    return float(sizes.min() / candidate.labels.size) if sizes.size else np.nan


OF_MOMENTS: Mapping[str, Callable[[Sequence[ClusterMoments]], FloatArray]] = {
    DAVIES_BOULDIN.name: davies_bouldin_scores,
    CALINSKI_HARABASZ.name: calinski_harabasz_scores,
    INERTIA.name: inertias,
}
"""From the moments of each labeling's clusters to a figure for each labeling.

The points are at length 1 where the metric is cosine: what is made of centers and squares is then
that of directions.
"""

INDICES = (SILHOUETTE.name, *OF_MOMENTS)
"""The measures that are made of points and labels alone."""

OF_CANDIDATE: Mapping[str, Callable[[Candidate], float]] = {
    NOISE_SHARE.name: lambda candidate: candidate.noise_share,
    SMALLEST_SHARE.name: smallest_share,
    BIC.name: lambda candidate: np.nan if candidate.bic is None else candidate.bic,
    ICL.name: lambda candidate: np.nan if candidate.icl is None else candidate.icl,
    SQUARED_SILHOUETTE.name: lambda candidate: (
        np.nan if candidate.squared_silhouette is None else candidate.squared_silhouette
    ),
}
MEASURED_LATER = (
    METRIC_SILHOUETTE.name,
    DBCV.name,
    GAP.name,
    STABILITY.name,
    ADJUSTED_RAND.name,
)
"""By the search itself, by `with_evidence` of it, and by the refits of the choice."""


def index_figures(
    points: FloatArray, labelings: Sequence[IntArray], metric: str = "euclidean"
) -> dict[str, FloatArray]:
    """Return every index of every labeling, by name; each of shape (labelings,).

    Parameters
    ----------
    points
        Shape (n, d).
    labelings
        Of shape (n,) each, -1 for noise.
    metric
        ``"euclidean"`` or ``"cosine"``: the distance by which the labelings were found.
    """
    stacked, rows = np.vstack(labelings), metric_points(points, metric)
    moments = all_moments(rows, stacked)
    return {
        SILHOUETTE.name: silhouettes(rows, stacked, metric, moments),
        **{name: compute(moments) for name, compute in OF_MOMENTS.items()},
    }


def common_figures(figures: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return indices of the common space under their names there, those that are declared."""
    return {f"{COMMON}{n}": f for n, f in figures.items() if f"{COMMON}{n}" in MEASURES}


def check_complete() -> None:
    """Refuse a measure that is declared and not computed, or the other way round."""
    common = [name for name in MEASURES if name.removeprefix(COMMON) in INDICES]
    computed = {*INDICES, *common, *OF_CANDIDATE, *MEASURED_LATER}
    if computed != set(MEASURES):
        wrong = ", ".join(sorted(computed ^ set(MEASURES)))
        raise LookupError(f"measures declared and not computed, or the other way round: {wrong}")


check_complete()
