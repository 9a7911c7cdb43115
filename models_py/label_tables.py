"""A run beside its study's known label, as rows of the results contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.errors import MissingExtraError
from models_py.evaluation.labels import Supervised, agreement, supervised_score
from models_py.base.progress import Progress
from models_py.segmentation import Segmentation
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LabelRows:
    """Rows about the label.

    Attributes
    ----------
    segment_labels, label_agreement
        For the tables of those names, without ``run_id``.
    majority
        One row per segment: ``segment_id``, ``majority_label`` and ``label_purity``.
    """

    segment_labels: pd.DataFrame
    label_agreement: pd.DataFrame
    majority: pd.DataFrame


def supervised_scores(
    study: Study,
    frame: pd.DataFrame,
    segmentations: Sequence[Segmentation],
    seed: int,
    progress: Progress,
) -> dict[str, Supervised | None]:
    """Return what a supervised model reaches in each partition; empty without a label.

    Parameters
    ----------
    study
        Its key ``label`` names the column.
    frame
        Gold rows with a range index.
    segmentations
        One per partition.
    seed
        For the folds and the trees.
    progress
        Told of the step.
    """
    if study.label is None:
        return {}
    progress.step(f"cross-validating a supervised model of {study.label}")
    scores: dict[str, Supervised | None] = {}
    for segmentation in segmentations:
        prepared = segmentation.prepared
        labels = frame[study.label].iloc[prepared.rows]
        known = labels.notna().to_numpy()
        codes = labels[known].astype("string").factorize(sort=True)[0]
        try:
            score = supervised_score(prepared.common[known], codes, seed)
        except MissingExtraError:
            # The extra 'report' brings it; segments are measured without it all the same.
            score = None
        scores[prepared.partition] = score
    return scores


def label_rows(
    study: Study,
    frame: pd.DataFrame,
    assignments: pd.DataFrame,
    scores: dict[str, Supervised | None],
) -> LabelRows | None:
    """Hold a run's assignments against the study's label; None without one.

    Parameters
    ----------
    study
        Its key ``label`` names the column.
    frame
        Gold rows.
    assignments
        ``entity_id``, ``partition`` and ``segment_id`` of every row.
    scores
        As :func:`supervised_scores` returns them.
    """
    if study.label is None:
        return None
    known = frame[[study.entity, study.label]].dropna(subset=[study.label])
    labelled = assignments[["entity_id", "partition", "segment_id"]].merge(
        known.astype("string").set_axis(["entity_id", "label"], axis=1), on="entity_id"
    )
    counts = _counts(labelled)
    return LabelRows(counts, _agreements(labelled, study.label, scores), _majority(counts))


def _counts(labelled: pd.DataFrame) -> pd.DataFrame:
    keys = ["partition", "segment_id"]
    counts = labelled.groupby([*keys, "label"], as_index=False).size()
    counts = counts.rename(columns={"size": "entities"})
    counts["share"] = counts["entities"] / counts.groupby(keys)["entities"].transform("sum")
    # Of labels as frequent as each other the first by name is the majority.
    ordered = counts.sort_values([*keys, "entities", "label"], ascending=[True, True, False, True])
    counts["is_majority"] = counts.index.isin(ordered.drop_duplicates(keys).index)
    return counts


def _majority(counts: pd.DataFrame) -> pd.DataFrame:
    chosen = counts.loc[counts["is_majority"], ["segment_id", "label", "share"]]
    return chosen.set_axis(["segment_id", "majority_label", "label_purity"], axis=1)


def _agreements(
    labelled: pd.DataFrame, label: str, scores: dict[str, Supervised | None]
) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for partition, part in labelled.groupby("partition"):
        codes = np.asarray(part["label"].factorize(sort=True)[0], dtype=np.int64)
        segments = part["segment_id"].to_numpy(dtype=np.int64)
        score = scores.get(str(partition))
        told = {} if score is None else asdict(score)
        rows.append(
            {
                "partition": partition,
                "label_column": label,
                "entities": len(part),
                **asdict(agreement(segments, codes)),
                "majority_share": float(np.bincount(codes).max() / codes.size),
                "supervised_accuracy": told.get("accuracy"),
                "supervised_adjusted_rand": told.get("adjusted_rand"),
                "folds": told.get("folds"),
            }
        )
    return pd.DataFrame(rows)
