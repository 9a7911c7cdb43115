"""Every algorithm once: what a study may say of it, what it costs, what runs it.

The rest of the package asks this table and knows no algorithm by its name. A new algorithm is its
module, its entry here, its row in the README of studies, its test. The table imports little: what
runs an algorithm and what estimates its memory are named ``"module:function"``, modules of this
package, and imported when used (:meth:`Algorithm.load`).

Growth is written with n (rows), k (clusters) and p (columns).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models_py.base.errors import near_match
from models_py.base.imports import import_named

FAMILIES = (
    "kmeans",
    "ward",
    "average",
    "complete",
    "genie",
    "smooth_genie",
    "chopped",
    "gaussian_full",
    "gaussian_diag",
    "gaussian_pooled",
    "hdbscan",
    "spectral",
)
"""Kinds of clusterings that the automatic choice weighs; each has a fitted constant."""
KIN = {"gaussian_pooled": "gaussian_full"}
"""Families whose agreement with another is no second opinion."""

ASSIGNMENTS = {
    "nearest_center": "the nearest center decides",
    "splits": "the nearer center of each split in two decides",
    "most_probable": "the most probable component decides",
    "nearest_core_point": "the nearest core point decides",
    "cheapest_prototype": "the prototype of lowest cost decides",
    "most_probable_kind": "the most probable component of numbers and words decides",
    "nearest_row": "the nearest row that was clustered decides",
    "of_each_candidate": "each candidate is assigned as the algorithm that it names",
}
"""How a new row is assigned."""

NEIGHBOUR_ASSIGNMENTS = ("nearest_core_point", "nearest_row")


@dataclass(frozen=True)
class Allowed:
    """Values that a parameter takes: in words, and as a test."""

    words: str
    accepts: Callable[[object], bool]


@dataclass(frozen=True)
class Family:
    """Which family a candidate counts as, by one of its parameters where that matters.

    Attributes
    ----------
    name
        The family of all values that ``others`` does not list.
    parameter
        Parameter that decides; None where nothing does.
    others
        Value of the parameter to family.
    """

    name: str
    parameter: str | None = None
    others: Mapping[object, str] = field(default_factory=dict)

    def of(self, parameters: Mapping[str, object]) -> str:
        """Return the family of a candidate with these parameters."""
        if self.parameter is None:
            return self.name
        return self.others.get(parameters.get(self.parameter), self.name)


@dataclass(frozen=True)
class TableShape:
    """What the memory of a run depends on.

    Attributes
    ----------
    rows, columns
        Of the table; the numeric columns alone for mixed rows.
    clusters
        The largest k asked for.
    candidates
        How many k are asked for.
    categories, levels
        Categorical columns, and the most levels of one of them.
    """

    rows: int
    columns: int
    clusters: int = 2
    candidates: int = 1
    categories: int = 0
    levels: int = 0


@dataclass(frozen=True)
class Algorithm:
    """Everything that the package knows of one algorithm.

    Attributes
    ----------
    title
        The name that a reader sees.
    time, memory
        Growth, written with n, k and p.
    runner
        ``"module:function"``: takes the points (or numbers and codes, for mixed rows), then the
        numbers of clusters unless it finds its own, ``seed`` where it takes one, and parameters;
        returns candidates.
    peak_bytes
        ``"module:function"``: takes a :class:`TableShape` and parameters, and returns the bytes
        that a run takes at its peak beyond the rows themselves.
    assignment
        A name of :data:`ASSIGNMENTS`: how a row that was not clustered is assigned.
    is_exact
        Whether that rule gives the rows that were clustered the labels that they have.
    family
        What its candidates count as in the automatic choice.
    parameters
        Keys of ``[algorithms.parameters]`` and their values; a list tries each of its items.
    finds_k
        Whether it finds the number of clusters itself.
    takes_seed
        Whether anything in it is random.
    needs_mixed_rows
        Whether it clusters numbers and categories instead of the encoding.
    needs_both_kinds
        Whether it does so only where there are numbers and categories.
    is_center_based
        Whether it minimises distances to centers, as the gap statistic presupposes.
    shares_work
        Whether the runner takes all requests of such algorithms at once, for what they share.
    swept
        Parameters whose lists the runner takes whole.
    former_parameters
        Former name of a parameter to its name: studies and runs of older versions have it.
    on_spark
        Parameters and their values that it takes where Spark's MLlib fits it to all rows of a
        table; None where MLlib does not have it.
    """

    title: str
    time: str
    memory: str
    runner: str
    peak_bytes: str
    assignment: str
    is_exact: bool
    family: Family
    parameters: Mapping[str, Allowed] = field(default_factory=dict)
    finds_k: bool = False
    takes_seed: bool = True
    needs_mixed_rows: bool = False
    needs_both_kinds: bool = False
    is_center_based: bool = False
    shares_work: bool = False
    swept: tuple[str, ...] = ()
    former_parameters: Mapping[str, str] = field(default_factory=dict)
    on_spark: Mapping[str, Allowed] | None = None

    def __post_init__(self) -> None:
        for what in ("title", "time", "memory"):
            if not getattr(self, what):
                raise ValueError(f"an algorithm without its {what}: {self}")
        for what in ("runner", "peak_bytes"):
            if getattr(self, what).count(":") != 1:
                raise ValueError(f"{self.title}: {what} is written module:function")
        if self.assignment not in ASSIGNMENTS:
            raise ValueError(f"{self.title}: unknown assignment rule '{self.assignment}'")
        for family in (self.family.name, *self.family.others.values()):
            if family not in FAMILIES:
                raise ValueError(f"{self.title}: unknown family '{family}'")
        known = {*self.parameters}
        if not {*self.swept, *self.former_parameters.values()} <= known:
            raise ValueError(f"{self.title}: unknown parameters in swept or former_parameters")

    @property
    def has_any_shape(self) -> bool:
        """Whether its clusters have no center to speak of."""
        return self.assignment in NEIGHBOUR_ASSIGNMENTS

    @property
    def splits_a_cluster(self) -> bool:
        """Whether it can search a cluster again: it takes k and points, and its parts have centers.

        Refined clusters are assigned by their centers.
        """
        return not (self.finds_k or self.needs_mixed_rows or self.has_any_shape)

    def load(self, what: str) -> Callable[..., Any]:
        """Import what ``runner`` or ``peak_bytes`` names."""
        loaded: Callable[..., Any] = import_named("models_py.clustering", getattr(self, what))
        return loaded


def whole(lowest: int) -> Allowed:
    """Allow whole numbers from ``lowest``."""
    return Allowed(
        f"a whole number from {lowest}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= lowest,
    )


def above_zero() -> Allowed:
    """Allow finite numbers above 0."""
    return Allowed(
        "a number above 0",
        lambda value: (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and 0.0 < value < float("inf")
        ),
    )


def one_of(*words: str) -> Allowed:
    """Allow some words."""
    return Allowed(" or ".join(f"'{word}'" for word in words), lambda value: value in words)


METRIC = {"metric": one_of("euclidean", "cosine")}
NEIGHBOURS = {"neighbours": whole(0)}
RESTARTS = {"n_init": whole(1), "max_iter": whole(1)}

ALGORITHMS: dict[str, Algorithm] = {
    "kmeans": Algorithm(
        title="k-means",
        time="n k p",
        memory="n p",
        runner="kmeans:kmeans_sweep",
        peak_bytes="kmeans:kmeans_peak_bytes",
        assignment="nearest_center",
        is_exact=True,
        family=Family("kmeans"),
        parameters={
            **RESTARTS,
            "implementation": one_of("bounded", "scikit-learn"),
            "random_state": whole(0),
        },
        is_center_based=True,
        on_spark={"n_init": whole(1), "random_state": whole(0)},
    ),
    "minibatch_kmeans": Algorithm(
        title="mini-batch k-means",
        time="n k p",
        memory="n p",
        runner="kmeans_variants:minibatch_kmeans_sweep",
        peak_bytes="kmeans_variants:minibatch_peak_bytes",
        assignment="nearest_center",
        is_exact=True,
        family=Family("kmeans"),
        parameters={**RESTARTS, "batch_size": whole(1)},
        is_center_based=True,
    ),
    "bisecting_kmeans": Algorithm(
        title="bisecting k-means",
        time="n k p",
        memory="n p",
        runner="kmeans_variants:bisecting_kmeans_sweep",
        peak_bytes="kmeans_variants:bisecting_peak_bytes",
        assignment="splits",
        is_exact=True,
        family=Family("kmeans"),
        parameters=RESTARTS,
        is_center_based=True,
    ),
    "gaussian_mixture": Algorithm(
        title="Gaussian mixture",
        time="n k p²",
        memory="n k + k p²",
        runner="mixture:gaussian_mixture_sweep",
        peak_bytes="mixture:mixture_peak_bytes",
        assignment="most_probable",
        is_exact=True,
        family=Family(
            "gaussian_full",
            "covariance",
            {"diag": "gaussian_diag", "spherical": "gaussian_diag"},
        ),
        parameters={
            "covariance": one_of("full", "diag", "tied", "spherical"),
            "n_init": whole(1),
        },
        on_spark={"covariance": one_of("full"), "n_init": whole(1)},
    ),
    "pooled_mixture": Algorithm(
        title="Gaussian mixture of one covariance, merged down",
        time="n k p²",
        memory="n k",
        runner="pooled_mixture:pooled_mixture_sweep",
        peak_bytes="pooled_mixture:pooled_mixture_peak_bytes",
        assignment="most_probable",
        is_exact=True,
        family=Family("gaussian_pooled"),
        parameters={"n_init": whole(1)},
    ),
    "ward": Algorithm(
        title="Ward linkage",
        time="n² p",
        memory="n p",
        runner="linkage:linkage_sweep",
        peak_bytes="linkage:ward_peak_bytes",
        assignment="nearest_center",
        is_exact=False,
        family=Family("ward"),
        takes_seed=False,
        shares_work=True,
    ),
    "average": Algorithm(
        title="average linkage",
        time="n² p",
        memory="n²",
        runner="linkage:linkage_sweep",
        peak_bytes="linkage:matrix_peak_bytes",
        assignment="nearest_center",
        is_exact=False,
        family=Family("average"),
        parameters=METRIC,
        takes_seed=False,
        shares_work=True,
    ),
    "complete": Algorithm(
        title="complete linkage",
        time="n² p",
        memory="n²",
        runner="linkage:linkage_sweep",
        peak_bytes="linkage:matrix_peak_bytes",
        assignment="nearest_center",
        is_exact=False,
        family=Family("complete"),
        parameters=METRIC,
        takes_seed=False,
        shares_work=True,
    ),
    "birch": Algorithm(
        title="BIRCH",
        time="n p",
        memory="n",
        runner="birch:birch_sweep",
        peak_bytes="birch:birch_peak_bytes",
        assignment="nearest_center",
        is_exact=True,
        family=Family("ward"),
        parameters={"threshold": above_zero(), "branching_factor": whole(2)},
        takes_seed=False,
    ),
    "single": Algorithm(
        title="single linkage",
        time="n² p",
        memory="n p",
        runner="linkage:linkage_sweep",
        peak_bytes="linkage:single_peak_bytes",
        assignment="nearest_row",
        is_exact=True,
        family=Family("chopped"),
        parameters=METRIC,
        takes_seed=False,
        shares_work=True,
    ),
    "genie": Algorithm(
        title="Genie linkage",
        time="n² p",
        memory="n p",
        runner="genie:genie",
        peak_bytes="genie:genie_peak_bytes",
        assignment="nearest_row",
        is_exact=True,
        family=Family("smooth_genie", "neighbours", {0: "genie", None: "genie"}),
        parameters={"threshold": above_zero(), **NEIGHBOURS},
        takes_seed=False,
    ),
    "chopped": Algorithm(
        title="chopped spanning tree",
        time="n² p",
        memory="n p",
        runner="genie:chopped",
        peak_bytes="genie:chopped_peak_bytes",
        assignment="nearest_row",
        is_exact=True,
        family=Family("chopped"),
        parameters={"min_cluster_size": whole(1), **NEIGHBOURS},
        takes_seed=False,
        former_parameters={"least": "min_cluster_size"},
    ),
    "spectral": Algorithm(
        title="spectral clustering",
        time="n log n + n k²",
        memory="n k",
        runner="spectral:spectral_sweep",
        peak_bytes="spectral:spectral_peak_bytes",
        assignment="nearest_row",
        is_exact=True,
        family=Family("spectral"),
        parameters=NEIGHBOURS,
    ),
    "dbscan": Algorithm(
        title="DBSCAN",
        time="n log n to n²",
        memory="n p",
        runner="dbscan:dbscan_sweep",
        peak_bytes="dbscan:dbscan_peak_bytes",
        assignment="nearest_core_point",
        is_exact=False,
        family=Family("hdbscan"),
        parameters={"eps": above_zero(), "min_samples": whole(1)},
        finds_k=True,
        takes_seed=False,
    ),
    "hdbscan": Algorithm(
        title="HDBSCAN",
        time="n log n to n²",
        memory="n p",
        runner="hdbscan:hdbscan",
        peak_bytes="hdbscan:hdbscan_peak_bytes",
        assignment="nearest_core_point",
        is_exact=True,
        family=Family("hdbscan"),
        parameters={"min_cluster_size": whole(2), "min_samples": whole(1)},
        finds_k=True,
        takes_seed=False,
        swept=("min_cluster_size",),
    ),
    "kprototypes": Algorithm(
        title="k-prototypes",
        time="n k p",
        memory="n p",
        runner="kprototypes:kprototypes_sweep",
        peak_bytes="kprototypes:kprototypes_peak_bytes",
        assignment="cheapest_prototype",
        is_exact=True,
        family=Family("kmeans"),
        parameters={**RESTARTS, "init": one_of("huang", "cao"), "gamma": above_zero()},
        needs_mixed_rows=True,
        needs_both_kinds=True,
    ),
    "mixed_mixture": Algorithm(
        title="mixture of numbers and words, merged down",
        time="n k p²",
        memory="n (k + p)",
        runner="mixed_mixture:mixed_mixture_sweep",
        peak_bytes="mixed_mixture:mixed_mixture_peak_bytes",
        assignment="most_probable_kind",
        is_exact=True,
        family=Family("gaussian_full"),
        parameters={"covariance": one_of("pooled", "own"), "n_init": whole(1)},
        needs_mixed_rows=True,
    ),
    "auto": Algorithm(
        title='all of them, for `choose.by = "auto"`',
        time="n² p to 5,000 rows",
        memory="n p",
        runner="auto:auto_sweep",
        peak_bytes="auto:auto_peak_bytes",
        assignment="of_each_candidate",
        is_exact=True,
        family=Family("kmeans"),
        parameters={"k_max": whole(2)},
        finds_k=True,
    ),
}


def refused(
    algorithm: str, parameters: Mapping[str, object], known: Mapping[str, Allowed] | None = None
) -> str | None:
    """Return what is wrong with an algorithm's parameters; None where nothing is.

    Parameters
    ----------
    algorithm
        A name of :data:`ALGORITHMS`.
    parameters
        As a study writes them.
    known
        What it takes, where that is not all that it has.
    """
    known = ALGORITHMS[algorithm].parameters if known is None else known
    for key, value in parameters.items():
        if key not in known:
            return (
                f"{algorithm} has no parameter '{key}'{near_match(key, known)}"
                f" (it takes: {', '.join(known) or 'none'})"
            )
        items = value if isinstance(value, list) else [value]
        if not items:
            return f"{key} is an empty list; give {known[key].words}"
        for item in items:
            if not known[key].accepts(item):
                return f"{key} = {item!r} is not {known[key].words}"
    return None


def names_of(accepts: Callable[[Algorithm], bool]) -> tuple[str, ...]:
    """Return the names of the algorithms that have a property, in the order of the table."""
    return tuple(name for name, algorithm in ALGORITHMS.items() if accepts(algorithm))


def family_of(algorithm: str, parameters: Mapping[str, object]) -> str:
    """Return the family that a candidate counts as, by its algorithm and parameters."""
    return ALGORITHMS[algorithm].family.of(parameters)
