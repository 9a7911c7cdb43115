"""Evidence for and against clusterings of one table, whatever algorithm or k they come from.

Three views that fail in different places stand side by side. Density: is the neighbour graph
thin between segments and whole inside them (the separation and sparseness of DBCV, read off a
graph so that hundreds of candidates can be judged)? Shape: how well do Gaussians fit, and are
segments emptier between than at their middles? Agreement: do other algorithms arrive at the
same segments?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError

NEIGHBOURS = 10
REACH_RANK = 8
SAMPLED_ROWS = 800
PROJECTED_COLUMNS = 20

MEASURED = (
    "valley",
    "lowest_valley",
    "inner_gap",
    "widest_inner_gap",
    "clearance",
    "lowest_clearance",
    "cut_off",
    "leak",
    "worst_leak",
    "modularity",
    "silhouette",
    "worst_silhouette",
    "gaussian_bic",
    "round_bic",
    "gaussian_fit",
    "diagonal_bic",
    "pooled_bic",
    "calinski_harabasz",
    "davies_bouldin",
    "segments",
    "smallest_share",
    "smallest_rows",
    "evenness",
    "bridge",
    "worst_bridge",
    "inner_bridge",
    "emptiest_inner_bridge",
    "crossing",
    "unity",
)
AGREED = ("agreement", "best_agreement", "three_agreements", "families_agreeing", "typical")
EVIDENCE = MEASURED + AGREED


@dataclass(frozen=True)
class EvidenceRows:
    """What is computed once for a table and used for each of its clusterings.

    Attributes
    ----------
    points
        Shape (n, p).
    projected
        Shape (n, q): the points, or their first principal components where p is large.
    neighbours
        Shape (n, 10): nearest rows.
    reach
        Shape (n,): distance to the eighth of them.
    by_reach
        Shape (n,): rows from the smallest reach on.
    first, second, length
        Edges of the neighbour graph and the minimum spanning tree under mutual reachability,
        shortest first.
    sample
        Rows that silhouettes and agreement are computed on.
    distances
        Shape (m, m): between the sampled rows.
    floor
        Variance below which nothing is distinguished.
    one_group
        Log-likelihoods a row, were all rows one segment: see `_likelihoods`.
    """

    points: FloatArray
    projected: FloatArray
    neighbours: IntArray
    reach: FloatArray
    by_reach: IntArray
    first: IntArray
    second: IntArray
    length: FloatArray
    sample: IntArray
    distances: FloatArray
    floor: float
    one_group: tuple[float, float, float, float, float]


def prepare_evidence(points: FloatArray, *, seed: int) -> EvidenceRows:
    """Return neighbours, spanning tree and sample of a table.

    Parameters
    ----------
    points
        Shape (n, p), n of 3 or more.
    seed
        Draws the sample.

    Notes
    -----
    The spanning tree takes O(n²·p) time; memory grows with n.
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    if points.ndim != 2 or len(points) < 3:
        raise DataError(
            f"evidence: points have shape {points.shape}; three rows or more are needed"
        )
    neighbours, apart = _nearest(points)
    reach = np.ascontiguousarray(apart[:, min(REACH_RANK, apart.shape[1]) - 1])
    reach += 1e-9 * points.std()
    edges = _edges(points, neighbours, apart, reach)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(len(points), min(len(points), SAMPLED_ROWS), replace=False))
    projected = _projected(points)
    floor = float(1e-6 * points.var(axis=0).mean() + 1e-300)
    covariance = (projected.T @ projected / len(points))[None]
    return EvidenceRows(
        points,
        projected,
        neighbours,
        reach,
        np.argsort(reach, kind="stable"),
        *edges,
        sample,
        _apart(points[sample]),
        floor,
        _likelihoods(covariance, np.array([len(points)]), floor),
    )


