"""Rules that give a row its segment: what a run leaves behind to score other rows.

:func:`fit_rule` tries the rule that the run's fitted model gives (its ``assignment``) and holds
it against the run's own assignments, outliers and noise included. A rule that repeats every one
of them is exact. Where the algorithm has no such rule (linkage trees, consensus labels, clusters
searched again), the nearest of the run's own rows decides, which repeats them by construction;
past :data:`MOST_ROWS` rows a sample of them stands in, and the share that it repeats is stated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray, IntArray, blocks
from models_py.base.errors import SegmenthouseError
from models_py.clustering.distances import metric_points
from models_py.clustering.rows import group_centers, nearest_centers
from models_py.segmentation.measures.confidence import BLOCK_ROWS, by_group
from models_py.segmentation.segmentation import Segmentation

if TYPE_CHECKING:
    from models_py.clustering.mixed_mixture import MixedMixtureModel
    from models_py.clustering.mixture import MixtureModel

MOST_ROWS = 100_000
"""Rows of the run kept at most, where the nearest of them decides."""


GROWTHS = 8
"""Times that rows which a rule gets wrong join the core points, before all rows do."""

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Coordinates:
    """Rows as rules see them.

    Attributes
    ----------
    points
        Shape (n, d): in the encoding that was clustered, at length 1 where cosines decided.
    numbers, codes
        Shapes (n, p) and (n, q): scaled numbers and codes of categories, for k-prototypes.
    """

    points: FloatArray
    numbers: FloatArray
    codes: IntArray


@dataclass(frozen=True, eq=False)
class Rule(ABC):
    """Gives each row one of the run's groups.

    Attributes
    ----------
    groups
        Which group each center, component, prototype or row stands for.
    """

    groups: IntArray
    kind: ClassVar[str]
    words: ClassVar[str]

    def predict(self, rows: Coordinates) -> IntArray:
        """Return the group of every row, shape (n,)."""
        return self.groups[self.nearest(rows)]

    @abstractmethod
    def nearest(self, rows: Coordinates) -> IntArray:
        """Return which center, component, prototype or row decides for every row, shape (n,)."""

    def memberships(self, rows: Coordinates) -> FloatArray | None:  # noqa: ARG002
        """Return how probable each group is, shape (n, groups); None where the rule is hard."""
        return None

    def arrays(self) -> Arrays:
        """Return the state as arrays by name."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @property
    def columns(self) -> int | None:
        """How many coordinates its rows have; None where any will do."""
        return None

    @classmethod
    def of_model(cls, state: Mapping[str, Any], rows: Coordinates, groups: IntArray) -> Rule:
        """Return the rule of a fitted model's state, with the groups that its clusters became.

        Groups are numbered by size, a model's clusters are not: each cluster takes the group that
        most of its rows are in, and one that no row is in takes 0.
        """
        nearest = cls(np.zeros(1, dtype=np.int64), **state).nearest(rows)
        counts = np.zeros((int(nearest.max()) + 1, int(groups.max()) + 1), dtype=np.int64)
        np.add.at(counts, (nearest, groups), 1)
        of_cluster = np.zeros(cls.count(state), dtype=np.int64)
        of_cluster[: len(counts)] = counts.argmax(axis=1)
        return cls(of_cluster, **state)

    @classmethod
    def count(cls, state: Mapping[str, Any]) -> int:
        """Return how many centers, components or prototypes a model's state has."""
        return len(next(iter(state.values())))


@dataclass(frozen=True, eq=False)
class OneGroup(Rule):
    """All rows are one segment."""

    kind: ClassVar[str] = "one_segment"
    words: ClassVar[str] = "one segment"

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return zeros, shape (n,)."""
        return np.zeros(len(rows.points), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class NearestCenter(Rule):
    """The nearest center decides.

    Attributes
    ----------
    centers
        Shape (k, d).
    """

    centers: FloatArray
    kind: ClassVar[str] = "nearest_center"
    words: ClassVar[str] = "nearest center"

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return the nearest center's place, shape (n,)."""
        # At least one block, so that no rows get no labels rather than an error.
        cuts = blocks(max(len(rows.points), 1), BLOCK_ROWS)
        parts = [nearest_centers(rows.points[block], self.centers) for block in cuts]
        return np.concatenate(parts)

    @property
    def columns(self) -> int:
        """The coordinates of a center."""
        return int(self.centers.shape[1])


@dataclass(frozen=True, eq=False)
class SoftNearestCenter(NearestCenter):
    """The nearest center decides, and a Student kernel says how clearly.

    Attributes
    ----------
    freedom
        Shape (1,): degrees of freedom of the kernel.
    """

    freedom: FloatArray
    kind: ClassVar[str] = "soft_nearest_center"

    def memberships(self, rows: Coordinates) -> FloatArray:
        """Return how much each row belongs to each group, shape (n, groups)."""
        from models_py.clustering.student import StudentModel

        probable = StudentModel(self.centers, float(self.freedom[0])).probabilities(rows.points)
        return by_group(probable, self.groups, int(self.groups.max()) + 1)


