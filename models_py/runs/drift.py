"""Is a run still true of the customers there are now: what moved, how far, and a verdict.

The rows of gold now are held against what the run kept of the rows it was found on. Each
measure has two limits, one to watch and one to refit at (:data:`LIMITS`).

References
----------
Siddiqi, N. (2006). Credit Risk Scorecards. Wiley: population stability index, below 0.1 no
change, 0.1 to 0.25 some, above 0.25 a shift.
Yurdakul, B. (2018). Statistical properties of population stability index. Western Michigan
University: without any shift the index of B bins is about (1/n + 1/m) chi-square with B - 1
degrees of freedom, so that small samples pass 0.1 by chance.
Smirnov, N. (1948). Table for estimating the goodness of fit of empirical distributions.
Annals of Mathematical Statistics 19(2), 279-281.
Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on
Information Theory 37(1), 145-151.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.describe.names import study_rows
from models_py.runs.reference import (
    FeatureReference,
    bin_counts,
    feature_values,
    mean_silhouettes,
    reconstruction_errors,
)
from models_py.runs.saved import SavedPartition, SavedRun
from models_py.runs.unseen import Unseen, unseen_values, why_not_scored

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["keep", "watch", "refit"]
VERDICTS: tuple[Verdict, ...] = ("keep", "watch", "refit")

CHANCE = 0.001
"""A difference that samples of these sizes show this often without any shift is no difference."""

SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True)
class Limits:
    """Where a measure is to be watched, and where the run is to be found anew."""

    watch: float
    refit: float

    def verdict(self, value: float) -> Verdict:
        """Return what a value asks for; keep where it is not measured."""
        if np.isnan(value) or value < self.watch:
            return "keep"
        return "refit" if value >= self.refit else "watch"


LIMITS: dict[str, Limits] = {
    "psi": Limits(0.1, 0.25),
    "ks": Limits(0.1, np.inf),
    "shifted_features_share": Limits(np.inf, 0.2),
    "reconstruction_ratio": Limits(1.2, 1.5),
    "segment_distance": Limits(0.1, 0.2),
    "new_share": Limits(0.1, 0.2),
    "gone_share": Limits(0.2, np.inf),
    "unknown_partition_share": Limits(0.01, 0.05),
    "silhouette_drop": Limits(0.1, 0.25),
    "age_days": Limits(90.0, 180.0),
}
"""Limits by measure.

