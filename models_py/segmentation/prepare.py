"""Rows made ready to be clustered: matrix, selection, outliers, encodings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import DataError, StudyError
from models_py.base.progress import Progress
from models_py.base.rounding import spreads_of
from models_py.clustering.algorithms import ALGORITHMS
from models_py.clustering.rows import MixedRows
from models_py.database.scoring import Projection
from models_py.features.encoders.catalog import EncoderSpec, build_encoder, check_encoder
from models_py.features.encoders.pca import PcaEncoder
from models_py.features.matrix import FeatureMatrix
from models_py.features.outliers import OutlierScores, find_outliers
from models_py.features.recipes import Dropped
from models_py.features.selection import select_features
from models_py.features.settings import Encoding, Outliers
from models_py.segmentation.search import EncodedRows
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from models_py.database.spark_tables import SparkTable
    from models_py.features.encoders.base import Encoder

LEAST_FITTED = 100
"""Rows that show enough, at least, for the others to stay out of the fit."""

ALL = "all"
"""Name of the partition where the study has no ``partition_by``."""


@dataclass(frozen=True)
class Prepared:
    """Rows ready to be clustered.

    Attributes
    ----------
    partition
        Value of ``partition_by``, or ``"all"``.
    rows
        Shape (rows,): their places in the gold frame.
    matrix
        Fitted, with the features that were selected.
    dropped
        Every feature that went, with the step and the reason.
    vif
        Shape (features,): variance inflation factors of the features kept.
    common
        Shape (rows, features): the scaled selected features of every row.
    outlier_scores
        Scores and flags of outliers, of every row.
    fitted_rows
        Positions of the rows that are clustered.
    reconstruction
        Fitted, where the study has the encoders see reconstructed values.
    encoders
        Fitted, one an encoding of the study.
    encoded
        One an encoder, shape (rows, d): every row in its coordinates.
    """

    partition: str
    rows: IntArray
    matrix: FeatureMatrix
    dropped: list[Dropped]
    vif: FloatArray
    common: FloatArray
    outlier_scores: OutlierScores
    fitted_rows: IntArray
    reconstruction: Encoder | None
    encoders: list[Encoder]
    encoded: list[FloatArray]

    @property
    def spaces(self) -> list[EncodedRows]:
        """The rows that are clustered, in each encoder's coordinates."""
        spaces = []
        for encoder, points in zip(self.encoders, self.encoded, strict=True):
            fitted = np.ascontiguousarray(points[self.fitted_rows])
            spaces.append(EncodedRows(encoder.kind, fitted, encoder.own_candidate(fitted)))
        return spaces

    @property
    def fitted_common(self) -> FloatArray:
        """The scaled selected features of the rows that are clustered.

        Features that the study leaves in their own units are scaled to mean 0 and variance 1
        here, so that the common space stays one in which every feature counts alike.
        """
        points = np.ascontiguousarray(self.common[self.fitted_rows])
        if self.matrix.features.scale != "none":
            return points
        return np.asarray((points - points.mean(axis=0)) / spreads_of(points))


