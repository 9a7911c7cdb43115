"""How far each group of one labeling comes back in another of the same rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray

Labels = npt.NDArray[np.integer]


def segment_jaccard(labels: Labels, other: Labels) -> FloatArray:
    """Return, for each group of `labels` in order, the Jaccard index with its best match.

    The Jaccard index of two groups is the share of the rows in either that are in both, 0..1.
    """
    from sklearn.metrics.cluster import contingency_matrix

    shared = contingency_matrix(labels, other).astype(np.float64)
    either = shared.sum(axis=1)[:, None] + shared.sum(axis=0)[None, :] - shared
    return np.asarray((shared / either).max(axis=1))