def measure_evidence(
    rows: EvidenceRows, labelings: Sequence[IntArray], families: Sequence[str]
) -> FloatArray:
    """Return the evidence of each clustering.

    Parameters
    ----------
    rows
        From `prepare_evidence`.
    labelings
        Each of shape (n,), labels 0..k-1 all in use, k of 2 or more, no noise.
    families
        Algorithm of each; agreement counts between different ones alone.

    Returns
    -------
    ndarray
        Shape (len(labelings), len(EVIDENCE)).
    """
    from models_py.base.threads import across_threads

    figures = across_threads(lambda labels: _measure(rows, labels), labelings)
    measured = np.array([[row[name] for name in MEASURED] for row in figures])
    sampled = np.array([labels[rows.sample] for labels in labelings])
    return np.hstack([measured, _agreement(_rand_matrix(sampled), families)])


def _nearest(points: FloatArray) -> tuple[IntArray, FloatArray]:
    from scipy.spatial import KDTree

    count = min(NEIGHBOURS + 1, len(points))
    apart, rows = KDTree(points).query(points, count)
    return np.ascontiguousarray(rows[:, 1:], dtype=np.int64), apart[:, 1:]


def _edges(
    points: FloatArray, neighbours: IntArray, apart: FloatArray, reach: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    from models_py.clustering.genie import minimum_spanning_tree

    n, count = neighbours.shape
    tree = minimum_spanning_tree(points)
    first = np.concatenate([np.repeat(np.arange(n), count), tree.ends[:, 0]])
    second = np.concatenate([neighbours.ravel(), tree.ends[:, 1]])
    length = np.concatenate([apart.ravel(), tree.weights])
    length = np.maximum(length, np.maximum(reach[first], reach[second]))
    low, high = np.minimum(first, second), np.maximum(first, second)
    _, kept = np.unique(low * n + high, return_index=True)
    order = kept[np.argsort(length[kept], kind="stable")]
    return low[order], high[order], length[order]


def _projected(points: FloatArray) -> FloatArray:
    centered = points - points.mean(axis=0)
    if points.shape[1] <= PROJECTED_COLUMNS:
        return np.ascontiguousarray(centered)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:PROJECTED_COLUMNS]
    return np.ascontiguousarray(centered @ axes.T)


def _apart(sample: FloatArray) -> FloatArray:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(sample, sample), dtype=np.float64)


def _measure(rows: EvidenceRows, labels: IntArray) -> dict[str, float]:
    from models_py.segmentation.auto import evidence_kernels as kernels

    k = int(labels.max()) + 1
    order, starts = kernels.rows_by_segment(labels, k)
    sizes = np.diff(starts)
    share = sizes / labels.size
    valley, gap, cut_off, crossings = kernels.density_gaps(
        labels, sizes, rows.first, rows.second, rows.length, rows.by_reach, rows.reach
    )
    purity = kernels.neighbour_purity(labels, rows.neighbours, sizes)
    kept, chance = float(share @ purity), float(share @ share)
    silhouette, worst_silhouette = kernels.sampled_silhouette(
        labels[rows.sample], rows.distances, k
    )
    sorted_rows = rows.projected[order]
    means, covariances = kernels.segment_moments(sorted_rows, starts)
    bridge = kernels.bridges(sorted_rows, starts, means, covariances, crossings, rows.floor)
    inner = kernels.inner_bridges(sorted_rows, starts, means, covariances, rows.floor)
    return {
        "valley": float(share @ valley),
        "lowest_valley": float(valley.min()),
        "inner_gap": float(share @ gap),
        "widest_inner_gap": float(gap.max()),
        "clearance": float(share @ (valley - gap)),
        "lowest_clearance": float((valley - gap).min()),
        "cut_off": float(share @ cut_off),
        "leak": float(np.log(1.0 - kept + 1e-3)),
        "worst_leak": float(np.log(1.0 - purity.min() + 1e-3)),
        "modularity": (kept - chance) / (1.0 - chance + 1e-12),
        "silhouette": silhouette,
        "worst_silhouette": worst_silhouette,
        **_gaussian(rows, covariances, sizes),
        "davies_bouldin": float(np.log(kernels.davies_bouldin(means, covariances) + 1e-3)),
        "segments": float(np.log(k)),
        "smallest_share": float(np.log(share.min() * k)),
        "smallest_rows": float(np.log(sizes.min())),
        "evenness": float(-(share @ np.log(share)) / np.log(k)),
        "bridge": float(share @ bridge),
        "worst_bridge": float(bridge.max()),
        "inner_bridge": float(share @ inner),
        "emptiest_inner_bridge": float(inner.min()),
        "crossing": float(share @ np.minimum(bridge, np.exp(-valley))),
        "unity": float(share @ np.maximum(inner, np.exp(-gap))),
    }