``psi`` is Siddiqi's; a single feature past 0.25 is watched, and the share of such features that
``shifted_features_share`` allows (a fifth) asks for a refit. ``new_share`` is the fifth of new
customers after which a run is found anew. The others are this project's choice: a tenth of the
customers in another segment is worth a look, a fifth is another segmentation; a silhouette a
quarter lower, or errors of reconstruction half as large again, say that the encoding no longer
fits; half a year without a refit lets seasons pass unseen. ``ks`` never asks for a refit by
itself, since the largest distance between two curves tells nothing of how much lies between.
"""


@dataclass(frozen=True)
class FeatureDrift:
    """How far one feature moved.

    Attributes
    ----------
    psi
        Population stability index over tenths of the run's rows, and missing values.
    psi_by_chance
        What it stays below in 999 of 1,000 samples of this size without a shift.
    ks
        Largest distance of the two distributions of known values, 0..1.
    ks_p
        Chance of that distance without a shift, over all features (Bonferroni).
    """

    partition: str
    feature: str
    psi: float
    psi_by_chance: float
    ks: float
    ks_p: float

    @property
    def verdict(self) -> Verdict:
        """Whether the feature is to be watched; ``refit`` says that it has shifted."""
        psi = LIMITS["psi"].verdict(self.psi) if self.psi > self.psi_by_chance else "keep"
        ks = LIMITS["ks"].verdict(self.ks) if self.ks_p < CHANCE else "keep"
        return _worst([psi, ks])


@dataclass(frozen=True)
class Reason:
    """A measure past a limit, in words.

    Attributes
    ----------
    measure
        Its name in :data:`LIMITS`; ``features`` where single ones moved.
    """

    verdict: Verdict
    words: str
    measure: str


@dataclass(frozen=True)
class Drift:
    """What changed since a run.

    Attributes
    ----------
    verdict
        ``keep``, ``watch`` or ``refit``: the gravest of the reasons.
    reasons
        Gravest first.
    figures
        Single measures by the names of :data:`LIMITS`, and the Jensen-Shannon distance; nan
        where one is not measured.
    features
        Every feature of every partition, the most moved first.
    entity
        Column of the study.
    unseen
        Values now that the run never saw.
    not_scored
        Rows that no measure counts, by reason.
    things
        What a row is called, in the plural.
    """

    run_id: str
    study: str
    rows: int
    verdict: Verdict
    reasons: list[Reason]
    figures: dict[str, float]
    features: list[FeatureDrift]
    entity: str = ""
    unseen: list[Unseen] = field(default_factory=list)
    not_scored: list[str] = field(default_factory=list)
    things: str = "customers"

    @property
    def triggers(self) -> list[str]:
        """The measures that ask for a refit."""
        return [reason.measure for reason in self.reasons if reason.verdict == "refit"]


def measure_drift(
    saved: SavedRun,
    frame: pd.DataFrame,
    entities_then: Sequence[str],
    started_at: datetime,
    now: datetime,
) -> Drift:
    """Hold the customers there are now against those of a run.

    Parameters
    ----------
    saved
        The run.
    frame
        Gold now: the entity and the run's columns.
    entities_then
        The run's entities.
    started_at, now
        UTC, without zone.

    Raises
    ------
    DataError
        No row has finite values.
    """
    unseen, why = unseen_values(saved, frame), why_not_scored(saved, frame)
    can = (why == "").to_numpy(dtype=bool)
    if not can.any():
        raise DataError(f"no row can be measured: {why.iloc[0]} on the first of {len(frame):,}")
    left = why[~can].value_counts()
    names, entities_now = saved.partition_names(frame)[can], frame
    frame = frame[can]
    parts = [
        (part, frame[names == name])
        for name, part in saved.partitions.items()
        if (names == name).any()
    ]
    count = sum(len(part.reference.features) for part, _ in parts)
    features = [feature for part, rows in parts for feature in _features(part, rows, count)]
    features.sort(key=lambda feature: -feature.psi)
    figures = {
        **_segment_figures(saved, parts),
        **_comings_and_goings(saved, entities_now, entities_then),
        "unknown_partition_share": float((~names.isin(list(saved.partitions))).mean()),
        "shifted_features_share": _shifted_share(features),
        "age_days": (now - started_at).total_seconds() / SECONDS_A_DAY,
    }
    reasons = sorted(
        _reasons(figures, features, study_rows(saved.study)),
        key=lambda reason: -VERDICTS.index(reason.verdict),
    )
    verdict = _worst([reason.verdict for reason in reasons])
    study = saved.study.name
    return Drift(
        saved.run_id,
        study,
        len(entities_now),
        verdict,
        reasons,
        figures,
        features,
        saved.study.entity,
        unseen,
        [f"{rows:,} of {len(entities_now):,} rows: {reason}" for reason, rows in left.items()],
        study_rows(saved.study),
    )


def population_stability(then: IntArray, now: IntArray) -> float:
    """Return the population stability index of two sets of counts over the same bins.

    Half a row is added to each bin, so that an empty one has no infinite weight; bins that are
    empty in both count nothing.

    Parameters
    ----------
    then, now
        Shape (bins,).
    """
    is_used = (then + now) > 0
    first, second = _smoothed(then[is_used]), _smoothed(now[is_used])
    return float(np.sum((second - first) * np.log(second / first)))


def stability_by_chance(then: IntArray, now: IntArray) -> float:
    """Return what the index stays below in 999 of 1,000 samples without a shift."""
    from scipy.stats import chi2

    bins = int(((then + now) > 0).sum())
    if bins < 2 or then.sum() == 0 or now.sum() == 0:
        return 0.0
    return float((1 / then.sum() + 1 / now.sum()) * chi2.ppf(1 - CHANCE, bins - 1))


def largest_distance(then: FeatureReference, values: FloatArray) -> float:
    """Return the Kolmogorov-Smirnov distance between a feature's known values then and now.

    Exact where the reference keeps every distinct value, else within 1/5,000.
    """
    known = np.sort(values[~np.isnan(values)])
    if known.size == 0 or then.values.size == 0:
        return 0.0
    at_or_below = np.searchsorted(known, then.values, side="right") / known.size
    below = np.searchsorted(known, then.values, side="left") / known.size
    before = np.concatenate([[0.0], then.shares[:-1]])
    return float(max(np.abs(at_or_below - then.shares).max(), np.abs(below - before).max()))


def share_distances(then: IntArray, now: IntArray) -> tuple[float, float]:
    """Return the total variation and the Jensen-Shannon distance (base 2) of two counts, 0..1."""
    from scipy.spatial.distance import jensenshannon

    first, second = then / then.sum(), now / now.sum()
    return float(np.abs(first - second).sum() / 2), float(jensenshannon(first, second, base=2))


def _features(part: SavedPartition, frame: pd.DataFrame, count: int) -> list[FeatureDrift]:
    from scipy.stats import kstwobign

    values = feature_values(part.matrix, frame)
    drifts = []
    for name, then in part.reference.features.items():
        column = values[name].to_numpy(dtype=np.float64)
        now = bin_counts(column, then.edges)
        distance = largest_distance(then, column)
        known = int((~np.isnan(column)).sum())
        effective = then.known * known / (then.known + known) if known else 0.0
        chance = min(1.0, float(kstwobign.sf(np.sqrt(effective) * distance)) * count)
        by_chance = stability_by_chance(then.counts, now)
        psi = population_stability(then.counts, now)
        drifts.append(FeatureDrift(part.name, name, psi, by_chance, distance, chance))
    return drifts


def _shifted_share(features: Sequence[FeatureDrift]) -> float:
    shifted = sum(feature.verdict == "refit" for feature in features)
    return shifted / len(features) if features else float("nan")


def _segment_figures(
    saved: SavedRun, parts: Sequence[tuple[SavedPartition, pd.DataFrame]]
) -> dict[str, float]:
    sizes = {
        name: np.zeros(len(part.segment_ids), dtype=np.int64)
        for name, part in saved.partitions.items()
    }
    drops, ratios, weights = [], [], []
    for part, rows in parts:
        scored = part.score(rows)
        sizes[part.name] = np.bincount(scored.groups, minlength=len(part.segment_ids))
        drops.append(_silhouette_drop(part, scored.points, scored.groups))
        ratios.append(_error_ratio(part, rows))
        weights.append(len(rows))
    then = np.concatenate([part.reference.sizes for part in saved.partitions.values()])
    now = np.concatenate(list(sizes.values()))
    variation, shannon = share_distances(then, now) if now.sum() else (np.nan, np.nan)
    return {
        "segment_distance": variation,
        "jensen_shannon": shannon,
        "silhouette_drop": _mean(drops, weights),
        "reconstruction_ratio": _mean(ratios, weights),
    }


def _silhouette_drop(part: SavedPartition, points: FloatArray, groups: IntArray) -> float:
    # Of the silhouette then, as a share; the exact one where both times have it.
    exact, simplified = mean_silhouettes(points, groups, part.metric)
    then = part.reference.figures
    was, now = then.silhouette, exact
    if np.isnan(was) or np.isnan(now):
        was, now = then.simplified_silhouette, simplified
    return float((was - now) / was) if was > 0 else np.nan


def _error_ratio(part: SavedPartition, frame: pd.DataFrame) -> float:
    then = part.reference.figures.reconstruction_error
    if part.encoder is None or not then > 0:
        return np.nan
    errors = reconstruction_errors(part.encoder, part.seen(frame))
    return float(errors.mean() / then) if errors.size else np.nan


def _comings_and_goings(
    saved: SavedRun, frame: pd.DataFrame, entities_then: Sequence[str]
) -> dict[str, float]:
    now, then = set(frame[saved.study.entity].astype("string")), set(entities_then)
    return {
        "new_share": len(now - then) / len(now) if now else np.nan,
        "gone_share": len(then - now) / len(then) if then else np.nan,
    }


_WORDS = {
    "shifted_features_share": "{0:.0%} of the features shifted (PSI of {psi} or more)",
    "reconstruction_ratio": "{things} are reconstructed {0:.2f} times as badly as the run's",
    "segment_distance": "{0:.0%} of the {things} would have to change segment for the old shares",
    "new_share": "{0:.0%} of the {things} are new since the run",
    "gone_share": "{0:.0%} of the run's {things} are gone",
    "unknown_partition_share": "{0:.0%} of the {things} are in a partition that the run never saw",
    "silhouette_drop": "the silhouette is {0:.0%} lower than in the run",
    "age_days": "the run is {0:.0f} days old",
}


def _reasons(
    figures: dict[str, float], features: Sequence[FeatureDrift], things: str
) -> list[Reason]:
    reasons = []
    for name, words in _WORDS.items():
        verdict = LIMITS[name].verdict(figures[name])
        if verdict != "keep":
            said = words.format(figures[name], psi=LIMITS["psi"].refit, things=things)
            reasons.append(Reason(verdict, said, name))
    moved = [feature for feature in features if feature.verdict != "keep"]
    if moved:
        reasons.append(Reason("watch", _moved_words(moved), "features"))
    return reasons


def _moved_words(moved: Sequence[FeatureDrift]) -> str:
    first = ", ".join(
        f"{item.feature}{'' if item.partition == 'all' else ' in ' + item.partition}"
        f" (PSI {item.psi:.2f}, KS {item.ks:.2f})"
        for item in moved[:3]
    )
    more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
    return f"{len(moved)} feature{'s' if len(moved) > 1 else ''} moved: {first}{more}"


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=VERDICTS.index, default="keep")


def _smoothed(counts: IntArray) -> FloatArray:
    raised = counts + 0.5
    return np.asarray(raised / raised.sum())


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    is_known = ~np.isnan(np.array(values, dtype=np.float64))
    if not is_known.any():
        return float("nan")
    return float(np.average(np.array(values)[is_known], weights=np.array(weights)[is_known]))
