"""The measures of a clustering: each is declared here once.

A study chooses by them, ``results.model_search`` has a column for each, and the page takes their
names from here. What computes them is in `models_py.segmentation.measures.computing`, which
cannot be imported while one of them is missing there or is not declared here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["index", "candidate", "evidence", "refits"]
"""Computed for all candidates of a space at once; known of a candidate; by `choose.evidence`;
by refits on subsamples."""

COMMON = "common_"
"""Begins the name of a measure of the common space, where encoders compare."""


@dataclass(frozen=True)
class Measure:
    """A measure of one candidate.

    Attributes
    ----------
    name
        Its column in ``results.model_search`` and its key in a study.
    title
        The name that a reader sees.
    stage
        What it is computed with.
    better
        Which of two values is the better one; None where that is not to be said.
    description
        What it is, in few words.
    is_criterion
        Whether a study may choose by it.
    """

    name: str
    title: str
    stage: Stage
    better: Literal["higher", "lower"] | None
    description: str
    is_criterion: bool = False

    @property
    def needs_evidence(self) -> bool:
        """Whether it is measured only where a study asks for evidence."""
        return self.stage == "evidence"

    @property
    def words(self) -> str:
        """Its title, and which space it is of where that is not the encoder's own."""
        is_common = self.name.startswith(COMMON)
        return f"{self.title} in the common space" if is_common else self.title


SILHOUETTE = Measure(
    "silhouette", "silhouette", "index", "higher", "in the encoder's own space", is_criterion=True
)
COMMON_SILHOUETTE = Measure(
    f"{COMMON}silhouette",
    "silhouette",
    "index",
    "higher",
    "in the scaled selected features",
    is_criterion=True,
)
DAVIES_BOULDIN = Measure(
    "davies_bouldin",
    "Davies-Bouldin",
    "index",
    "lower",
    "in the encoder's own space",
    is_criterion=True,
)
COMMON_DAVIES_BOULDIN = Measure(
    f"{COMMON}davies_bouldin",
    "Davies-Bouldin",
    "index",
    "lower",
    "in the scaled selected features",
)
CALINSKI_HARABASZ = Measure(
    "calinski_harabasz",
    "Calinski-Harabasz",
    "index",
    "higher",
    "in the encoder's own space",
    is_criterion=True,
)
COMMON_CALINSKI_HARABASZ = Measure(
    f"{COMMON}calinski_harabasz",
    "Calinski-Harabasz",
    "index",
    "higher",
    "in the scaled selected features",
)
INERTIA = Measure(
    "inertia", "inertia", "index", "lower", "squared distances to the clusters' means, summed"
)
NOISE_SHARE = Measure("noise_share", "noise", "candidate", None, "rows in no cluster")
SMALLEST_SHARE = Measure("smallest_share", "smallest", "candidate", None, "its smallest cluster")
BIC = Measure("bic", "BIC", "candidate", "lower", "of a Gaussian mixture", is_criterion=True)
DBCV = Measure("dbcv", "DBCV", "evidence", "higher", "density-based validity", is_criterion=True)
GAP = Measure("gap", "gap statistic", "evidence", "higher", "of k-means on a sample")
STABILITY = Measure(
    "stability",
    "stability",
    "refits",
    "higher",
    "mean Jaccard over subsample refits",
    is_criterion=True,
)
ADJUSTED_RAND = Measure(
    "adjusted_rand", "adjusted Rand", "refits", "higher", "mean agreement over subsample refits"
)

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        SILHOUETTE,
        COMMON_SILHOUETTE,
        DAVIES_BOULDIN,
        COMMON_DAVIES_BOULDIN,
        CALINSKI_HARABASZ,
        COMMON_CALINSKI_HARABASZ,
        INERTIA,
        NOISE_SHARE,
        SMALLEST_SHARE,
        BIC,
        DBCV,
        GAP,
        STABILITY,
        ADJUSTED_RAND,
    )
}
CRITERIA = tuple(name for name, measure in MEASURES.items() if measure.is_criterion)
"""What a study may choose by, beside its rule and all the evidence."""
