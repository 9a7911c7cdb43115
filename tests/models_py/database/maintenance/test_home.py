"""What lies in the home: what goes with a run, what belongs to nobody, how much there is."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from maintained_warehouse import NOW, STUDY, add_run, build

from models_py.base import settings
from models_py.database import contract
from models_py.database.connection import open_warehouse
from models_py.database.locks import run_lock
from models_py.database.maintenance import leftovers
from models_py.database.maintenance.backup import make_backup
from models_py.database.maintenance.catalog import read_relations
from models_py.database.maintenance.cleanup import RUNS, Wanted, find
from models_py.database.maintenance.home import (
    held,
    left_behind,
    remove_folders_of_runs,
    remove_paths,
)
from models_py.database.maintenance.naming import load_rules
from models_py.database.maintenance.restore import Asked, restore_backup

OLD, NEW, UNKNOWN = "20250501T000000", "20250502T000000", "20250601T120000123456-0a1b"


@pytest.fixture
def warehouse(home: Path) -> Path:
    return build(home, runs=2)


def put(folder: Path, name: str = "manifest.json", text: str = "{}") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def put_run(run_id: str, embedder: str = "") -> list[Path]:
    """Write models and a report of a run; return both folders."""
    models = put(settings.models_dir(run_id))
    if embedder:
        put(models / "partition_0" / "encoder", "text.json", json.dumps({"fingerprint": embedder}))
        put(settings.embeddings_dir() / embedder[:16], "shard.npz", "numbers")
    return [models, put(settings.report_dir(STUDY, run_id), "index.html")]


def left(path: Path, going: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what is left, by its path in the home."""
    with open_warehouse(path, read_only=True) as opened:
        found = left_behind(opened, going)
    return {str(item.path.relative_to(settings.home())): item.what for item in found}


def test_what_no_recorded_run_made_is_left_and_nothing_else(warehouse: Path) -> None:
    for run_id in (OLD, NEW, UNKNOWN):
        put_run(run_id)
    put(settings.models_dir("my_own"))
    put(settings.reports_dir() / "shared", "slides.html")
    assert left(warehouse) == {
        f"data/models/{UNKNOWN}": "models",
        f"reports/{STUDY}/{UNKNOWN}": "report",
    }
    # It is at work, or its results wait beside the warehouse: then it is no orphan.
    with run_lock(warehouse, UNKNOWN):
        assert left(warehouse) == {}
    put(warehouse.with_name(f"{warehouse.name}.waiting") / UNKNOWN)
    assert left(warehouse) == {}


def test_another_warehouse_does_not_know_the_homes_runs(warehouse: Path, tmp_path: Path) -> None:
    put_run(UNKNOWN)
    other = Path(shutil.copy(warehouse, tmp_path / "other.duckdb"))
    assert left(other) == {}


def test_embeddings_go_with_the_last_run_that_uses_them(warehouse: Path) -> None:
    put_run(OLD, "a" * 64)
    put_run(NEW, "b" * 64)
    put(settings.embeddings_dir() / ("c" * 16), "shard.npz")
    put(settings.embeddings_dir() / "notes")
    unused = f"data/embeddings/{'c' * 16}"
    assert left(warehouse) == {unused: "embeddings"}
    going = left(warehouse, going=(OLD,))
    assert going == {unused: "embeddings", f"data/embeddings/{'a' * 16}": "embeddings"}
    add_run(warehouse, "20250603T000000", NOW, state=contract.RUNNING)
    with run_lock(warehouse, "20250603T000000"):
        assert left(warehouse) == {}


