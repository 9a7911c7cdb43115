"""A run's fitted chain in a folder: features, encoder, rule, and what its rows were like.

The folder of a run holds ``manifest.json`` and one folder a partition. Every file is JSON,
NumPy without pickle, skops or Keras; the manifest names each with its SHA-256. The checksums
find damage and careless edits; they are no signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import FloatArray, IntArray
from models_py.base.errors import DataError
from models_py.clustering.distances import EUCLIDEAN, metric_points
from models_py.features.matrix import FeatureMatrix
from models_py.runs.assignment import Coordinates, FittedRule
from models_py.runs.reference import Reference
from models_py.runs.unseen import row_notes, why_not_scored
from models_py.segmentation.measures.confidence import confidences
from models_py.segmentation.studied import NOT_GIVEN
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from models_py.features.encoders.base import Encoder


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with their segments.

    Attributes
    ----------
    points
        Shape (n, d): in the encoding that was clustered.
    groups
        Shape (n,): the run's groups, 0 for the largest.
    segment_ids
        Shape (n,).
    confidence
        Shape (n,), 0..1: 1 - distance to the own center / to the nearest other, or a mixture's
        probability of the segment.
    """

    points: FloatArray
    groups: IntArray
    segment_ids: IntArray
    confidence: FloatArray


@dataclass(frozen=True, eq=False)
class SavedPartition:
    """The fitted chain of one partition.

    Attributes
    ----------
    name
        Value of the study's ``partition_by``, or ``"all"``.
    algorithm
        What found the segments; ``"one segment"`` where one is the answer.
    segment_ids
        Shape (groups,): the id of group 0, 1, ...
    centers
        Shape (groups, d): mean of each group's rows in the encoding that was clustered.
    matrix, reconstruction, encoder, fitted
        The chain: features, reconstructed values where the study has them, coordinates, rule.
    reference
        What the run's rows were like.
    labels
        The majority label of group 0, 1, ...; empty where the study has no label.
    metric
        The distance that the segments were found by; rows are at length 1 where it is cosine.
    is_soft
        Whether the confidence is a mixture's probability of the segment.
    """

    name: str
    algorithm: str
    segment_ids: IntArray
    centers: FloatArray
    matrix: FeatureMatrix
    reconstruction: Encoder | None
    encoder: Encoder | None
    fitted: FittedRule
    reference: Reference
    labels: tuple[str | None, ...] = ()
    metric: str = EUCLIDEAN
    is_soft: bool = False

    @property
    def method(self) -> str:
        """What labels a row, in words; says so where it is not exact."""
        words = self.fitted.rule.words
        if self.fitted.is_exact:
            return words
        return f"{words} (repeats {self.fitted.agreement:.1%} of the run's assignments)"

    def seen(self, frame: pd.DataFrame) -> FloatArray:
        """Return what the encoder sees of gold rows, shape (n, features)."""
        return self._seen(self.matrix.transform(frame))

    def encode(self, frame: pd.DataFrame) -> FloatArray:
        """Return gold rows in the encoding that was clustered, shape (n, d)."""
        return self._coordinates(frame).points

    def score(self, frame: pd.DataFrame) -> Scored:
        """Give rows their segments.

        Parameters
        ----------
        frame
            The gold columns that the features are made from.
        """
        rows = self._coordinates(frame)
        groups = self.fitted.rule.predict(rows)
        probable = self.fitted.rule.memberships(rows) if self.is_soft else None
        confidence = (
            confidences(rows.points, groups, self.centers, self.metric)
            if probable is None
            else probable[np.arange(len(groups)), groups]
        )
        return Scored(rows.points, groups, self.segment_ids[groups], confidence)

    def _seen(self, common: FloatArray) -> FloatArray:
        return common if self.reconstruction is None else self.reconstruction.reconstruct(common)

    def _coordinates(self, frame: pd.DataFrame) -> Coordinates:
        common = self.matrix.transform(frame)
        points = common if self.encoder is None else self._encoded(frame, common)
        return Coordinates(
            metric_points(points, self.metric), *self.matrix.numbers_and_codes(common)
        )

    def _encoded(self, frame: pd.DataFrame, common: FloatArray) -> FloatArray:
        assert self.encoder is not None
        return self.encoder.transform_rows(frame, self._seen(common))


