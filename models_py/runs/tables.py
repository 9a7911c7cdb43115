"""Segmentations as rows of the results contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import IntArray
from models_py.describe.advice import AdviceRule, advise
from models_py.describe.effects import adjusted
from models_py.describe.explanation import AskGold, Explanation, explained_rows
from models_py.describe.kinds import Kind, column_kinds
from models_py.describe.names import Speech, name_segments, rows_of
from models_py.describe.profiles import MEANT, profile_categories, profile_segments
from models_py.describe.words import Vocabulary
from models_py.features.matrix import FeatureMatrix
from models_py.runs.identity import Identity, match_segments, migrations
from models_py.segmentation.measures.stability import UNSTABLE_BELOW
from models_py.segmentation.segmentation import Segmentation
from models_py.studies.measures import MEASURES
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Previous:
    """The run before: its id, and its ``entity_id`` and ``segment_id``."""

    run_id: str
    assignments: pd.DataFrame
    by_centers: Callable[[pd.DataFrame, IntArray], Mapping[int, int]] | None = None


@dataclass(frozen=True)
class DescriptionInputs:
    """What describes the segments, beside their profiles.

    Attributes
    ----------
    explanations
        One per partition; none where nothing is explained.
    names
        Given by a person, by segment id.
    advice
        Rules of advice, the most urgent first.
    ask_gold
        Runs the rules in the warehouse; without it no rule is written.
    seed
        Of what is sampled.
    """

    explanations: list[Explanation] = field(default_factory=list)
    names: Mapping[int, str] = field(default_factory=dict)
    advice: list[AdviceRule] = field(default_factory=list)
    ask_gold: AskGold | None = None
    seed: int = 0


@dataclass(frozen=True)
class RunTables:
    """Rows to write.

    Attributes
    ----------
    rows
        By table of the contract, without ``run_id``.
    new_segments
        Rows for ``segment_registry``, without ``first_run_id``.
    """

    rows: dict[str, pd.DataFrame]
    new_segments: pd.DataFrame


def run_tables(
    study: Study,
    frame: pd.DataFrame,
    segmentations: list[Segmentation],
    previous: Previous | None,
    last_id: int,
    telling: DescriptionInputs | None = None,
) -> RunTables:
    """Turn what a run found into rows, with segment ids matched to the previous run.

    Parameters
    ----------
    study
        The recipe.
    frame
        Gold rows with a range index.
    segmentations
        One per partition; together they hold every row once.
    previous
        The study's run before; None for the first.
    last_id
        The highest segment id that the study ever gave.
    telling
        What else describes the segments.
    """
    import pandas as pd

    telling = telling or DescriptionInputs()

    entities = frame[study.entity].astype("string")
    groups = global_groups(segmentations, len(frame))
    before = previous.assignments if previous is not None else None
    by_centers = None
    if previous is not None and previous.by_centers is not None:
        by_centers = partial(previous.by_centers, frame, groups)
    identity = match_segments(list(entities), groups, before, last_id, by_centers)
    segment_ids = identity.segment_ids[groups]
    explained = explained_rows(
        telling.explanations,
        segmentations,
        identity.segment_ids,
        list(entities),
        telling.ask_gold,
        telling.seed,
    )
    profiles, categories = _profiles(study, frame, segmentations, segment_ids)
    profiles = profiles.merge(explained.features, on=["segment_id", "feature"], how="left")
    speech = study_speech(study, frame)
    segments = _segments(
        study, segmentations, identity, (profiles, categories), speech, telling.names
    )
    segments = segments.merge(explained.segments, on="segment_id", how="left")
    rows = {
        "feature_selection": pd.concat([_selection(s) for s in segmentations]),
        "outliers": pd.concat([_outliers(s, entities) for s in segmentations]),
        "model_search": pd.concat([_candidates(s) for s in segmentations]),
        "segments": segments,
        "segment_features": profiles,
        "segment_categories": categories,
        "segment_actions": advise(segments, profiles, telling.advice, speech),
        "assignments": pd.concat([_assignments(s, entities, segment_ids) for s in segmentations]),
        "partition_resemblance": _resemblance(profiles),
        **explained.tables,
    }
    if previous is not None:
        moved = migrations(list(entities), segment_ids, previous.assignments)
        rows["migrations"] = moved.assign(previous_run_id=previous.run_id)
    new = identity.segment_ids[identity.is_new]
    return RunTables(rows, pd.DataFrame({"study": study.name, "segment_id": new}))


def study_speech(study: Study, frame: pd.DataFrame) -> Speech:
    """Return how a study's columns and rows are spoken of.

    Parameters
    ----------
    study
        The recipe with its own words.
    frame
        Gold rows.
    """
    return Speech(
        column_kinds(frame.drop(columns=study.entity, errors="ignore"), study.features),
        Vocabulary(study.describe.words),
        study.describe.rows or rows_of(study.entity),
    )


def global_groups(segmentations: list[Segmentation], count: int) -> IntArray:
    """Return every row's group, shape (count,), numbered through all partitions."""
    groups = np.empty(count, dtype=np.int64)
    offset = 0
    for segmentation in segmentations:
        groups[segmentation.prepared.rows] = segmentation.groups + offset
        offset += int(segmentation.groups.max()) + 1
    return groups


