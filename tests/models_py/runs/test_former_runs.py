"""Runs as older versions left them behind still open, score and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.models_py.runs.planted_house import customers, run, saved, study

from models_py.base import settings
from models_py.base.checksums import MANIFEST
from models_py.runs.manifest import write_manifest
from models_py.studies.loading import study_from_json
from models_py.studies.study import Study

FORMER_SPELLING = {"centers": "centres", "nearest_center": "nearest_centre"}


def as_it_was(folder: Path, run_id: str, recipe: dict[str, Any]) -> None:
    """Rewrite a run's saved models as they were written before names were changed."""
    part = folder / "partition_0"
    content = json.loads((part / "partition.json").read_text(encoding="utf-8"))
    content["rule"] = FORMER_SPELLING.get(content["rule"], content["rule"])
    (part / "partition.json").write_text(json.dumps(content), encoding="utf-8")
    for file in (part / "rule.npz", part / "centers.npz"):
        with np.load(file) as stored:
            arrays = {FORMER_SPELLING.get(name, name): stored[name] for name in stored.files}
        np.savez(file, **arrays)
    (part / "centers.npz").rename(part / "centres.npz")
    (folder / MANIFEST).unlink()
    write_manifest(folder, run_id, recipe)


def former(recipe: Study) -> dict[str, Any]:
    """The study as it was recorded: a k for whoever finds its own, ``least`` for the tree."""
    content = recipe.model_dump(mode="json")
    for algorithm in content["algorithms"]:
        algorithm.setdefault("k", [2, 10])
        if "min_cluster_size" in algorithm["parameters"] and algorithm["name"] == "chopped":
            algorithm["parameters"]["least"] = algorithm["parameters"].pop("min_cluster_size")
    return content


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"name": "kmeans", "k": 3}, "nearest_center"),
        ({"name": "kprototypes", "k": 3}, "cheapest_prototype"),
        ({"name": "chopped", "k": 3, "parameters": {"min_cluster_size": 20}}, "nearest_row"),
        (
            {"name": "dbscan", "parameters": {"eps": 0.8, "min_samples": 5}},
            "nearest_core_point",
        ),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_its_models_open_and_score_as_before(home: Path, asked: dict[str, Any], rule: str) -> None:
    recipe = study(algorithms=[asked], outliers={"method": "none"})
    frame = customers(overlap=0.9)
    finished = run(recipe, frame)
    before = saved(finished.run_id)
    folder = settings.models_dir(finished.run_id)
    as_it_was(folder, finished.run_id, former(recipe))
    loaded = saved(finished.run_id)
    assert loaded.study == recipe
    fitted = loaded.partitions["all"].fitted
    assert fitted.rule.kind == before.partitions["all"].fitted.rule.kind
    assert fitted.rule.kind == rule or not before.partitions["all"].fitted.is_exact
    pd.testing.assert_frame_equal(loaded.score(frame), before.score(frame))


def test_a_study_that_says_least_loads_and_is_written_with_its_name() -> None:
    recipe = study(algorithms=[{"name": "chopped", "k": 3, "parameters": {"least": 4}}])
    assert recipe.algorithms[0].parameters == {"min_cluster_size": 4}
    assert study_from_json(former(recipe)) == recipe
    assert '"least"' not in recipe.model_dump_json()


def test_what_is_recorded_now_checks_as_a_study_again() -> None:
    found = [{"name": name} for name in ("hdbscan", "dbscan", "auto")]
    recipe = study(algorithms=[*found, {"name": "ward", "k": 4}])
    written = recipe.model_dump(mode="json")
    assert ["k" in asked for asked in written["algorithms"]] == [False, False, False, True]
    assert Study.model_validate_json(json.dumps(written)) == recipe
    assert study_from_json(former(recipe)) == recipe
