"""A run's saved chain: what it gives the run's own rows, and what it refuses to load."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples
from tests.models_py.runs.planted_house import customers, run, saved, study

from models_py.base import settings
from models_py.base.errors import DataError, WarehouseError
from models_py.database.connection import open_warehouse
from models_py.database.gold import read_gold
from models_py.features.encoders.dec import DeepEmbeddedClustering
from models_py.pipeline import Finished
from models_py.clustering.distances import metric_points
from models_py.runs.assignment import Coordinates, NearestCenter
from models_py.runs.manifest import SavedRunError, changed_versions, write_manifest
from models_py.runs.saved import SavedRun
from models_py.runs.scoring_sql import scoring_sql
from models_py.runs.storage import (
    load_run_models,
    remove_failed_models,
    remove_run_models,
)
from models_py.studies.study import Study

OWN_RULES: list[tuple[str, str, dict[str, Any]]] = [
    ("kmeans", "nearest_center", {}),
    ("minibatch_kmeans", "nearest_center", {}),
    ("bisecting_kmeans", "splits", {}),
    ("gaussian_mixture", "most_probable", {}),
    ("ward", "nearest_row", {}),
    ("average", "nearest_row", {}),
    ("complete", "nearest_row", {}),
    ("single", "nearest_row", {}),
    ("dbscan", "nearest_core_point", {"eps": 0.8, "min_samples": 5}),
    ("hdbscan", "nearest_core_point", {"min_cluster_size": 15, "min_samples": 4}),
]
"""Algorithm, its own rule, and parameters that find more than one group here."""


def gold(recipe: Study) -> pd.DataFrame:
    """Return the study's rows as a run reads them."""
    schema, name = recipe.schema_and_name
    with open_warehouse(settings.warehouse_path(), read_only=True) as warehouse:
        columns = list(warehouse.columns(schema, name))
        return read_gold(
            warehouse, schema, name, recipe.entity, columns, recipe.where, recipe.at_least
        ).frame


def assert_repeats(finished: Finished, loaded: SavedRun, frame: pd.DataFrame) -> None:
    """The saved chain gives every row of the run its segment and confidence again."""
    scores = loaded.score(frame).sort_values("entity_id").reset_index(drop=True)
    rows = finished.tables.rows["assignments"].sort_values("entity_id").reset_index(drop=True)
    assert list(scores["entity_id"]) == list(rows["entity_id"])
    assert list(scores["partition"]) == list(rows["partition"])
    assert list(scores["segment_id"]) == list(rows["segment_id"])
    np.testing.assert_allclose(scores["confidence"], rows["confidence"], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("algorithm", "rule", "parameters"), OWN_RULES)
def test_every_algorithm_repeats_its_run(
    home: Path, algorithm: str, rule: str, parameters: dict[str, Any]
) -> None:
    finds_k = algorithm in {"dbscan", "hdbscan"}
    asked = {"name": algorithm, "parameters": parameters} | ({} if finds_k else {"k": 4})
    recipe = study(
        algorithm=algorithm,
        algorithms=[asked],
        outliers={"method": "isolation_forest", "contamination": 0.05},
    )
    finished = run(recipe, customers(overlap=0.9))
    loaded = saved(finished.run_id)
    fitted = loaded.partitions["all"].fitted
    assert fitted.is_exact
    assert fitted.rule.kind == rule
    assert finished.tables.rows["assignments"]["is_outlier"].sum() == 20
    assert finished.tables.rows["assignments"]["segment_id"].nunique() > 1
    assert_repeats(finished, loaded, gold(recipe))


def test_prototypes_repeat_their_run(home: Path) -> None:
    recipe = study(algorithm="kprototypes", outliers={"method": "none"})
    finished = run(recipe, customers(overlap=0.9))
    loaded = saved(finished.run_id)
    assert loaded.partitions["all"].method == "cheapest prototype"
    assert_repeats(finished, loaded, gold(recipe))


