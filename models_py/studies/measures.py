"""The measures of a clustering: each is declared here once.

A study chooses by them, ``results.model_search`` has a column for each, and the page takes their
names from here. What computes them is in `models_py.segmentation.measures.computing`, which
cannot be imported while one of them is missing there or is not declared here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["index", "metric", "candidate", "evidence", "refits"]
"""Computed for all candidates of a space at once; for those of one metric; known of a candidate;
by `choose.evidence`; by refits on subsamples."""

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
    def is_own(self) -> bool:
        """Whether it is made with the distance that the candidate was found by."""
        is_common = self.name.startswith(COMMON)
        return self.stage == "metric" or (self.stage == "index" and not is_common)

    @property
    def words(self) -> str:
        """Its title, and which space it is of where that is not the encoder's own."""
        is_common = self.name.startswith(COMMON)
        return f"{self.title} in the common space" if is_common else self.title


def _index(name: str, title: str, better: Literal["higher", "lower"]) -> tuple[Measure, Measure]:
    """Return an index in the encoder's own space, and the same in the common one."""
    where = "in the encoder's own space, by the distance that the candidate was found by"
    own = Measure(name, title, "index", better, where, is_criterion=True)
    # Of the common space a study chooses by the silhouette alone.
    words = "in the scaled selected features, by Euclidean distance"
    return own, Measure(f"{COMMON}{name}", title, "index", better, words, name == "silhouette")


SILHOUETTE, COMMON_SILHOUETTE = _index("silhouette", "silhouette", "higher")
DAVIES_BOULDIN, COMMON_DAVIES_BOULDIN = _index("davies_bouldin", "Davies-Bouldin", "lower")
CALINSKI_HARABASZ, COMMON_CALINSKI_HARABASZ = _index(
    "calinski_harabasz", "Calinski-Harabasz", "higher"
)
METRIC_SILHOUETTE = Measure(
    "metric_silhouette",
    "silhouette by its own distance",
    "metric",
    "higher",
    "in the scaled selected features, by the distance that the candidate was found by",
)
INERTIA = Measure("inertia", "inertia", "index", "lower", "summed squares around cluster means")
NOISE_SHARE = Measure("noise_share", "noise", "candidate", None, "rows in no cluster")
SMALLEST_SHARE = Measure("smallest_share", "smallest", "candidate", None, "its smallest cluster")
BIC = Measure("bic", "BIC", "candidate", "lower", "of a Gaussian mixture", is_criterion=True)
ICL = Measure(
    "icl", "ICL", "candidate", "lower", "of a mixture of one covariance", is_criterion=True
)
SQUARED_SILHOUETTE = Measure(
    "squared_silhouette",
    "silhouette of squared distances",
    "candidate",
    "higher",
    "of all rows of a table on Spark, by MLlib",
    is_criterion=True,
)
DBCV = Measure("dbcv", "DBCV", "evidence", "higher", "density-based validity", is_criterion=True)
GAP = Measure("gap", "gap statistic", "evidence", "higher", "of k-means on a sample")
_REFITS = "over subsample refits"
STABILITY = Measure("stability", "stability", "refits", "higher", f"mean Jaccard {_REFITS}", True)
ADJUSTED_RAND = Measure(
    "adjusted_rand", "adjusted Rand", "refits", "higher", f"mean agreement {_REFITS}"
)

_DECLARED = [value for value in globals().values() if isinstance(value, Measure)]
MEASURES: dict[str, Measure] = {measure.name: measure for measure in _DECLARED}
"""Every measure by name, in the order in which they are declared."""

CRITERIA = tuple(name for name, measure in MEASURES.items() if measure.is_criterion)
"""What a study may choose by, beside its rule and all the evidence."""
