"""What is asked of an algorithm, and what it hands to the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import IntArray

NOISE = -1


@dataclass(frozen=True)
class Request:
    """One algorithm as a study asks for it.

    Attributes
    ----------
    name
        A name of :data:`models_py.clustering.algorithms.ALGORITHMS`.
    ks
        Numbers of clusters to try; none for an algorithm that finds its own.
    parameters
        A list as a value tries each of its items.
    """

    name: str
    ks: Sequence[int]
    parameters: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Assignment:
    """How a fitted model assigns a row: what is kept of a run to score others.

    Attributes
    ----------
    kind
        A name of :data:`models_py.clustering.algorithms.ASSIGNMENTS`.
    state
        Arrays by name.
    """

    kind: str
    state: Mapping[str, npt.NDArray[Any]]


class FittedModel(Protocol):
    """A model that gives any row its cluster."""

    def predict(self, *rows: Any) -> IntArray:
        """Return the cluster of every row, shape (n,)."""

    def assignment(self) -> Assignment:
        """Return the rule by which `predict` decides."""


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
    icl
        Integrated completed likelihood on the scale of ``bic``: it counts against a mixture, too,
        that rows are not clearly of one component. Lower is better.
    one_group_bic
        ``bic`` of a single component on the same rows: where no candidate is lower, they are one
        group.
    chance_gain
        Where rows are few, tells how far below ``one_group_bic`` candidates get by chance in as
        many rows of one group. It takes a while: candidates found together share one.
    model
        Fitted model, where the algorithm has one.
    squared_silhouette
        Mean silhouette of squared distances of all rows of the table that these were drawn from.
    """

    algorithm: str
    parameters: Mapping[str, object]
    labels: IntArray
    seconds: float
    bic: float | None = None
    model: FittedModel | None = None
    icl: float | None = None
    one_group_bic: float | None = None
    chance_gain: Callable[[], float] | None = None
    squared_silhouette: float | None = None

    @property
    def k(self) -> int:
        """Clusters found, noise not counted."""
        kept = self.labels[self.labels != NOISE]
        return int(np.unique(kept).size)

    @property
    def metric(self) -> str:
        """The distance it was found by, a name of `models_py.clustering.distances.METRICS`."""
        return str(self.parameters.get("metric", "euclidean"))

    @property
    def noise_share(self) -> float:
        """Share of rows left as noise, 0..1."""
        return float(np.mean(self.labels == NOISE))