@pytest.mark.parametrize("covariance", ["pooled", "own"])
def test_mixtures_of_numbers_and_words_repeat_their_run(home: Path, covariance: str) -> None:
    asked = {"name": "mixed_mixture", "k": [2, 4], "parameters": {"covariance": covariance}}
    recipe = study(algorithms=[asked], choose={"by": "bic"}, outliers={"method": "none"})
    finished = run(recipe, customers(overlap=0.9))
    loaded = saved(finished.run_id)
    fitted = loaded.partitions["all"].fitted
    assert fitted.rule.kind == "most_probable_kind"
    assert fitted.is_exact
    assert_repeats(finished, loaded, gold(recipe))


@pytest.mark.parametrize(
    "changes",
    [
        {"encoding": [{"kind": "none"}]},
        {"encoding": [{"kind": "none"}, {"kind": "pca", "parameters": {"components": 2}}]},
        {"outliers": {"reconstruct": "pca", "reconstruct_parameters": {"components": 3}}},
        {"stability": {"refits": 0, "consensus_seeds": 3}},
        {
            "sub_search": {"min_share": 0.2, "min_silhouette": -1.0},
            "choose": {"min_stability": 0.0},
        },
        {"choose": {"by": "rule", "min_share": 0.9}},
        {"partition_by": "region"},
        {"algorithms": [{"name": "complete", "k": 3, "parameters": {"metric": "cosine"}}]},
    ],
    ids=[
        "none",
        "two",
        "reconstructed",
        "consensus",
        "searched_again",
        "one_segment",
        "partitions",
        "cosine",
    ],
)
def test_every_way_through_a_study_repeats_its_run(home: Path, changes: dict[str, Any]) -> None:
    recipe = study(**changes)
    finished = run(recipe, customers())
    loaded = saved(finished.run_id)
    assert all(part.fitted.is_exact for part in loaded.partitions.values())
    assert_repeats(finished, loaded, gold(recipe))


def test_a_network_repeats_its_run(home: Path) -> None:
    settings.use_keras_backend()
    pytest.importorskip("keras")
    encoding = [{"kind": "autoencoder", "parameters": {"layers": [6, 3], "epochs": 3}}]
    recipe = study(encoding=encoding)
    finished = run(recipe, customers(150))
    loaded = saved(finished.run_id)
    assert loaded.partitions["all"].reference.figures.reconstruction_error > 0
    assert_repeats(finished, loaded, gold(recipe))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with one finished run, for tests that only read it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        return folder, run(study(), customers()).run_id


@pytest.fixture
def models(
    kept: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, str]:
    """A copy of that run's models to damage."""
    home, run_id = kept
    monkeypatch.setenv(settings.HOME_VARIABLE, str(home))
    folder = tmp_path / run_id
    shutil.copytree(settings.models_dir(run_id), folder)
    return folder, run_id


def test_new_rows_go_to_the_nearest_center(models: tuple[Path, str]) -> None:
    loaded = load_run_models(*models)
    part = loaded.partitions["all"]
    fresh = customers(50, seed=9)
    points = part.encode(fresh)
    rule = part.fitted.rule
    assert isinstance(rule, NearestCenter)
    apart = ((points[:, None, :] - rule.centers[None]) ** 2).sum(axis=2)
    expected = part.segment_ids[rule.groups[apart.argmin(axis=1)]]
    assert list(loaded.score(fresh)["segment_id"]) == list(expected)
    assert part.method == "nearest center"


def test_rows_keep_their_order_and_a_single_row_scores_the_same(models: tuple[Path, str]) -> None:
    loaded = load_run_models(*models)
    fresh = customers(40, seed=3).sample(frac=1, random_state=1)
    together = loaded.score(fresh)
    alone = loaded.score(fresh.iloc[[5]])
    assert list(together["entity_id"]) == list(fresh["customer_id"])
    assert together.iloc[5]["segment_id"] == alone.iloc[0]["segment_id"]