def _selection(segmentation: Segmentation) -> pd.DataFrame:
    import pandas as pd

    prepared = segmentation.prepared
    kept = pd.DataFrame(
        {
            "feature": prepared.matrix.names_,
            "is_kept": True,
            "variance": [prepared.matrix.unit_variances_[n] for n in prepared.matrix.names_],
            "vif": prepared.vif,
            "importance": segmentation.importance,
        }
    )
    dropped = pd.DataFrame(
        [
            {
                "feature": dropped_feature.feature,
                "is_kept": False,
                "dropped_at": dropped_feature.step,
                "reason": dropped_feature.reason,
                "variance": prepared.matrix.unit_variances_.get(dropped_feature.feature),
                "vif": dropped_feature.vif,
            }
            for dropped_feature in prepared.dropped
        ],
        columns=["feature", "is_kept", "dropped_at", "reason", "variance", "vif"],
    )
    both = kept if dropped.empty else pd.concat([kept, dropped.dropna(axis=1, how="all")])
    return both.assign(partition=prepared.partition)


def _outliers(segmentation: Segmentation, entities: pd.Series[str]) -> pd.DataFrame:
    import pandas as pd

    prepared = segmentation.prepared
    return pd.DataFrame(
        {
            "entity_id": entities.iloc[prepared.rows],
            "method": prepared.outlier_scores.methods,
            "score": prepared.outlier_scores.scores,
            "is_kept": ~prepared.outlier_scores.is_outlier,
        }
    )


def _candidates(segmentation: Segmentation) -> pd.DataFrame:
    import pandas as pd

    choice, encoders = segmentation.choice, segmentation.prepared.encoders
    rows = []
    for position, evaluated in enumerate(segmentation.candidates):
        is_chosen = position == choice.position
        rows.append(
            {
                "candidate": position,
                "encoding": encoders[evaluated.space].kind,
                "algorithm": evaluated.candidate.algorithm,
                "parameters": json.dumps(dict(evaluated.candidate.parameters)),
                "k": evaluated.candidate.k,
                **dict.fromkeys(MEASURES),
                **evaluated.figures,
                **choice.refitted.get(position, {}),
                "is_elbow": evaluated.is_elbow,
                "seconds": evaluated.candidate.seconds,
                "is_chosen": is_chosen,
                "reason": choice.reason if is_chosen else None,
            }
        )
    return pd.DataFrame(rows).assign(partition=segmentation.prepared.partition)


