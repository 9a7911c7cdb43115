"""Why the segments of a partition are what they are: surrogate, SHAP values and rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models_py.base.arrays import BoolArray, FloatArray, IntArray
from models_py.base.errors import MissingExtraError
from models_py.describe.rules import RuleSet, find_rules
from models_py.describe.words import Vocabulary
from models_py.describe.surrogate import Surrogate, fit_surrogate
from models_py.describe.withholding import rare_answers, word_features
from models_py.features.matrix import FeatureMatrix
from models_py.segmentation.segmentation import Segmentation

if TYPE_CHECKING:
    import pandas as pd

STORED_SAMPLES = 200

AskGold = Callable[[Mapping[str, str]], "pd.DataFrame"]
"""Evaluates named SQL expressions on every gold row; a frame with the entity as its index."""


@dataclass(frozen=True)
class Explanation:
    """What tells a partition's groups apart.

    Attributes
    ----------
    features
        Names of the columns of ``values``.
    values
        Shape (rows, features): unscaled, nan where unknown.
    surrogate
        None where there are no two groups to tell apart, or LightGBM is not installed.
    rules
        None where there are no two groups to tell apart.
    skipped
        Why the surrogate was not fitted; empty where nothing is missing.
    """

    features: list[str]
    values: FloatArray
    surrogate: Surrogate | None
    rules: RuleSet | None
    skipped: str = ""


def explain(
    frame: pd.DataFrame,
    segmentation: Segmentation,
    seed: int,
    small_segment: int,
    vocabulary: Vocabulary | None = None,
    least_named: int = 0,
) -> Explanation:
    """Explain the groups of a partition by the features that they were made of.

    Parameters
    ----------
    frame
        Gold rows of all partitions.
    segmentation
        The partition's groups.
    seed
        Of folds and samples.
    small_segment
        Groups with fewer rows are left out: a rule or a SHAP value would tell of single ones.
    vocabulary
        What columns are called.
    least_named
        Categories of fewer rows explain nothing: they are not named.
    """
    prepared, groups = segmentation.prepared, segmentation.groups
    rows = frame.iloc[prepared.rows]
    matrix = _named(prepared.matrix, rows, least_named)
    values = matrix.unscaled(rows)
    if not matrix.names_:
        return Explanation([], values, None, None)
    smallest = max(small_segment, 2)
    rules = find_rules(values, groups, matrix, seed, smallest, vocabulary)
    surrogate, skipped = None, ""
    try:
        surrogate = fit_surrogate(values, groups, seed, small_segment)
    except MissingExtraError as missing:
        skipped = str(missing)
    return Explanation(matrix.names_, values, surrogate, rules, skipped)


def _named(matrix: FeatureMatrix, rows: pd.DataFrame, least: int) -> FeatureMatrix:
    """Return the matrix without the features that tell of too few."""
    columns = {recipe.column for recipe in matrix.recipes_ if recipe.kind == "category"}
    hidden = word_features(rows, columns, least)
    hidden |= rare_answers(matrix.unscaled(rows), matrix.names_, least)
    return matrix.keep([name for name in matrix.names_ if name not in hidden])


@dataclass(frozen=True)
class ExplainedRows:
    """Rows of all partitions' explanations.

    Attributes
    ----------
    segments
        By ``segment_id``: what explanations add to ``results.segments``.
    features
        By ``segment_id`` and ``feature``: what they add to ``results.segment_features``.
    tables
        Rows of ``surrogates``, ``shap_samples`` and ``rule_sets``, where there are any.
    """

    segments: pd.DataFrame
    features: pd.DataFrame
    tables: dict[str, pd.DataFrame]


def explained_rows(
    explanations: list[Explanation],
    segmentations: list[Segmentation],
    segment_ids: IntArray,
    entities: list[str],
    ask_gold: AskGold | None,
    seed: int,
) -> ExplainedRows:
    """Turn explanations into rows.

    Parameters
    ----------
    explanations, segmentations
        One a partition; without explanations there are no rows.
    segment_ids
        Shape (groups of all partitions,): what each is called.
    entities
        Of every gold row.
    ask_gold
        Runs the rules in the warehouse; without it no rule is written.
    seed
        Of the rows that are drawn for ``shap_samples``.
    """
    import pandas as pd

    tables: dict[str, list[pd.DataFrame]] = {}
    offset = 0
    for segmentation, explanation in zip(segmentations, explanations, strict=False):
        partition = segmentation.prepared.partition
        ids = segment_ids[offset : offset + len(segmentation.jaccard)]
        offset += ids.size
        parts = {
            "features": shap_rows(explanation, ids),
            "f1": f1_rows(explanation, ids),
            "surrogates": surrogate_row(explanation),
            "shap_samples": shap_sample_rows(explanation, ids, seed),
        }
        if ask_gold is not None and explanation.rules is not None:
            members = [entities[row] for row in segmentation.prepared.rows]
            measured = measure_rules(
                explanation.rules, members, ids, ids[segmentation.groups], ask_gold
            )
            parts |= {"rules": measured.segments, "rule_sets": measured.rule_set}
        for name, part in parts.items():
            tables.setdefault(name, []).append(part.assign(partition=partition))
    rows = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    ids_of = [rows[name].drop(columns="partition") for name in ("rules", "f1") if name in rows]
    segments = pd.DataFrame({"segment_id": segment_ids})
    for part in ids_of:
        segments = segments.merge(part, on="segment_id", how="left")
    return ExplainedRows(
        segments,
        rows["features"].drop(columns="partition") if "features" in rows else _no_shap(),
        {
            name: rows[name]
            for name in ("surrogates", "shap_samples", "rule_sets")
            if name in rows and not rows[name].empty
        },
    )


def surrogate_row(explanation: Explanation) -> pd.DataFrame:
    """Return the partition's row of ``results.surrogates``; none without a surrogate."""
    import pandas as pd

    fitted = explanation.surrogate
    if fitted is None:
        return pd.DataFrame()
    return pd.DataFrame(
        [
            {
                "rows": fitted.rows,
                "folds": fitted.folds,
                "f1_weighted": fitted.f1_weighted,
                "f1_macro": fitted.f1_macro,
                "accuracy": fitted.accuracy,
                "shap_rows": fitted.sample.size,
                "parameters": json.dumps(fitted.parameters),
                "seconds": fitted.seconds,
            }
        ]
    )