@dataclass(frozen=True, eq=False)
class Splits(Rule):
    """Splits in two are followed from the first to the last, as bisecting k-means made them.

    Attributes
    ----------
    splits
        Shape (k - 1,): the cluster that each split cut.
    pairs
        Shape (k - 1, 2, d): the two centers of each split.
    """

    splits: IntArray
    pairs: FloatArray
    kind: ClassVar[str] = "splits"
    words: ClassVar[str] = "nearer center of each split"

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return the final cluster, shape (n,)."""
        from models_py.clustering.kmeans_variants import BisectingModel

        return BisectingModel(self.splits, self.pairs, self.pairs[:0, 0]).predict(rows.points)

    @property
    def columns(self) -> int:
        """The coordinates of a center."""
        return int(self.pairs.shape[2])

    @classmethod
    def count(cls, state: Mapping[str, Any]) -> int:
        """Return how many final clusters the splits make."""
        return len(state["splits"]) + 1


@dataclass(frozen=True, eq=False)
class MostProbable(Rule):
    """The most probable component of the Gaussian mixture decides.

    Attributes
    ----------
    weights, means, covariances
        As :class:`models_py.clustering.mixture.MixtureModel` has them.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    kind: ClassVar[str] = "most_probable"
    words: ClassVar[str] = "most probable component"

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return the component's place, shape (n,)."""
        return self.model.predict(rows.points)

    def memberships(self, rows: Coordinates) -> FloatArray:
        """Return the probability of each group, shape (n, groups)."""
        probable = self.model.probabilities(rows.points)
        return by_group(probable, self.groups, int(self.groups.max()) + 1)

    @cached_property
    def model(self) -> MixtureModel:
        """The mixture."""
        from models_py.clustering.mixture import MixtureModel

        return MixtureModel(self.weights, self.means, self.covariances)

    @property
    def columns(self) -> int:
        """The coordinates of a component."""
        return int(self.means.shape[1])


@dataclass(frozen=True, eq=False)
class NearestRow(Rule):
    """The nearest row of the run decides.

    Attributes
    ----------
    rows
        Shape (m, d).
    """

    rows: FloatArray
    kind: ClassVar[str] = "nearest_row"
    words: ClassVar[str] = "nearest customer of the run"

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(self.rows)

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return the nearest row's place, shape (n,)."""
        return np.asarray(self._tree.query(rows.points, k=1)[1], dtype=np.int64)

    @property
    def columns(self) -> int:
        """The coordinates of a row."""
        return int(self.rows.shape[1])


@dataclass(frozen=True, eq=False)
class NearestCorePoint(NearestRow):
    """The nearest core point of a density method decides."""

    kind: ClassVar[str] = "nearest_core_point"
    words: ClassVar[str] = "nearest core point"

    @classmethod
    def of_model(cls, state: Mapping[str, Any], rows: Coordinates, groups: IntArray) -> Rule:
        """Return the core points, each with its own group, and the rows that they get wrong.

        A border row of DBSCAN can lie nearer to the core of another cluster than its own: it
        joins the points that decide, as in Hart's condensed nearest neighbour (1968).
        """
        from scipy.spatial import cKDTree

        # Core points are rows of the run: each finds itself.
        core_points = state["rows"]
        own = np.asarray(cKDTree(rows.points).query(core_points, k=1)[1], dtype=np.int64)
        rule = cls(groups[own], core_points)
        for _ in range(GROWTHS):
            wrong = np.flatnonzero(rule.predict(rows) != groups)
            if wrong.size == 0:
                break
            rule = cls(
                np.concatenate([rule.groups, groups[wrong]]),
                np.concatenate([rule.rows, rows.points[wrong]]),
            )
        return rule


@dataclass(frozen=True, eq=False)
class CheapestPrototype(Rule):
    """The prototype of lowest cost decides, over numbers and categories.

    Attributes
    ----------
    centers
        Shape (k, p): means.
    modes
        Shape (k, q): codes.
    gamma
        Shape (1,): cost of a differing category.
    """

    centers: FloatArray
    modes: IntArray
    gamma: FloatArray
    kind: ClassVar[str] = "cheapest_prototype"
    words: ClassVar[str] = "cheapest prototype"

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return the prototype's place, shape (n,)."""
        from models_py.clustering.kprototypes import KPrototypes

        model = KPrototypes(len(self.centers))
        model.numeric_centers_ = self.centers
        model.categorical_modes_ = self.modes.astype(np.int32)
        model.gamma_ = float(self.gamma[0])
        return model.predict(rows.numbers, rows.codes)