def test_leftovers_of_what_was_killed_and_not_of_what_is_at_work(warehouse: Path) -> None:
    models, backups = settings.models_dir("_").parent, settings.backups_dir()
    killed = [
        put(models / f".{NEW}.part-{os.getpid()}"),
        put(backups / "backup_20250101_000000.unfinished-0123abcd"),
        put(warehouse.parent / "segmenthouse.duckdb.unfinished-0123abcd"),
    ]
    (backups / f"{killed[1].name}.lock").touch()
    (warehouse.parent / f"{killed[2].name}.lock").touch()
    page = put(settings.report_dir(STUDY, NEW), f".index.html.part-{os.getpid()}")
    os.utime(page / f".index.html.part-{os.getpid()}", (0, 0))
    put(settings.report_dir(STUDY, NEW), ".index.html.part-1")
    sign = put(warehouse.with_name(f"{warehouse.name}.running"), UNKNOWN) / UNKNOWN
    with run_lock(warehouse, NEW), leftovers.unfinished_folder(backups, "backup_20250102_000000"):
        expected = {*killed[1:], page / f".index.html.part-{os.getpid()}", sign}
        assert {settings.home() / name for name in left(warehouse)} == expected
    found = left(warehouse)
    assert set(found.values()) == {"leftover"}
    assert str(killed[0].relative_to(settings.home())) in found


def test_retention_takes_all_of_a_run_and_a_restore_brings_it_back(warehouse: Path) -> None:
    for run_id in (OLD, NEW, UNKNOWN):
        put_run(run_id)
    waiting = put(warehouse.with_name(f"{warehouse.name}.waiting") / f"{OLD}.validity-00ff00ff")
    with open_warehouse(warehouse) as opened:
        wanted = Wanted(frozenset({RUNS}), keep_runs=1)
        listing = find(opened, wanted, load_rules(None), now=NOW)
        labels = [finding.label for finding in listing.going]
        assert labels == [
            f"run {OLD} of {STUDY}",
            f"data/models/{UNKNOWN}",
            f"reports/{STUDY}/{UNKNOWN}",
        ]
        paths = [finding.path for finding in listing.going if finding.path is not None]
        backup = make_backup(
            opened,
            read_relations(opened),
            settings.backups_dir(),
            NOW,
            run_ids=[OLD, *(path.name for path in paths)],
        )
        remove_folders_of_runs([OLD], warehouse)
        remove_paths(paths)
    assert not waiting.exists()
    assert [f.name for f in settings.models_dir("_").parent.iterdir()] == [NEW]
    restore_backup(warehouse, backup, Asked())
    restored = {f.name for f in settings.models_dir("_").parent.iterdir()}
    assert restored == {OLD, NEW, UNKNOWN}
    assert settings.report_dir(STUDY, UNKNOWN).is_dir()


def test_younger_ones_stay_with_older_than(warehouse: Path) -> None:
    models, report = put_run(UNKNOWN)
    os.utime(models, (time.time() - 40 * 86_400,) * 2)
    with open_warehouse(warehouse, read_only=True) as opened:
        wanted = Wanted(frozenset({RUNS}), keep_runs=9, older_than_days=30)
        listing = find(opened, wanted, load_rules(None), now=NOW)
    assert [finding.path for finding in listing.going] == [models]
    assert report in [finding.path for finding in listing.findings]


def test_the_home_is_counted_by_kind(warehouse: Path) -> None:
    put_run(OLD, "a" * 64)
    put(settings.raw_dir("shop"), "lines.csv", "1234")
    put(settings.backups_dir() / "backup_20250101_000000", "core.duckdb", "12")
    put(settings.backups_dir() / "backup_20250101_000000.unfinished-0123abcd", "core", "123")
    (settings.backups_dir() / "backup_20250101_000000.unfinished-0123abcd.lock").touch()
    counted = {
        item.kind: (item.count, item.bytes) for item in held(warehouse, settings.backups_dir())
    }
    assert counted.pop("warehouse") == (1, warehouse.stat().st_size)
    assert counted == {
        "raw files": (1, 4),
        "backups": (1, 2),
        "models of runs": (1, 2 + len(json.dumps({"fingerprint": "a" * 64}))),
        "reports of runs": (1, 2),
        "text embeddings": (1, 7),
        "leftovers of what was killed": (1, 3),
    }


def test_a_link_is_not_followed(warehouse: Path, tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / UNKNOWN)
    put_run(NEW)
    (settings.models_dir("_").parent / UNKNOWN).symlink_to(outside)
    assert left(warehouse) == {}
    assert remove_folders_of_runs([UNKNOWN], warehouse) == []
    assert (outside / "manifest.json").is_file()