@dataclass(frozen=True, eq=False)
class SavedRun:
    """The fitted chain of a run.

    Attributes
    ----------
    run_id
        The run.
    study
        Its recipe, as it was then.
    partitions
        By name.
    versions
        Packages that it was saved with.
    """

    run_id: str
    study: Study
    partitions: dict[str, SavedPartition]
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The gold columns that any partition needs, beside the entity."""
        by = [self.study.partition_by] if self.study.partition_by else []
        made_from = [
            recipe.column for part in self.partitions.values() for recipe in part.matrix.recipes_
        ]
        read = [c for p in self.partitions.values() if p.encoder for c in p.encoder.columns_read]
        return list(dict.fromkeys([*by, *made_from, *read]))

    def partition_names(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Return the partition of every row."""
        import pandas as pd

        if self.study.partition_by is None:
            return pd.Series(next(iter(self.partitions)), index=frame.index, dtype="string")
        return frame[self.study.partition_by].astype("string").fillna(NOT_GIVEN)

    def score(self, frame: pd.DataFrame, *, with_coordinates: bool = False) -> pd.DataFrame:
        """Give customers their segments.

        Parameters
        ----------
        frame
            The entity and :attr:`columns`, one row per entity.
        with_coordinates
            Add where each row stands in the encoding that was clustered: principal components, a
            network's embedding, the components of a sentence's.

        Returns
        -------
        pandas.DataFrame
            ``entity_id``, ``partition``, ``segment_id``, ``confidence``, ``method`` and ``note``,
            ``label`` where the study has one, and ``coordinate_1`` and so on where they are asked
            for, with the index of ``frame``. A row that cannot
            be scored has null for its segment, and the reason as its note.

        Raises
        ------
        DataError
            A row's partition is one that the run did not have.
        """
        import pandas as pd

        names = self.partition_names(frame)
        unknown = sorted(set(names) - set(self.partitions))
        if unknown:
            raise DataError(
                f"{self.study.partition_by} = '{unknown[0]}' on {int((names == unknown[0]).sum())}"
                f" rows: run {self.run_id} has no such partition"
                f" (it has: {', '.join(self.partitions)}); leave them out, or run the study again"
            )
        reasons = why_not_scored(self, frame)
        can = (reasons == "").to_numpy(dtype=bool)
        parts = [
            self._scored(part, frame[is_own & can], with_coordinates)
            for name, part in self.partitions.items()
            if ((is_own := (names == name).to_numpy(dtype=bool)) & can).any()
        ]
        if not can.all():
            parts.append(self._not_scored(frame[~can], names[~can], reasons[~can]))
        return pd.concat(parts).loc[frame.index]

    def _not_scored(
        self, frame: pd.DataFrame, names: pd.Series[Any], reasons: pd.Series[Any]
    ) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(
            {
                "entity_id": frame[self.study.entity].astype("string"),
                "partition": names,
                "segment_id": pd.array([pd.NA] * len(frame), dtype="Int64"),
                "confidence": float("nan"),
                "method": "not scored",
                "note": reasons.astype("string"),
            },
            index=frame.index,
        )

    def _scored(
        self, part: SavedPartition, frame: pd.DataFrame, with_coordinates: bool
    ) -> pd.DataFrame:
        import pandas as pd

        scored = part.score(frame)
        table = pd.DataFrame(
            {
                "entity_id": frame[self.study.entity].astype("string"),
                "partition": part.name,
                "segment_id": scored.segment_ids,
                "confidence": scored.confidence,
                "method": part.method,
                "note": row_notes(part, frame),
            },
            index=frame.index,
        )
        if part.labels:
            table["label"] = [part.labels[group] for group in scored.groups]
        if not with_coordinates:
            return table
        names = [f"coordinate_{place}" for place in range(1, scored.points.shape[1] + 1)]
        return table.join(pd.DataFrame(scored.points, frame.index, names))