def test_manifest_vouches_for_every_file(models: tuple[Path, str]) -> None:
    folder, run_id = models
    manifest = json.loads((folder / "manifest.json").read_text())
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(manifest["files"]) == there - {"manifest.json"}
    assert manifest["run_id"] == run_id
    assert {"numpy", "scikit-learn", "python", "keras", "jax", "lightgbm", "onnxruntime"} <= set(
        manifest["versions"]
    )
    assert manifest["versions"]["processor"].startswith(platform.machine())
    assert not [path for path in there if path.endswith((".pkl", ".pickle", ".joblib"))]


def test_any_changed_or_missing_file_is_refused(models: tuple[Path, str]) -> None:
    folder, run_id = models
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        kept = path.read_bytes()
        path.write_bytes(kept[:-2] + b"}\n" if path.suffix == ".json" else kept + b"x")
        if path.read_bytes() != kept:
            with pytest.raises(SavedRunError, match=r"changed|readable|another|no manifest"):
                load_run_models(folder, run_id)
        path.unlink()
        with pytest.raises(SavedRunError, match="missing"):
            load_run_models(folder, run_id)
        path.write_bytes(kept)
    assert load_run_models(folder, run_id).run_id == run_id


def test_an_added_file_is_refused(models: tuple[Path, str]) -> None:
    folder, run_id = models
    (folder / "partition_0" / "extra.npz").write_bytes(b"x")
    with pytest.raises(SavedRunError, match="added after saving"):
        load_run_models(folder, run_id)