def _profiles(
    study: Study, frame: pd.DataFrame, segmentations: list[Segmentation], segment_ids: IntArray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    # A partition's segments are measured against their own partition.
    import pandas as pd

    parts, category_parts = [], []
    small = study.describe.small_segment
    kinds = column_kinds(frame.drop(columns=study.entity), study.features)
    texts = [column for column, kind in kinds.items() if kind == "words"]
    for segmentation in segmentations:
        prepared = segmentation.prepared
        rows = frame.drop(columns=study.entity).iloc[prepared.rows]
        ids = segment_ids[prepared.rows]
        part = _numeric_profile(rows, prepared.matrix, kinds, ids, small)
        parts.append(part.assign(partition=prepared.partition))
        words = profile_categories(rows, ids, small, texts)
        category_parts.append(words.assign(partition=prepared.partition))
    profiles, categories = pd.concat(parts), pd.concat(category_parts)
    # All tests of a run are reported together, so they are adjusted together.
    tests = np.concatenate([part["p"].to_numpy(np.float64) for part in (profiles, categories)])
    adjusted_p = adjusted(tests)
    profiles["p_adjusted"] = adjusted_p[: len(profiles)]
    categories["p_adjusted"] = adjusted_p[len(profiles) :]
    return profiles.drop(columns="p"), categories.drop(columns="p")


def _numeric_profile(
    rows: pd.DataFrame,
    matrix: FeatureMatrix,
    kinds: Mapping[str, Kind],
    ids: IntArray,
    small: int,
) -> pd.DataFrame:
    # Numbers by their means, what is true or false and words by their shares. The feature that
    # numbers words keeps its row for what the model made of it, without a mean.
    described, words = matrix.described(rows), matrix.ordinal_words(rows)
    plain = rows.drop(columns=described.columns, errors="ignore")
    plain = plain.drop(columns=[c for c in plain if kinds.get(str(c)) == "words"])
    answers = [c for c in plain if kinds.get(str(c)) == "boolean"]
    plain = plain.astype(dict.fromkeys(answers, "Float64"))
    profile = profile_segments(plain.join(described).join(words), ids, small)
    names = {name for recipe in matrix.recipes_ for name in (recipe.feature, recipe.column)}
    profile["is_model_feature"] = profile["feature"].isin(names | set(words.columns))
    numbered = [recipe.feature for recipe in matrix.recipes_ if recipe.kind == "ordinal"]
    profile.loc[profile["feature"].isin(numbered), list(MEANT)] = np.nan
    return profile


def _segments(
    study: Study,
    segmentations: list[Segmentation],
    identity: Identity,
    described: tuple[pd.DataFrame, pd.DataFrame],
    speech: Speech,
    given: Mapping[int, str],
) -> pd.DataFrame:
    import pandas as pd

    profiles, categories = described
    features = profiles[profiles["is_model_feature"]]
    columns = {recipe.column for s in segmentations for recipe in s.prepared.matrix.recipes_}
    categories = categories[categories["feature"].isin(columns)]
    namings = name_segments(features, categories, study.describe.top, speech, given)
    total = sum(len(segmentation.groups) for segmentation in segmentations)
    rows, offset = [], 0
    for segmentation in segmentations:
        for group, jaccard in enumerate(segmentation.jaccard):
            segment_id = int(identity.segment_ids[offset + group])
            members = segmentation.groups == group
            rows.append(
                {
                    "partition": segmentation.prepared.partition,
                    "segment_id": segment_id,
                    "name": namings[segment_id].name,
                    "description": namings[segment_id].description,
                    "size": int(members.sum()),
                    "share": float(members.sum() / total),
                    "silhouette": float(segmentation.silhouette[members].mean()),
                    "stability": float(jaccard),
                    "is_small": bool(members.sum() < study.describe.small_segment),
                    "is_stable": None if np.isnan(jaccard) else bool(jaccard >= UNSTABLE_BELOW),
                }
            )
        offset += len(segmentation.jaccard)
    return pd.DataFrame(rows).astype({"is_stable": "boolean"})


def _assignments(
    segmentation: Segmentation, entities: pd.Series[str], segment_ids: IntArray
) -> pd.DataFrame:
    import pandas as pd

    prepared = segmentation.prepared
    return pd.DataFrame(
        {
            "entity_id": entities.iloc[prepared.rows],
            "partition": prepared.partition,
            "segment_id": segment_ids[prepared.rows],
            "confidence": segmentation.confidence,
            "silhouette": segmentation.silhouette,
            "is_outlier": prepared.outlier_scores.is_outlier,
        }
    )


def _resemblance(profiles: pd.DataFrame) -> pd.DataFrame:
    """Correlate every two segments' standardised mean differences over the features they share."""
    features = profiles[profiles["is_model_feature"]]
    wide = features.pivot_table(index="feature", columns="segment_id", values="z")
    correlation = wide.corr().rename_axis(columns="other_segment_id")
    return correlation.melt(ignore_index=False, value_name="correlation").reset_index()