def f1_rows(explanation: Explanation, segment_ids: IntArray) -> pd.DataFrame:
    """Return ``segment_id`` and ``surrogate_f1``, out of fold."""
    import pandas as pd

    fitted = explanation.surrogate
    if fitted is None:
        return pd.DataFrame({"segment_id": segment_ids[:0], "surrogate_f1": []})
    return pd.DataFrame({"segment_id": segment_ids[fitted.classes], "surrogate_f1": fitted.f1})


def shap_rows(explanation: Explanation, segment_ids: IntArray) -> pd.DataFrame:
    """Return ``segment_id``, ``feature``, ``shap`` and ``shap_direction``.

    Parameters
    ----------
    explanation
        Of a partition.
    segment_ids
        Shape (groups,): what each group is called.
    """
    import pandas as pd

    fitted = explanation.surrogate
    if fitted is None:
        return _no_shap()
    classes, features = fitted.mean_shap.shape
    return pd.DataFrame(
        {
            "segment_id": np.repeat(segment_ids[fitted.classes], features),
            "feature": explanation.features * classes,
            "shap": fitted.mean_shap.ravel(),
            "shap_direction": fitted.direction(explanation.values).ravel(),
        }
    )


def shap_sample_rows(explanation: Explanation, segment_ids: IntArray, seed: int) -> pd.DataFrame:
    """Return some sampled rows' values and SHAP values, as ``results.shap_samples`` has them.

    The rows are numbered in a random order, so that a number says nothing of who it is.
    """
    import pandas as pd

    fitted = explanation.surrogate
    if fitted is None:
        return pd.DataFrame(columns=["segment_id", "sample", "feature", "value", "shap"])
    count = min(STORED_SAMPLES, fitted.sample.size)
    drawn = np.random.default_rng(seed).permutation(fitted.sample.size)[:count]
    shap = fitted.shap[drawn]
    _, classes, features = shap.shape
    values = explanation.values[fitted.sample[drawn]]
    return pd.DataFrame(
        {
            "segment_id": np.tile(np.repeat(segment_ids[fitted.classes], features), count),
            "sample": np.repeat(np.arange(count), classes * features),
            "feature": explanation.features * (count * classes),
            "value": np.repeat(values[:, None, :], classes, axis=1).ravel(),
            "shap": shap.ravel(),
        }
    )


@dataclass(frozen=True)
class MeasuredRules:
    """Rules as they did in the warehouse.

    Attributes
    ----------
    segments
        One row a rule: ``segment_id``, ``rule_text``, ``rule_sql``, ``rule_precision``,
        ``rule_recall`` and ``rule_lift``.
    rule_set
        Columns of ``results.rule_sets``.
    """

    segments: pd.DataFrame
    rule_set: pd.DataFrame


def measure_rules(
    rules: RuleSet,
    entities: list[str],
    segment_ids: IntArray,
    assigned: IntArray,
    ask_gold: AskGold,
) -> MeasuredRules:
    """Run a partition's rules in the warehouse and hold them against the assignments.

    Parameters
    ----------
    rules
        Of the partition.
    entities
        Its rows.
    segment_ids
        Shape (groups,): what each group is called.
    assigned
        Shape (rows,): the segment ids that the run gave.
    ask_gold
        Evaluates SQL expressions on gold.
    """
    import pandas as pd
    from sklearn.metrics import f1_score

    names = [int(segment_id) for segment_id in segment_ids]
    case_sql = rules.case_sql(names)
    expressions = {f"rule_{rule.group}": rule.sql for rule in rules.rules}
    result = ask_gold({"rule_group": case_sql, **expressions}).loc[entities]
    labels = result["rule_group"].to_numpy(dtype=np.int64)
    segments = []
    for rule in rules.rules:
        kept = result[f"rule_{rule.group}"].fillna(False).to_numpy(dtype=bool)
        members = assigned == names[rule.group]
        segments.append(
            {
                "segment_id": names[rule.group],
                "rule_text": rule.text,
                "rule_sql": rule.sql,
                **_rule_figures(kept, members),
            }
        )
    rule_set = {
        "case_sql": case_sql,
        "rows": len(entities),
        "accuracy": float((labels == assigned).mean()),
        "f1_weighted": float(f1_score(assigned, labels, average="weighted")),
        "conditions": sum(len(rule.conditions) for rule in rules.rules),
    }
    return MeasuredRules(pd.DataFrame(segments), pd.DataFrame([rule_set]))


def _rule_figures(kept: BoolArray, members: BoolArray) -> dict[str, float | None]:
    hits, count = int((kept & members).sum()), int(kept.sum())
    precision = hits / count if count else None
    return {
        "rule_precision": precision,
        "rule_recall": hits / int(members.sum()),
        "rule_lift": precision / float(members.mean()) if precision is not None else None,
    }


def _no_shap() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {"segment_id": np.zeros(0, dtype=np.int64), "feature": [], "shap": [], "shap_direction": []}
    )