def _gaussian(rows: EvidenceRows, covariances: FloatArray, sizes: IntArray) -> dict[str, float]:
    """BIC gained over one group (full, round), likelihood gained, log Calinski-Harabasz."""
    n, q, k = len(rows.projected), rows.projected.shape[1], sizes.size
    whole, parts = rows.one_group, _likelihoods(covariances, sizes, rows.floor)
    full, spherical, diagonal, pooled = (parts[i] - whole[i] for i in range(4))
    price = 0.5 * np.log(n) / n * (k - 1)
    between = max(whole[4] - parts[4], 0.0) / (k - 1)
    within = parts[4] / max(n - k, 1) + 1e-300
    return {
        "gaussian_bic": (full - price * (q + q * (q + 1) / 2 + 1)) / q,
        "round_bic": (spherical - price * (q + 2)) / q,
        "gaussian_fit": full / q,
        "diagonal_bic": (diagonal - price * (2 * q + 1)) / q,
        "pooled_bic": (pooled - price * (q + 1)) / q,
        "calinski_harabasz": float(np.log(max(between / within, 1e-9))),
    }


def _likelihoods(
    covariances: FloatArray, sizes: IntArray, floor: float
) -> tuple[float, float, float, float, float]:
    """Log-likelihoods a row of Gaussians: full, round, diagonal, of one covariance; inertia."""
    from models_py.segmentation.auto.evidence_kernels import gaussian_evidence

    floor *= 100.0
    full, spherical, inertia = gaussian_evidence(covariances, sizes, floor)
    diagonal = _diagonal(covariances, sizes, floor)
    return full, spherical, diagonal, _pooled(covariances, sizes, floor), inertia


def _diagonal(covariances: FloatArray, sizes: IntArray, floor: float) -> float:
    """Return the log-likelihood a row of one Gaussian per segment, columns independent in it."""
    variances = np.diagonal(covariances, axis1=1, axis2=2) + floor
    share = sizes / sizes.sum()
    return float(share @ (np.log(share) - 0.5 * np.log(variances).sum(axis=1)))


def _pooled(covariances: FloatArray, sizes: IntArray, floor: float) -> float:
    """Return the log-likelihood a row of Gaussians that share one covariance."""
    share = sizes / sizes.sum()
    within = np.tensordot(share, covariances, axes=1)
    within[np.diag_indices_from(within)] += floor
    return float(share @ np.log(share) - 0.5 * np.linalg.slogdet(within)[1])


def _rand_matrix(labelings: IntArray) -> FloatArray:
    """Return the adjusted Rand index between all clusterings, shape (c, c)."""
    from models_py.base.threads import across_threads
    from models_py.segmentation.auto.evidence_kernels import adjusted_rand_rows

    counts = labelings.max(axis=1) + 1
    agreement = np.eye(len(labelings))
    across_threads(
        lambda i: adjusted_rand_rows(labelings, counts, i, agreement[i]), range(len(labelings))
    )
    return np.maximum(agreement, agreement.T) if len(agreement) else agreement


def _agreement(rand: FloatArray, families: Sequence[str]) -> FloatArray:
    """Best agreement with each other family: mean, best, mean of three, share over 0.9."""
    names = sorted(set(families))
    own = np.array([names.index(family) for family in families])
    best = np.stack([rand[:, own == f].max(axis=1) for f in range(len(names))], axis=1)
    typical = rand.mean(axis=1)
    if len(names) == 1:
        return np.column_stack([np.zeros((len(own), 4)), typical])
    others = np.where(own[:, None] == np.arange(len(names))[None], -np.inf, best)
    others = -np.sort(-others, axis=1)[:, :-1]
    return np.column_stack(
        [
            others.mean(axis=1),
            others[:, 0],
            others[:, :3].mean(axis=1),
            (others > 0.9).mean(axis=1),
            typical,
        ]
    )
