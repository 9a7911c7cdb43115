"""One search from gold rows to segments: matrix, selection, outliers, encoding, search, choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError, StudyError
from models_py.base.progress import Progress
from models_py.clustering.algorithms import ALGORITHMS
from models_py.clustering.candidate import NOISE, Candidate, Request
from models_py.clustering.distances import EUCLIDEAN, metric_points
from models_py.clustering.fitting import nearest_labels
from models_py.clustering.rows import MixedRows, group_centers
from models_py.features.selection import feature_importance
from models_py.segmentation.choosing import ChosenCandidate, choose_candidate
from models_py.segmentation.measures.computing import EXACT_SILHOUETTE_ROWS
from models_py.segmentation.measures.confidence import SoftModel, confidences, memberships
from models_py.segmentation.prepare import ALL, Prepared, mixed_rows, prepare_rows, projections_of
from models_py.segmentation.refining import Refined, refine
from models_py.segmentation.search import (
    EvaluatedCandidate,
    search,
    with_evidence,
)
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from models_py.database.spark_tables import SparkTable


NOT_MEASURED = np.array([np.nan])


@dataclass(frozen=True)
class Segmentation:
    """The segments of one partition and everything that led to them.

    Attributes
    ----------
    prepared
        The rows as they were clustered.
    importance
        Shape (features,): see :func:`models_py.features.selection.feature_importance`.
    candidates
        Every candidate with its figures.
    choice
        Which of them, and why; no candidate where one segment is the answer.
    groups
        Shape (rows,): 0 for the largest segment, 1 for the next, ...
    confidence, silhouette
        Shape (rows,): of each row in its segment, in the space of the selected candidate and by
        the distance that it was found by.
    jaccard
        Shape (segments,): how far each segment comes back in refits; nan where not measured.
    membership
        Shape (rows, segments): the probability of each segment, where a mixture gives it; the
        confidence is then that of the row's own.
    spread
        Shape (rows,): standard deviation of the row's place in the encoding, where the encoder
        gives a distribution.
    """

    prepared: Prepared
    importance: FloatArray
    candidates: list[EvaluatedCandidate]
    choice: ChosenCandidate
    groups: IntArray
    confidence: FloatArray
    silhouette: FloatArray
    jaccard: FloatArray
    membership: FloatArray | None = None
    spread: FloatArray | None = None

    @property
    def metric(self) -> str:
        """The distance that the selected candidate was found by."""
        position = self.choice.position
        return EUCLIDEAN if position is None else self.candidates[position].candidate.metric

    @property
    def points(self) -> FloatArray:
        """Every row as it was clustered, shape (rows, d): at length 1 where cosines decided."""
        position = self.choice.position
        if position is None:
            return self.prepared.common
        return metric_points(self.prepared.encoded[self.candidates[position].space], self.metric)


def segment_rows(
    frame: pd.DataFrame,
    study: Study,
    partition: str,
    seed: int,
    progress: Progress,
    shows_enough: BoolArray | None = None,
    beside: pd.DataFrame | None = None,
    whole: SparkTable | None = None,
) -> Segmentation:
    """Find the segments of gold rows as the study says.

    Parameters
    ----------
    frame
        The feature columns, one row per entity.
    study
        The recipe.
    partition
        What to call these rows.
    seed
        For everything random.
    progress
        Shows each step.
    shows_enough
        Shape (rows,): the rows that may shape the segments; all without it.
    beside
        Columns of the same rows that a network's validation rows are drawn by, and no features.
    whole
        The table that the rows are a sample of, where all of its rows shape the segments.

    Raises
    ------
    DataError
        Too few rows, or too alike; the message names the partition.
    """
    try:
        prepared = prepare_rows(
            frame, study, partition, seed, progress, shows_enough, beside, whole
        )
        mixed = mixed_rows(study, prepared)
        spaces = prepared.spaces
        over_all = None if whole is None else _over_all(whole, prepared)
        evaluated = search(
            spaces, prepared.fitted_common, _requests(study), mixed, seed, progress, over_all
        )
        if study.choose.needs_evidence:
            progress.step(f"weighing the evidence for {len(evaluated)} candidates")
            evaluated = with_evidence(spaces, evaluated, seed)
        progress.step(f"choosing among {len(evaluated)} candidates")
        choice = choose_candidate(spaces, prepared.fitted_common, mixed, evaluated, study, seed)
    except (DataError, StudyError) as error:
        if partition == ALL:
            raise
        raise type(error)(f"{partition}: {error}") from error
    soft = None
    if choice.position is None:
        metric, points, labels, jaccard = (
            EUCLIDEAN,
            prepared.common,
            np.zeros(len(frame), dtype=np.int64),
            NOT_MEASURED,
        )
    else:
        chosen = evaluated[choice.position]
        metric = chosen.candidate.metric
        points = metric_points(prepared.encoded[chosen.space], metric)
        fitted = metric_points(spaces[chosen.space].points, metric)
        refined = refine(chosen.candidate, choice.jaccard, fitted, mixed, study, seed)
        choice = choice.noting(refined.notes, refined.jaccard)
        labels = _label_all(prepared, chosen.candidate, points, refined)
        jaccard = refined.jaccard
        # Labels that seeds agreed on or that were split again are no longer the model's.
        soft = None if refined.notes else chosen.candidate
    groups, jaccard = _largest_first(labels, jaccard)
    probable = None if soft is None else _probabilities(prepared, soft, points)
    membership = None if probable is None else memberships(probable, groups)
    confidence = (
        confidences(points, groups, group_centers(points, groups), metric)
        if membership is None
        else membership[np.arange(len(groups)), groups]
    )
    progress.step("measuring the segments")
    return Segmentation(
        prepared=prepared,
        importance=feature_importance(prepared.fitted_common, seed),
        candidates=evaluated,
        choice=choice,
        groups=groups,
        confidence=confidence,
        silhouette=row_silhouettes(points, groups, metric),
        jaccard=jaccard,
        membership=membership,
        spread=None if choice.position is None else _spread(prepared, evaluated[choice.position]),
    )


def _over_all(
    whole: SparkTable, prepared: Prepared
) -> Callable[[Candidate, FloatArray], Candidate | None]:
    (encoder,) = prepared.encoders
    return whole.space(prepared.matrix.recipes_, projections_of(encoder)).over_all


def _spread(prepared: Prepared, chosen: EvaluatedCandidate) -> FloatArray | None:
    encoder, common = prepared.encoders[chosen.space], prepared.common
    seen = prepared.reconstruction.reconstruct(common) if prepared.reconstruction else common
    return encoder.spread(seen)


def _requests(study: Study) -> list[Request]:
    return [
        Request(algorithm.name, algorithm.ks, algorithm.parameters)
        for algorithm in study.algorithms
    ]


def _label_all(
    prepared: Prepared, candidate: Candidate, points: FloatArray, refined: Refined
) -> IntArray:
    # Noise and outliers join the cluster they are nearest to. Refined labels are not what the
    # candidate's model predicts, so that their centers decide.
    fitted = np.ascontiguousarray(points[prepared.fitted_rows])
    if refined.notes:
        candidate = replace(candidate, labels=refined.labels, model=None)
    mixed = None
    if ALGORITHMS[candidate.algorithm].needs_mixed_rows:
        mixed = _mixed_rows_of_all(prepared)
    labels = nearest_labels(candidate, fitted, points, mixed)
    clustered = refined.labels != NOISE
    labels[prepared.fitted_rows[clustered]] = refined.labels[clustered]
    return labels


def _mixed_rows_of_all(prepared: Prepared) -> MixedRows:
    return MixedRows(*prepared.matrix.numbers_and_codes(prepared.common))


def _probabilities(
    prepared: Prepared, candidate: Candidate, points: FloatArray
) -> FloatArray | None:
    """Return every row's probability of each component; None where the model is not soft."""
    if not isinstance(candidate.model, SoftModel):
        return None
    if ALGORITHMS[candidate.algorithm].needs_mixed_rows:
        mixed = _mixed_rows_of_all(prepared)
        return candidate.model.probabilities(mixed.numeric, mixed.categorical)
    return candidate.model.probabilities(points)


def _largest_first(labels: IntArray, jaccard: FloatArray) -> tuple[IntArray, FloatArray]:
    sizes = np.bincount(labels)
    order = np.argsort(-sizes, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return place[labels], jaccard[order]


def row_silhouettes(points: FloatArray, groups: IntArray, metric: str = EUCLIDEAN) -> FloatArray:
    """Return each row's silhouette, shape (rows,); nan past 60,000 rows or with one group."""
    from models_py.segmentation.measures.silhouette import silhouette_samples

    if len(points) > EXACT_SILHOUETTE_ROWS or groups.max() == 0:
        return np.full(len(points), np.nan)
    return np.asarray(silhouette_samples(points, groups[None, :], metric)[0])
