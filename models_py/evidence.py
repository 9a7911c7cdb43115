"""What stands beside the silhouette: density-based validity, the gap statistic and the elbow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models_py.evaluation.dbcv import relative_dbcv
from models_py.evaluation.gap import gap_statistic
from models_py.search import Found, Space

GAP_ROWS = 3000
"""The gap statistic clusters at most this many rows, once for each reference."""

CENTRE_BASED = ("kmeans", "minibatch_kmeans", "bisecting_kmeans")


def with_evidence(spaces: Sequence[Space], found: Sequence[Found], seed: int) -> list[Found]:
    """Add DBCV of every candidate and the gap statistic of k-means to their measures.

    Both are measured on a seeded sample where there are more than a few thousand rows, so
    that they rank candidates of one search and grow with the candidates alone.

    Parameters
    ----------
    spaces
        The rows in each encoder's coordinates.
    found
        The candidates.
    seed
        For the samples and the references.
    """
    gaps = _gaps(spaces, found, seed)
    return [
        replace(
            one,
            measures=replace(
                one.measures,
                dbcv=relative_dbcv(spaces[one.space].points, one.candidate.labels, seed=seed).score,
                gap=gaps.get((one.space, one.candidate.k), np.nan)
                if one.candidate.algorithm in CENTRE_BASED
                else np.nan,
            ),
        )
        for one in found
    ]


def _gaps(
    spaces: Sequence[Space], found: Sequence[Found], seed: int
) -> dict[tuple[int, int], float]:
    gaps: dict[tuple[int, int], float] = {}
    for number, space in enumerate(spaces):
        ks = sorted(
            {
                one.candidate.k
                for one in found
                if one.space == number and one.candidate.algorithm in CENTRE_BASED
            }
        )
        if not ks:
            continue
        points = space.points
        if len(points) > GAP_ROWS:
            drawn = np.random.default_rng(seed).choice(len(points), GAP_ROWS, replace=False)
            points = np.ascontiguousarray(points[np.sort(drawn)])
        measured = gap_statistic(points, ks, seed=seed)
        gaps |= {(number, k): float(g) for k, g in zip(measured.ks, measured.gaps, strict=True)}
    return gaps