def test_an_edited_manifest_is_refused(models: tuple[Path, str]) -> None:
    folder, run_id = models
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["partition_0/rule.npz"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(SavedRunError, match="changed after saving"):
        load_run_models(folder, run_id)


def test_models_of_another_run_are_refused(models: tuple[Path, str]) -> None:
    folder, _ = models
    with pytest.raises(SavedRunError, match="not 20200101"):
        load_run_models(folder, "20200101")


def test_files_that_do_not_go_together_are_refused(home: Path) -> None:
    # Each file is sound by its checksum, but the rule is of a run with other coordinates.
    narrow = run(study(encoding=[{"kind": "pca", "parameters": {"components": 2}}]), customers())
    wide = run(study())
    folder = settings.models_dir(wide.run_id)
    other = settings.models_dir(narrow.run_id)
    shutil.copy(other / "partition_0/rule.npz", folder / "partition_0/rule.npz")
    (folder / "manifest.json").unlink()
    write_manifest(folder, wide.run_id, study().model_dump(mode="json"))
    with pytest.raises(SavedRunError, match="the rule takes other coordinates"):
        load_run_models(folder, wide.run_id)


def test_a_run_without_models_says_what_to_do(home: Path) -> None:
    with pytest.raises(SavedRunError, match=r"no saved models .* run the study again"):
        load_run_models(settings.models_dir("20200101"), "20200101")


def test_an_unknown_partition_is_one_clear_line(home: Path) -> None:
    finished = run(study(partition_by="region"), customers())
    fresh = customers(10, seed=5).assign(region="west")
    with pytest.raises(DataError, match=r"region = 'west' on 10 rows: .*north, south"):
        saved(finished.run_id).score(fresh)


def test_a_run_that_fails_while_writing_leaves_no_models(home: Path) -> None:
    # A table of the contract that is another table makes the one transaction fail.
    run(study(), customers())
    with duckdb.connect(str(settings.warehouse_path())) as database:
        database.execute("alter table results.assignments drop column silhouette")
        database.execute("alter table results.assignments add column silhouette date")
    root = settings.models_dir("x").parent
    before = sorted(path.name for path in root.iterdir())
    with pytest.raises(WarehouseError, match="DATE"):
        run(study())
    assert sorted(path.name for path in root.iterdir()) == before


def test_changed_versions_are_told(models: tuple[Path, str]) -> None:
    assert changed_versions(load_run_models(*models).versions) == []
    assert changed_versions({"numpy": "0.1"})[0].startswith("numpy ")


def test_removing_twice_is_no_error(models: tuple[Path, str]) -> None:
    folder, _ = models
    remove_run_models(folder)
    remove_run_models(folder)
    assert not folder.exists()


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    for name in ("failed", ".failed.part-12", ".other.part-9", "done"):
        (tmp_path / name / "partition_0").mkdir(parents=True)
    remove_failed_models(tmp_path, ["failed", "never"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.part-9", "done"]


def test_a_run_by_cosine_is_kept_as_one(home: Path) -> None:
    by_cosine = {"name": "complete", "k": 3, "parameters": {"metric": "cosine"}}
    recipe = study(algorithms=[by_cosine], encoding=[{"kind": "none"}], outliers={"method": "none"})
    finished = run(recipe, customers(overlap=0.9))
    loaded = saved(finished.run_id)
    part, frame = loaded.partitions["all"], gold(recipe)
    assert part.metric == "cosine"
    rows = part.matrix.transform(frame)
    groups = part.score(frame).groups
    np.testing.assert_allclose(np.linalg.norm(part.encode(frame), axis=1), 1.0)
    expected = silhouette_samples(rows, groups, metric="cosine")
    assert part.reference.figures.silhouette == pytest.approx(expected.mean(), abs=1e-9)
    written = finished.tables.rows["assignments"].set_index("entity_id")["silhouette"]
    ids = frame[recipe.entity].astype(str)
    np.testing.assert_allclose(written.loc[ids], expected, rtol=0, atol=1e-9)
    # Lengths tell nothing: rows twice as long get the same segment, as sure as before.
    np.testing.assert_array_equal(
        part.fitted.rule.predict(Coordinates(metric_points(rows * 2.0, "cosine"), rows, groups)),
        groups,
    )
    with pytest.raises(DataError, match=r"complete compared rows by cosine distance, which SQL"):
        scoring_sql(loaded, "gold.own", dict.fromkeys(frame.columns, "DOUBLE"))


def test_the_clusters_of_an_encoder_score_new_rows(home: Path) -> None:
    dec = {"k": 3, "layers": [8, 2], "epochs": 20, "refine_epochs": 3, "batch_size": 64}
    recipe = study(
        encoding=[{"kind": "dec", "parameters": dec}],
        algorithms=[{"name": "kmeans", "k": [5, 6]}],
        choose={"k": 3, "by": "silhouette"},
        stability={"refits": 2},
        outliers={"method": "none"},
    )
    finished = run(recipe, customers(overlap=0.9))
    search = finished.tables.rows["model_search"]
    (chosen,) = search[search["is_chosen"]].to_dict("records")
    assert json.loads(chosen["parameters"]) == {"k": 3, "centers": "dec"}
    loaded, frame = saved(finished.run_id), gold(recipe)
    part = loaded.partitions["all"]
    assert part.fitted.rule.kind == "soft_nearest_center"
    assert part.is_soft
    assert_repeats(finished, loaded, frame)
    encoder = part.encoder
    assert isinstance(encoder, DeepEmbeddedClustering)
    soft = encoder.soft_assignment(part.matrix.transform(frame))
    np.testing.assert_allclose(part.score(frame).confidence, soft.max(axis=1), atol=1e-12)


def test_the_spread_of_a_variational_encoding_is_kept(home: Path) -> None:
    variational = {"layers": [6, 2], "epochs": 3, "batch_size": 64}
    recipe = study(
        encoding=[{"kind": "variational_autoencoder", "parameters": variational}],
        outliers={"method": "none"},
    )
    finished = run(recipe, customers(200))
    loaded, frame = saved(finished.run_id), gold(recipe)
    part = loaded.partitions["all"]
    assert part.encoder is not None
    spread = part.encoder.spread(part.matrix.transform(frame))
    assert spread is not None
    assert spread.std() > 0
    kept = finished.tables.rows["assignments"].set_index("entity_id")["spread"]
    np.testing.assert_allclose(kept.loc[frame["customer_id"]], spread, rtol=1e-6)