@dataclass(frozen=True, eq=False)
class MostProbableKind(Rule):
    """The most probable component of a mixture of numbers and words decides.

    Attributes
    ----------
    weights, means, within, levels
        As :class:`models_py.clustering.mixed_mixture.MixedMixtureModel` has them.
    numbers, level_values, level_scores, centers, spreads, truths, halves, sizes
        Its :class:`models_py.clustering.mixed_mixture.Layout`.
    """

    weights: FloatArray
    means: FloatArray
    within: FloatArray
    levels: FloatArray
    numbers: IntArray
    level_values: FloatArray
    level_scores: FloatArray
    centers: FloatArray
    spreads: FloatArray
    truths: IntArray
    halves: FloatArray
    sizes: IntArray
    kind: ClassVar[str] = "most_probable_kind"
    words: ClassVar[str] = "most probable component of numbers and words"

    def nearest(self, rows: Coordinates) -> IntArray:
        """Return the component's place, shape (n,)."""
        return self.model.predict(rows.numbers, rows.codes)

    def memberships(self, rows: Coordinates) -> FloatArray:
        """Return the probability of each group, shape (n, groups)."""
        probable = self.model.probabilities(rows.numbers, rows.codes)
        return by_group(probable, self.groups, int(self.groups.max()) + 1)

    @cached_property
    def model(self) -> MixedMixtureModel:
        """The mixture."""
        from models_py.clustering.mixed_mixture import Layout, MixedMixtureModel

        layout = Layout(
            self.numbers.astype(np.int64),
            self.level_values,
            self.level_scores,
            self.centers,
            self.spreads,
            self.truths.astype(np.int64),
            self.halves,
            self.sizes.astype(np.int64),
        )
        return MixedMixtureModel(layout, self.weights, self.means, self.within, self.levels)


RULES: dict[str, type[Rule]] = {
    rule.kind: rule
    for rule in (
        OneGroup,
        NearestCenter,
        SoftNearestCenter,
        Splits,
        MostProbable,
        NearestRow,
        NearestCorePoint,
        CheapestPrototype,
        MostProbableKind,
    )
}


@dataclass(frozen=True)
class FittedRule:
    """A rule and how far it repeats the run.

    Attributes
    ----------
    rule
        Gives rows their groups.
    agreement
        Share of the run's rows, 0..1, that it gives the group they have.
    """

    rule: Rule
    agreement: float

    @property
    def is_exact(self) -> bool:
        """Whether it repeats every assignment of the run."""
        return self.agreement == 1.0


def rule_of(kind: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Rule:
    """Return the rule that :meth:`Rule.arrays` gave.

    Raises
    ------
    SegmenthouseError
        The kind is unknown, or an array is missing or too many.
    """
    known = RULES.get(kind)
    if known is None:
        raise SegmenthouseError(f"unknown rule '{kind}' (known: {', '.join(RULES)})")
    wanted = {field.name for field in fields(known)}
    if set(arrays) != wanted:
        raise SegmenthouseError(f"rule '{kind}' needs the arrays {', '.join(sorted(wanted))}")
    return known(**arrays)


def fit_rule(segmentation: Segmentation) -> FittedRule:
    """Return the first rule that repeats the run's assignments, or the one that comes nearest.

    Parameters
    ----------
    segmentation
        A partition as the run left it.
    """
    rows, groups = coordinates_of(segmentation), segmentation.groups
    best: FittedRule | None = None
    for rule in _rules(segmentation, rows):
        agreement = float(np.mean(rule.predict(rows) == groups))
        if best is None or agreement > best.agreement:
            best = FittedRule(rule, agreement)
        if best.is_exact:
            break
    assert best is not None
    return best


def coordinates_of(segmentation: Segmentation) -> Coordinates:
    """Return every row of a partition, outliers included."""
    prepared = segmentation.prepared
    numbers_and_codes = prepared.matrix.numbers_and_codes(prepared.common)
    return Coordinates(segmentation.points, *numbers_and_codes)


def _rules(segmentation: Segmentation, rows: Coordinates) -> Iterator[Rule]:
    # From the rule that belongs to the algorithm to the one that always repeats the run.
    groups, choice = segmentation.groups, segmentation.choice
    if choice.position is None:
        yield OneGroup(np.zeros(1, dtype=np.int64))
        return
    model = segmentation.candidates[choice.position].candidate.model
    if model is not None:
        assignment = model.assignment()
        yield RULES[assignment.kind].of_model(assignment.state, rows, groups)
    fitted = segmentation.prepared.fitted_rows
    if np.unique(groups[fitted]).size == groups.max() + 1:
        middles = group_centers(rows.points[fitted], groups[fitted])
        centers = metric_points(middles, segmentation.metric)
        yield NearestCenter(np.arange(len(centers)), centers)
    if len(groups) <= MOST_ROWS:
        yield NearestRow(groups, rows.points)
    else:
        kept = np.sort(np.random.default_rng(0).choice(len(groups), MOST_ROWS, replace=False))
        yield NearestRow(groups[kept], np.ascontiguousarray(rows.points[kept]))
