"""Shipped studies run on a built warehouse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.describe.traits import UNKNOWN_WORDS
from models_py.describe.words import Vocabulary
from models_py.pipeline import Finished, run_study
from models_py.runs.tables import study_speech
from models_py.segmentation.studied import known_values
from models_py.studies.loading import load_study
from models_py.studies.study import Study

FIGURES = r"(-?[\d,]*\.?\d+)%?[^,;(\d]* \(all (-?[\d,]*\.?\d+)%?\)"
"""A figure of a segment and everybody's beside it."""


HEDGES: dict[str, Callable[[float, float], bool]] = {
    "": lambda own, _: own >= 0.95,
    "mostly": lambda own, _: own >= 0.5,
    "more often": lambda own, of_all: own > of_all,
    "not": lambda own, _: own <= 0.05,
    "less often": lambda own, of_all: own < of_all,
}
"""When a word with that before it is true, by its share among the own and among everybody."""

_RUNS: dict[tuple[Path, str, str], Finished] = {}
"""What ran in this process, by warehouse, study and changed sections."""


def run_shipped(warehouse: Warehouse, name: str, **sections: dict[str, Any]) -> Finished:
    """Run a shipped study in the warehouse's home, a few keys of its sections changed.

    The same study with the same changes runs once in a warehouse, whichever tests ask for it.
    """
    key = (warehouse.home, name, json.dumps(sections, sort_keys=True))
    if key not in _RUNS:
        _RUNS[key] = _run_shipped(warehouse, name, sections)
    return _RUNS[key]


def _run_shipped(warehouse: Warehouse, name: str, sections: dict[str, dict[str, Any]]) -> Finished:
    study = load_study(name)
    changed = {
        section: getattr(study, section).model_copy(update=keys)
        for section, keys in sections.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(warehouse.home))
        path = settings.warehouse_path()
        changed_study = study.model_copy(update=changed)
        finished = run_study(changed_study, path, study.seed, Silent())
    check_described(warehouse, study, finished)
    return finished


def check_described(warehouse: Warehouse, study: Study, finished: Finished) -> None:
    """Hold what is said of each segment against its members' own means and shares in gold."""
    path = warehouse.home / "data" / "segmenthouse.duckdb"
    with duckdb.connect(str(path), read_only=True) as database:
        gold = known_values(study, database.execute(f"select * from {study.table}").df())
    rows = finished.tables.rows
    assigned = rows["assignments"].set_index("entity_id")["segment_id"]
    gold["segment_id"] = gold[study.entity].astype("string").map(assigned)
    gold = gold[gold["segment_id"].notna()]
    members = gold.groupby("segment_id")
    profile = rows["segment_features"].dropna(subset="mean")
    for feature, told in profile[profile["feature"].isin(gold.columns)].groupby("feature"):
        means = members[feature].apply(lambda part: part.astype("Float64").mean())
        expected = told["segment_id"].map(means).astype(float)
        np.testing.assert_allclose(told["mean"].astype(float), expected, rtol=1e-9, atol=1e-9)
    for feature, told in rows["segment_categories"].groupby("feature"):
        words = gold[feature].astype("string").fillna("not given")
        shares = pd.crosstab(gold["segment_id"], words, normalize="index").stack()
        keys = list(zip(told["segment_id"], told["category"].astype(str), strict=True))
        expected = shares.reindex(keys).fillna(0.0)
        np.testing.assert_allclose(told["share"].astype(float), expected, atol=1e-9)
    checked = [side for row in rows["segments"].to_dict("records") for side in sides_of(row)]
    assert checked or len(rows["segments"]) <= rows["segments"]["partition"].nunique()
    for row in rows["segments"].to_dict("records"):
        partition = assigned[assigned.isin(mates_of(row, rows["segments"]))].index
        everybody = gold[gold[study.entity].astype("string").isin(partition)]
        false = [words for words, holds in claims(row, everybody, study).items() if not any(holds)]
        assert false == [], f"{row['name']}: {false}"


def mates_of(segment: dict[Hashable, Any], segments: pd.DataFrame) -> list[int]:
    """Return the segments of the same partition."""
    return list(segments.loc[segments["partition"] == segment["partition"], "segment_id"])


