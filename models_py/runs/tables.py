"""Segmentations as rows of the results contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import IntArray
from models_py.describe.advice import AdviceRule, advise
from models_py.describe.meanings import meaning
from models_py.describe.effects import adjusted
from models_py.describe.explanation import AskGold, Explanation, explained_rows
from models_py.describe.kinds import Kind, column_kinds
from models_py.describe.names import Naming, Speech, name_segments, study_rows
from models_py.describe.partitions import compare_partitions
from models_py.describe.profiles import (
    MEANT,
    OF_ALL,
    numeric_columns,
    profile_categories,
    profile_segments,
)
from models_py.describe.texts import compare_text
from models_py.describe.withholding import (
    Withheld,
    rare_answers,
    withheld_of,
    withheld_segments,
    word_features,
)
from models_py.describe.words import Vocabulary
from models_py.features.matrix import FeatureMatrix
from models_py.runs.identity import Identity, match_segments, migrations
from models_py.segmentation.alternatives import cross_counts, distinct_alternatives
from models_py.segmentation.calibration import likely_right
from models_py.segmentation.measures.stability import UNSTABLE_BELOW
from models_py.segmentation.segmentation import Segmentation
from models_py.studies.measures import MEASURES
from models_py.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


TAKEN = "taken in place of the study's own answer, whose run names the others"


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


LEAST_PROBABLE = 0.001
"""Memberships below it are left out of the results."""


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
    held = withheld_of_run(segmentations, study.describe.small_segment)
    described = [
        _describe(study, frame, *part, segment_ids)
        for part in zip(segmentations, held, strict=True)
    ]
    profiles, categories = _adjusted(described)
    profiles = profiles.merge(explained.features, on=["segment_id", "feature"], how="left")
    speech = study_speech(study, frame)
    segments = _segments(
        study, segmentations, identity, (profiles, categories), speech, telling.names
    )
    segments = segments.merge(explained.segments, on="segment_id", how="left")
    rows = {
        "feature_selection": pd.concat(
            [
                _selection(segmentation, part)
                for segmentation, part in zip(segmentations, described, strict=True)
            ]
        ),
        "outliers": pd.concat([_outliers(s, entities) for s in segmentations]),
        "model_search": pd.concat([_candidates(s) for s in segmentations]),
        "answers": answer_rows(study, segmentations, segments),
        "segments": segments,
        "segment_features": profiles,
        "segment_categories": categories,
        "segment_actions": advise(segments, profiles, telling.advice, speech, study.label),
        "assignments": pd.concat([_assignments(s, entities, segment_ids) for s in segmentations]),
        "partition_resemblance": _resemblance(profiles),
        **_without_hidden(explained.tables, described),
    }
    soft = [
        _memberships(s, entities, segment_ids) for s in segmentations if s.membership is not None
    ]
    if soft:
        rows["memberships"] = pd.concat(soft)
    if "surrogates" in rows:
        rows["surrogates"] = _with_text(study, frame, segmentations, rows, telling.seed)
    compared = _compared(study, frame, segmentations, rows, telling.seed)
    if compared is not None:
        rows["partition_comparison"] = compared
    if previous is not None:
        moved = migrations(
            list(entities),
            segment_ids,
            previous.assignments,
            set(segments.loc[segments["is_withheld"], "segment_id"]),
            withheld_before(previous.assignments, study.describe.small_segment),
        )
        rows["migrations"] = moved.assign(previous_run_id=previous.run_id)
    new = identity.segment_ids[identity.is_new]
    return RunTables(rows, pd.DataFrame({"study": study.name, "segment_id": new}))


def answer_rows(
    study: Study, segmentations: Sequence[Segmentation], segments: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of ``results.answers``.

    Parameters
    ----------
    study
        The recipe.
    segmentations
        One per partition.
    segments
        The rows of ``results.segments``, by partition in the order of the groups.
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    for segmentation in segmentations:
        of_part = segments["partition"] == segmentation.prepared.partition
        names = [str(name) for name in segments.loc[of_part, "name"]]
        rows += _answers_of(study, segmentation, names)
    return pd.DataFrame(rows).astype({"candidate": "Int64"})


def _answers_of(
    study: Study, segmentation: Segmentation, names: list[str]
) -> Iterator[dict[str, object]]:
    choice, evaluated = segmentation.choice, segmentation.candidates
    measure = study.choose.measure
    groups = segmentation.groups[segmentation.prepared.fitted_rows]
    least = study.describe.small_segment
    answer = None if choice.position is None else evaluated[choice.position]
    others = distinct_alternatives(evaluated, choice, groups)
    part = {"partition": segmentation.prepared.partition, "measure": measure.name}
    yield part | {
        "rank": 0,
        "candidate": choice.position,
        "algorithm": "one segment" if answer is None else answer.candidate.algorithm,
        "k": len(segmentation.jaccard),
        "figure": np.nan if answer is None else answer.figures.get(measure.name, np.nan),
        "agreement": 1.0,
        "likely_right": likely_right(study, segmentation, others),
        "meaning": "the answer" if study.choose.candidate is None else TAKEN,
    }
    if study.choose.candidate is not None:
        return
    for rank, other in enumerate(others, 1):
        item = evaluated[other.position]
        yield part | {
            "rank": rank,
            "candidate": other.position,
            "algorithm": item.candidate.algorithm,
            "k": item.candidate.k,
            "figure": item.figures.get(measure.name, np.nan),
            "agreement": other.agreement,
            "likely_right": np.nan,
            "meaning": meaning(cross_counts(groups, other.labels), names, least),
        }


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
        study_rows(study),
    )


def global_groups(segmentations: list[Segmentation], count: int) -> IntArray:
    """Return every row's group, shape (count,), numbered through all partitions."""
    groups = np.empty(count, dtype=np.int64)
    offset = 0
    for segmentation in segmentations:
        groups[segmentation.prepared.rows] = segmentation.groups + offset
        offset += int(segmentation.groups.max()) + 1
    return groups


