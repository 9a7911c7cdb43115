"""What every algorithm hands to the search: one clustering and how it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models_py.base.arrays import IntArray

NOISE = -1


@dataclass(frozen=True)
class Candidate:
    """One clustering of n rows.

    Attributes
    ----------
    algorithm
        Registered name, such as ``"kmeans"`` or ``"ward"``.
    parameters
        What it was run with; values that JSON can hold.
    labels
        Shape (n,): clusters 0..k-1, -1 for noise.
    seconds
        Wall time spent on this candidate alone.
    bic
        Bayesian information criterion where the model has a likelihood; lower is better.
    model
        Fitted predictor with ``predict(points)``, where the algorithm has one.
    """

    algorithm: str
    parameters: Mapping[str, object]
    labels: IntArray
    seconds: float
    bic: float | None = None
    model: object | None = None

    @property
    def k(self) -> int:
        """Clusters found, noise not counted."""
        kept = self.labels[self.labels != NOISE]
        return int(np.unique(kept).size)

    @property
    def noise_share(self) -> float:
        """Share of rows left as noise, 0..1."""
        return float(np.mean(self.labels == NOISE))
