"""A run beside its study's known label, as rows of the results contract."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import FloatArray
from models_py.base.errors import MissingExtraError
from models_py.base.progress import Progress
from models_py.describe.withholding import RARE, rare_words
from models_py.segmentation.segmentation import Segmentation
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
        Shows the step.
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
    withheld: Collection[int] = (),
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
    withheld
        Segments that are not described; a partition of none but these is left out.
    """
    if study.label is None:
        return None
    known = frame[[study.entity, study.label]].dropna(subset=[study.label])
    labelled = assignments[["entity_id", "partition", "segment_id"]].merge(
        known.astype("string").set_axis(["entity_id", "label"], axis=1), on="entity_id"
    )
    shown = ~labelled["segment_id"].isin(list(withheld))
    described = labelled[labelled["partition"].isin(labelled.loc[shown, "partition"].unique())]
    counts = _counts(_named(labelled[shown], study.describe.small_segment))
    return LabelRows(counts, _agreements(described, study.label, scores), _majority(counts))


def _named(labelled: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the rows with the labels of too few of a partition under one name."""
    named = labelled["label"].copy()
    for _, part in labelled.groupby("partition"):
        rare = rare_words(part["label"], least)
        named.loc[part.index] = part["label"].mask(part["label"].isin(rare), RARE)
    return labelled.assign(label=named)


def _counts(labelled: pd.DataFrame) -> pd.DataFrame:
    keys = ["partition", "segment_id"]
    counts = labelled.groupby([*keys, "label"], as_index=False).size()
    counts = counts.rename(columns={"size": "entities"})
    counts["share"] = counts["entities"] / counts.groupby(keys)["entities"].transform("sum")
    # Of labels as frequent as each other the first by name is the majority.
    ordered = counts.sort_values([*keys, "entities", "label"], ascending=[True, True, False, True])
    commonest = counts.index.isin(ordered.drop_duplicates(keys).index)
    counts["is_majority"] = commonest & (counts["label"] != RARE)
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
        supervised = {} if score is None else asdict(score)
        rows.append(
            {
                "partition": partition,
                "label_column": label,
                "entities": len(part),
                **asdict(agreement(segments, codes)),
                "majority_share": float(np.bincount(codes).max() / codes.size),
                "supervised_accuracy": supervised.get("accuracy"),
                "supervised_adjusted_rand": supervised.get("adjusted_rand"),
                "folds": supervised.get("folds"),
            }
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Agreement:
    """Two groupings of the same rows, compared.

    Attributes
    ----------
    purity
        Share of the rows whose label is the commonest of their segment, 0..1.
    adjusted_rand
        1 for the same groups, about 0 for chance.
    mutual_information
        Normalised by the mean of both entropies, 0..1.
    """

    purity: float
    adjusted_rand: float
    mutual_information: float


@dataclass(frozen=True)
class Supervised:
    """What a model that is given the labels reaches on rows that it was not given.

    Attributes
    ----------
    accuracy
        Share of the rows with the right label.
    adjusted_rand
        Between the labels that it gives and the known ones.
    folds
        Parts that each stayed out of one fit.
    """

    accuracy: float
    adjusted_rand: float
    folds: int


def agreement(segments: Labels, labels: Labels) -> Agreement:
    """Compare segments with known labels.

    Parameters
    ----------
    segments, labels
        Shape (n,): whole numbers that name the group of each row.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    table = contingency_matrix(segments, labels)
    return Agreement(
        purity=float(table.max(axis=1).sum() / table.sum()),
        adjusted_rand=float(adjusted_rand_score(segments, labels)),
        # One group tells nothing of the other grouping, not even where that has one group too.
        mutual_information=float(normalized_mutual_info_score(segments, labels))
        if min(table.shape) > 1
        else 0.0,
    )


def supervised_score(points: FloatArray, labels: Labels, seed: int) -> Supervised | None:
    """Cross-validate a LightGBM classifier of the label on the study's features.

    Parameters
    ----------
    points
        Shape (n, p): the scaled features.
    labels
        Shape (n,): whole numbers.
    seed
        For the folds and the trees.

    Returns
    -------
    Supervised or None
        None where a label has fewer rows than there are folds, or only one label is there.

    Raises
    ------
    MissingExtraError
        LightGBM is not installed.
    """
    _, counts = np.unique(labels, return_counts=True)
    if counts.size < 2 or counts.min() < FOLDS:
        return None
    from sklearn.metrics import adjusted_rand_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(_classifier(seed), points, labels, cv=folds)
    return Supervised(
        accuracy=float(np.mean(predicted == labels)),
        adjusted_rand=float(adjusted_rand_score(predicted, labels)),
        folds=FOLDS,
    )


def _classifier(seed: int) -> Any:
    try:
        from lightgbm import LGBMClassifier
    except ImportError as error:
        raise MissingExtraError(
            "the supervised score beside a label needs lightgbm:"
            " pip install -c constraints.txt -e '.[report]'"
        ) from error
    # Small trees, for a few thousand rows are usual; one thread, for threads that wait for a
    # busy core cost more than they gain there.
    return LGBMClassifier(
        n_estimators=100,
        learning_rate=0.05,
        num_leaves=15,
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
    )


FOLDS = 5
"""Folds of the supervised model's cross-validation."""


Labels = npt.NDArray[np.integer]