def withheld_of_run(segmentations: Sequence[Segmentation], least: int) -> list[Withheld]:
    """Return what is withheld of each partition of a run.

    Parameters
    ----------
    segmentations
        One per partition.
    least
        Members under which a segment is not described.
    """
    return withheld_of([np.bincount(s.groups) for s in segmentations], least)


def withheld_before(assignments: pd.DataFrame, least: int) -> set[int]:
    """Return the segments of an earlier run that are not described.

    Parameters
    ----------
    assignments
        Its ``partition`` and ``segment_id`` by row.
    least
        Members under which a segment is not described.
    """
    sizes = assignments.groupby(["partition", "segment_id"]).size().reset_index(name="size")
    partitions, ids, counts = (sizes[c].tolist() for c in ("partition", "segment_id", "size"))
    return withheld_segments(partitions, ids, counts, least)


def _selection(segmentation: Segmentation, described: _Described) -> pd.DataFrame:
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
    return described.selection(both.assign(partition=prepared.partition))


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


@dataclass(frozen=True)
class _Described:
    """What a partition's segments are like, without what is withheld.

    ``words`` are the features ``column=word`` of words that are not named, ``answers`` columns of
    0 and 1 one of which is too rare to be described.
    """

    partition: str
    profiles: pd.DataFrame
    categories: pd.DataFrame
    held: Withheld
    words: frozenset[str]
    answers: frozenset[str]

    def selection(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows of ``feature_selection`` without what they would tell of too few."""
        rows = rows[~rows["feature"].isin(self.words)].reset_index(drop=True)
        if self.words and "reason" in rows:
            rows["reason"] = rows["reason"].map(self._unnamed, na_action="ignore")
        # The variance of a share is its count; a constant is everybody's value.
        is_rare = rows["feature"].isin(self.answers)
        figures = [name for name in ("variance", "reason") if name in rows]
        rows.loc[is_rare | self.held.is_whole, figures] = None
        return rows

    def _unnamed(self, reason: str) -> str:
        for name in sorted(self.words, key=len, reverse=True):
            pattern = rf"(?<!\S){re.escape(name)}(?=[,;]?(?:\s|$))"
            words = f"a rare category of {name.partition('=')[0]}".replace("\\", r"\\")
            reason = re.sub(pattern, words, reason)
        return reason


def _describe(
    study: Study,
    frame: pd.DataFrame,
    segmentation: Segmentation,
    held: Withheld,
    segment_ids: IntArray,
) -> _Described:
    # A partition's segments are measured against their own partition.
    prepared, least = segmentation.prepared, study.describe.small_segment
    rows = frame.drop(columns=study.entity).iloc[prepared.rows]
    kinds = column_kinds(frame.drop(columns=study.entity), study.features)
    texts = [column for column, kind in kinds.items() if kind == "words"]
    words = word_features(rows, texts, least)
    ids = segment_ids[prepared.rows]
    columns = _profiled_columns(rows, prepared.matrix, kinds).drop(columns=words, errors="ignore")
    answers = rare_answers(columns.to_numpy(np.float64), [str(name) for name in columns], least)
    profiles = profile_segments(columns.drop(columns=answers), ids, held.least, least)
    profiles = _marked(profiles, prepared.matrix)
    categories = profile_categories(rows, ids, held.least, texts, least)
    if held.is_whole:
        profiles[list(OF_ALL)] = np.nan
    return _Described(
        prepared.partition, profiles, categories, held, frozenset(words), frozenset(answers)
    )


def _without_hidden(
    tables: Mapping[str, pd.DataFrame], described: Sequence[_Described]
) -> dict[str, pd.DataFrame]:
    """Return explanations without features that are not named in their partition."""
    hidden = {(part.partition, name) for part in described for name in part.words | part.answers}
    if not hidden or "shap_samples" not in tables:
        return dict(tables)
    samples = tables["shap_samples"]
    keys = zip(samples["partition"], samples["feature"], strict=True)
    return {**tables, "shap_samples": samples[[key not in hidden for key in keys]]}


def _adjusted(described: Sequence[_Described]) -> tuple[pd.DataFrame, pd.DataFrame]:
    import pandas as pd

    profiles = pd.concat([part.profiles.assign(partition=part.partition) for part in described])
    categories = pd.concat([part.categories.assign(partition=part.partition) for part in described])
    # All tests of a run are reported together, so they are adjusted together.
    tests = np.concatenate([part["p"].to_numpy(np.float64) for part in (profiles, categories)])
    adjusted_p = adjusted(tests)
    profiles["p_adjusted"] = adjusted_p[: len(profiles)]
    categories["p_adjusted"] = adjusted_p[len(profiles) :]
    return profiles.drop(columns="p"), categories.drop(columns="p")


def _profiled_columns(
    rows: pd.DataFrame, matrix: FeatureMatrix, kinds: Mapping[str, Kind]
) -> pd.DataFrame:
    # Numbers by their means, what is true or false and words by their shares. The feature that
    # numbers words keeps its row for what the model made of it, without a mean.
    described, words = matrix.described(rows), matrix.ordinal_words(rows)
    plain = rows.drop(columns=described.columns, errors="ignore")
    plain = plain.drop(columns=[c for c in plain if kinds.get(str(c)) == "words"])
    answers = [c for c in plain if kinds.get(str(c)) == "boolean"]
    plain = plain.astype(dict.fromkeys(answers, "Float64"))
    return numeric_columns(plain.join(described).join(words))


def _marked(profile: pd.DataFrame, matrix: FeatureMatrix) -> pd.DataFrame:
    names = {name for recipe in matrix.recipes_ for name in (recipe.feature, recipe.column)}
    names |= {f"{r.column}={word}" for r in matrix.recipes_ for word in r.order}
    profile["is_model_feature"] = profile["feature"].isin(names)
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
    held = withheld_of_run(segmentations, study.describe.small_segment)
    features = profiles[profiles["is_model_feature"]]
    columns = {recipe.column for s in segmentations for recipe in s.prepared.matrix.recipes_}
    categories = categories[categories["feature"].isin(columns)]
    large = _withheld_though_large(segmentations, identity, held, study.describe.small_segment)
    ids = [int(segment_id) for segment_id in identity.segment_ids]
    namings = name_segments(features, categories, study.describe.top, speech, given, large, ids)
    total = sum(len(segmentation.groups) for segmentation in segmentations)
    rows, offset = [], 0
    for segmentation, part in zip(segmentations, held, strict=True):
        is_whole = study.partition_by is not None and len(segmentation.jaccard) == 1
        for group, jaccard in enumerate(segmentation.jaccard):
            segment_id = int(identity.segment_ids[offset + group])
            naming = namings[segment_id]
            if is_whole and segment_id not in given and segment_id not in large:
                naming = _whole(segmentation, str(study.partition_by))
            members = segmentation.groups == group
            is_withheld = bool(members.sum() < part.least)
            rows.append(
                {
                    "partition": segmentation.prepared.partition,
                    "segment_id": segment_id,
                    "name": naming.name,
                    "description": naming.description,
                    "size": int(members.sum()),
                    "share": float(members.sum() / total),
                    "silhouette": np.nan
                    if is_withheld
                    else float(segmentation.silhouette[members].mean()),
                    "stability": float(jaccard),
                    "is_small": bool(members.sum() < study.describe.small_segment),
                    "is_withheld": is_withheld,
                    "is_stable": None if np.isnan(jaccard) else bool(jaccard >= UNSTABLE_BELOW),
                }
            )
        offset += len(segmentation.jaccard)
    return pd.DataFrame(rows).astype({"is_stable": "boolean"})


def _withheld_though_large(
    segmentations: Sequence[Segmentation],
    identity: Identity,
    held: Sequence[Withheld],
    least: int,
) -> set[int]:
    sizes = [np.bincount(segmentation.groups) for segmentation in segmentations]
    hidden = [(own >= least) & (own < part.least) for own, part in zip(sizes, held, strict=True)]
    return {int(item) for item in identity.segment_ids[np.concatenate(hidden)]}


def _whole(segmentation: Segmentation, partition_by: str) -> Naming:
    # Its only segment differs in nothing from itself.
    words = partition_by.replace("_", " ")
    return Naming(f"all of {segmentation.prepared.partition}", f"this {words} as a whole")


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
            "spread": segmentation.spread,
        }
    )


def _memberships(
    segmentation: Segmentation, entities: pd.Series[str], segment_ids: IntArray
) -> pd.DataFrame:
    import pandas as pd

    prepared, probable = segmentation.prepared, segmentation.membership
    assert probable is not None
    of_group = np.zeros(probable.shape[1], dtype=np.int64)
    of_group[segmentation.groups] = segment_ids[prepared.rows]
    rows, groups = np.nonzero(probable >= LEAST_PROBABLE)
    return pd.DataFrame(
        {
            "partition": prepared.partition,
            "entity_id": entities.iloc[prepared.rows].to_numpy()[rows],
            "segment_id": of_group[groups],
            "probability": probable[rows, groups],
        }
    )


def _with_text(
    study: Study,
    frame: pd.DataFrame,
    segmentations: list[Segmentation],
    rows: Mapping[str, pd.DataFrame],
    seed: int,
) -> pd.DataFrame:
    """Return the rows of ``surrogates`` with what sentences add, where they made the segments."""
    import pandas as pd

    compared = {
        s.prepared.partition: comparison
        for s in segmentations
        if (comparison := compare_text(study, frame, s, seed))
    }
    if not compared:
        return rows["surrogates"]
    return rows["surrogates"].join(pd.DataFrame.from_dict(compared, "index"), on="partition")


def _compared(
    study: Study,
    frame: pd.DataFrame,
    segmentations: list[Segmentation],
    rows: Mapping[str, pd.DataFrame],
    seed: int,
) -> pd.DataFrame | None:
    import pandas as pd

    if study.partition_by is None:
        return None
    used = {recipe.column for s in segmentations for recipe in s.prepared.matrix.recipes_}
    partitions = pd.Series("", index=frame.index, dtype="string")
    for segmentation in segmentations:
        partitions.iloc[segmentation.prepared.rows] = segmentation.prepared.partition
    segments = rows["segments"]
    compared = compare_partitions(
        frame[[column for column in frame if column in used]],
        partitions,
        rows["partition_resemblance"],
        dict(zip(segments["segment_id"], segments["partition"], strict=True)),
        (
            study.partition_by.replace("_", " "),
            study_rows(study),
        ),
        seed,
    )
    if compared is None:
        return None
    return pd.DataFrame([{"partition_by": study.partition_by, **compared}])


def _resemblance(profiles: pd.DataFrame) -> pd.DataFrame:
    """Correlate every two segments' standardised mean differences over the features they share."""
    features = profiles[profiles["is_model_feature"]]
    wide = features.pivot_table(index="feature", columns="segment_id", values="z")
    correlation = wide.corr().rename_axis(columns="other_segment_id")
    return correlation.melt(ignore_index=False, value_name="correlation").reset_index()