def prepare_rows(
    frame: pd.DataFrame,
    study: Study,
    partition: str,
    seed: int,
    progress: Progress,
    shows_enough: BoolArray | None = None,
    beside: pd.DataFrame | None = None,
    table: SparkTable | None = None,
) -> Prepared:
    """Make the matrix, select its features, flag outliers and encode.

    The encoders are fitted on rows that are no outliers and, where `LEAST_FITTED` rows or more
    do, show enough. Where the rows are a sample of a ``table``, they say how a column becomes
    a feature, and all rows its center and spread and what it goes with.

    Raises
    ------
    DataError
        Fewer than two rows, or no feature passes the selection.
    """
    if len(frame) < 2:
        raise DataError(f"{len(frame)} row cannot be segmented: at least 2 are needed")
    progress.step(f"preparing {frame.shape[1]} columns of {len(frame):,} rows ({partition})")
    matrix = FeatureMatrix(study.features, study.selection.max_missing_share).fit(frame)
    correlation = None
    if table is not None:
        progress.step(f"scaling {table.rows:,} rows on Spark")
        moments = table.moments(matrix.recipes_)
        matrix, correlation = matrix.rescaled(moments, frame), moments.correlation
    scaled = matrix.transform(frame)
    limits, variances = study.selection, matrix.unit_variances_
    parts = np.array([i for i, r in enumerate(matrix.recipes_) if r.composition], dtype=np.int64)
    selected = select_features(scaled, matrix.names_, variances, limits, seed, parts, correlation)
    if selected.kept.size == 0:
        raise DataError("no feature passes the selection: widen the study's [selection]")
    common = np.ascontiguousarray(scaled[:, selected.kept])
    kept = matrix.keep([matrix.names_[i] for i in selected.kept])
    progress.step(f"looking for outliers by {study.outliers.method}")
    outlier_scores = find_outliers(common, study.outliers, seed, kept.incomplete_rows(frame))
    fitted_rows = np.flatnonzero(~outlier_scores.is_outlier)
    if shows_enough is not None and shows_enough[fitted_rows].sum() >= LEAST_FITTED:
        fitted_rows = fitted_rows[shows_enough[fitted_rows]]
    reconstruction = _fit_reconstruction(common[fitted_rows], study.outliers, seed, progress)
    seen = common if reconstruction is None else reconstruction.reconstruct(common)
    joined = frame if beside is None else frame.join(beside)
    encoders = [
        _fit_encoder(encoding, joined.iloc[fitted_rows], seen[fitted_rows], seed, progress)
        if table is None
        else _fit_to_table(encoding, kept, seen, table)
        for encoding in study.encoding
    ]
    return Prepared(
        partition=partition,
        rows=frame.index.to_numpy(dtype=np.int64),
        matrix=kept,
        dropped=[*matrix.dropped_, *selected.dropped],
        vif=selected.vif,
        common=common,
        outlier_scores=outlier_scores,
        fitted_rows=fitted_rows,
        reconstruction=reconstruction,
        encoders=encoders,
        encoded=[encoder.transform_rows(frame, seen) for encoder in encoders],
    )


def strata_columns(study: Study) -> list[str]:
    """Return the columns by which a study's networks draw their validation rows."""
    asked = [encoding.parameters.get("stratify_by") for encoding in study.encoding]
    return [str(column) for column in dict.fromkeys(asked) if column is not None]


def check_encoders(study: Study) -> None:
    """Check the parameters of every encoder that the study names; fits nothing.

    Raises
    ------
    StudyError
        The message names the study, the key and what is allowed.
    """
    wanted = {
        f"encoding[{place}]": (encoding.kind, encoding.parameters)
        for place, encoding in enumerate(study.encoding)
    }
    section = study.outliers
    wanted["outliers.reconstruct_parameters"] = (
        section.reconstruct,
        section.reconstruct_parameters,
    )
    for key, (kind, parameters) in wanted.items():
        try:
            check_encoder(kind, parameters)
        except StudyError as error:
            raise StudyError(f"study {study.name}: {key}: {error}") from error


def _fit_reconstruction(
    points: FloatArray, section: Outliers, seed: int, progress: Progress
) -> Encoder | None:
    if section.reconstruct == "none":
        return None
    progress.step(f"reconstructing values by {section.reconstruct}")
    spec = EncoderSpec(section.reconstruct, section.reconstruct_parameters)
    return build_encoder(spec).fit(points, seed)


def _fit_encoder(
    encoding: Encoding, frame: pd.DataFrame, points: FloatArray, seed: int, progress: Progress
) -> Encoder:
    progress.step(f"encoding by {encoding.kind}")
    encoder = build_encoder(EncoderSpec(encoding.kind, encoding.parameters))
    encoder.on_advance = progress.advance
    return encoder.fit_rows(frame, points, seed)


def _fit_to_table(
    encoding: Encoding, matrix: FeatureMatrix, points: FloatArray, table: SparkTable
) -> Encoder:
    encoder = build_encoder(EncoderSpec(encoding.kind, encoding.parameters))
    if not isinstance(encoder, PcaEncoder):
        return encoder.fit(points, 0)
    return encoder.fit_moments(*table.covariance(matrix.recipes_), table.rows)


def projections_of(encoder: Encoder) -> dict[str, Projection]:
    """Return an encoder as weighted sums of what it sees; none where it has no principal ones."""
    if not isinstance(encoder, PcaEncoder):
        return {}
    weights = np.asarray(encoder.components_)
    return {"component": Projection(weights, -weights @ encoder.mean_)}


def mixed_rows(study: Study, prepared: Prepared) -> MixedRows | None:
    """Return the rows as numbers and categories; None where no algorithm needs them so."""
    if not any(ALGORITHMS[asked.name].needs_mixed_rows for asked in study.algorithms):
        return None
    fitted = prepared.common[prepared.fitted_rows]
    numeric, categorical = prepared.matrix.numbers_and_codes(fitted)
    return MixedRows(numeric, categorical)