def claims(
    segment: dict[Hashable, Any], everybody: pd.DataFrame, study: Study
) -> dict[str, list[bool]]:
    """Return what a segment's name says, each with whether gold bears it out for some column."""
    speech, name = study_speech(study, everybody), str(segment["name"])
    own = everybody[everybody["segment_id"] == segment["segment_id"]]
    said: dict[str, list[bool]] = {}
    for column, kind in speech.kinds.items():
        if kind == "number":
            for is_high in (True, False):
                words = speech.vocabulary.side(column, is_high).words
                if _stands_in(words, name):
                    both = (f[column].astype("Float64").astype(float) for f in (own, everybody))
                    mean, of_all = (values.mean() for values in both)
                    said.setdefault(words, []).append(mean > of_all if is_high else mean < of_all)
        else:
            for value in everybody[column].dropna().unique():
                for hedge, holds in HEDGES.items():
                    words = _worded(speech.vocabulary, column, value, hedge, kind)
                    if _stands_in(words, name):
                        shares = [_share_of(frame[column], value) for frame in (own, everybody)]
                        said.setdefault(words, []).append(holds(*shares))
    return said


def _worded(speech: Vocabulary, column: str, value: object, hedge: str, kind: str) -> str:
    if kind == "boolean":
        return f"{hedge} {speech.yes_or_no(column, bool(value)).words}".strip()
    return speech.of_word(column, str(value), hedge).words


def _share_of(column: pd.Series[Any], value: object) -> float:
    known = column[column.notna() & ~column.astype("string").str.lower().isin(UNKNOWN_WORDS)]
    return float((known == value).mean()) if len(known) else 0.0


def _stands_in(words: str, name: str) -> bool:
    # "mostly single" does not say "single", nor "no long pauses" "long pauses".
    return words in name and bool(
        re.search(rf"(?<!mostly )(?<!often )(?<!not )(?<!no )(?<!-)\b{re.escape(words)}\b", name)
    )


def sides_of(segment: dict[Hashable, Any]) -> list[str]:
    """Return the sides told of a segment, each found on that side of everybody's figure."""
    told = []
    for part in str(segment["description"]).split("; "):
        side, _, items = part.partition(": ")
        if side not in ("high", "low", "more often", "less often"):
            continue
        for own, everybody in re.findall(FIGURES, items):
            mine, theirs = (float(text.replace(",", "")) for text in (own, everybody))
            assert mine >= theirs if side in ("high", "more often") else mine <= theirs, part
            told.append(side)
    return told


def benchmark_row(study: str, column: str) -> dict[str, str]:
    """Return what BENCHMARKS.md has of a study, of its first table with that column."""
    heads: list[str] = []
    for line in (settings.repository() / "BENCHMARKS.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if not cells or not heads:
            heads = cells
        elif column in heads and f"`{study}`" in cells:
            return dict(zip(heads, cells, strict=True))
    raise AssertionError(f"no table of BENCHMARKS.md with a column '{column}' has `{study}`")


def check_row(row: dict[str, str], finished: Finished) -> None:
    """Hold a row of the table of studies against a run; stability where it has one."""
    rows = finished.tables.rows
    segments, candidates = rows["segments"], rows["model_search"]
    (chosen,) = candidates.loc[candidates["is_chosen"], "common_silhouette"]
    has_rule = segments["rule_precision"].notna()
    precision = np.average(segments["rule_precision"][has_rule], weights=segments["size"][has_rule])
    content = {
        "segments": str(len(segments)),
        "common-space silhouette": f"{chosen:.3f}",
        "surrogate F1": f"{rows['surrogates']['f1_weighted'].iloc[0]:.3f}",
        "rule precision": f"{precision:.2f}",
    }
    if segments["stability"].notna().all():
        mean, lowest = segments["stability"].mean(), segments["stability"].min()
        content["stability, mean (lowest)"] = f"{mean:.2f} ({lowest:.2f})"
    stated = {name: row[name] for name in content}
    stated["common-space silhouette"] = stated["common-space silhouette"].split(" ")[0]
    assert stated == content
