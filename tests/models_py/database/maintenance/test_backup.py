from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from maintained_warehouse import NOW, build, everything

from models_py.base.errors import WarehouseError
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.maintenance import backup as backups, fsync
from models_py.database.maintenance.backup import (
    DATABASE_NAME,
    MANIFEST_NAME,
    Backup,
    core_relations,
    list_backups,
    make_backup,
    read_backup,
    remove_backup,
    restore_backup,
    surplus_backups,
)
from models_py.database.maintenance.catalog import Name, Relation, read_ownership
from models_py.database.maintenance.naming import load_rules

RULES = load_rules()


@contextmanager
def opened(path: Path) -> Iterator[tuple[Warehouse, list[Relation]]]:
    with open_warehouse(path) as warehouse:
        ownership = read_ownership(warehouse, path.parent.parent / "manifest.json")
        yield warehouse, core_relations(warehouse, ownership, RULES)


def back_up(path: Path, later: float = 0.0) -> Backup:
    with opened(path) as (warehouse, core):
        return make_backup(warehouse, core, path.parent / "backups", NOW + timedelta(seconds=later))


@pytest.fixture(params=[0.0, 2.0], ids=["whole file", "table by table"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a backup is made."""
    monkeypatch.setattr(backups, "WHOLE_FILE_SHARE", request.param)
    return backups.BY_FILE if request.param == 0.0 else backups.BY_TABLES


def test_core_is_what_somebody_owns(tmp_path: Path) -> None:
    with opened(build(tmp_path, runs=1)) as (_, core):
        names = {str(relation.name) for relation in core}
    assert {"bronze.shop_till_lines", "gold.shop_customers", "gold.shop_very_best"} <= names
    assert {"gold.temp_scores", "results.runs", "results.shop_customers_latest"} <= names
    assert not names & {"silver.tmp_lines", "main.customers_old", "gold.forgotten"}


def test_without_a_manifest_core_is_what_has_no_temporary_name(tmp_path: Path, home: Path) -> None:
    path = build(tmp_path)
    with open_warehouse(path, read_only=True) as warehouse:
        ownership = read_ownership(warehouse, None)
        ownership = type(ownership)(ownership.owners, has_manifest=False, keys={})
        names = {
            str(relation.name)
            for relation in core_relations(warehouse, ownership, RULES, ["BRONZE"])
        }
    assert "gold.forgotten" in names
    assert not names & {"silver.tmp_lines", "bronze.shop_till_lines", "gold.temp_scores"}


def test_a_backup_restores_into_a_new_file_value_by_value(tmp_path: Path, method: str) -> None:
    path = build(tmp_path, runs=2)
    before = everything(path)
    made = back_up(path)
    assert made.method == method
    assert read_backup(made.folder) == made
    path.unlink()
    restored = restore_backup(path, made)
    after = everything(path)
    assert {str(name) for name in restored.brought_back} == set(after)
    assert after == {name: before[name] for name in after}
    with duckdb.connect(str(path)) as raw:
        assert raw.execute("select count(*) from gold.shop_very_best").fetchone() == (52,)
        assert raw.execute("select index_name from duckdb_indexes()").fetchall() == [
            ("visits_index",)
        ]
        assert raw.execute(
            "select comment from duckdb_tables() where table_name = 'shop_customers'"
        ).fetchone() == ("One row per customer; it's the core",)


def test_the_log_of_a_lost_file_is_not_played_into_a_restored_one(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    path.unlink()
    path.with_name(path.name + ".wal").write_bytes(b"what the lost file had not folded in")
    with pytest.raises(WarehouseError, match="move it away too"):
        restore_backup(path, made)
    assert not path.exists()


def test_only_what_is_missing_comes_back(tmp_path: Path, method: str) -> None:
    path = build(tmp_path)
    made = back_up(path)
    before = everything(path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table silver.shop_lines")
    restored = restore_backup(path, made)
    assert restored.brought_back == (Name("silver", "shop_lines"),)
    assert len(restored.same) == len(made.tables) + len(made.views) - 1
    assert everything(path) == before


def test_a_restore_does_not_overwrite_unless_told(tmp_path: Path, method: str) -> None:
    path = build(tmp_path)
    made = back_up(path)
    before = everything(path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("update silver.shop_lines set spend = 0 where line_id = 70")
        raw.execute("create or replace view gold.shop_best as select 1 as customer_id, 2 as visits")
        raw.execute("drop table bronze.shop_till_lines")
    changed = everything(path)
    with pytest.raises(WarehouseError, match="--overwrite") as error:
        restore_backup(path, made)
    assert "silver.shop_lines" in str(error.value)
    assert everything(path) == changed
    restored = restore_backup(path, made, overwrite=True)
    assert set(restored.brought_back) == {
        Name("silver", "shop_lines"),
        Name("gold", "shop_best"),
        Name("bronze", "shop_till_lines"),
    }
    assert everything(path) == before


def test_only_a_pattern_is_restored(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    path.unlink()
    restored = restore_backup(path, made, only="silver.*")
    assert {name.schema for name in restored.brought_back} == {"silver"}
    with pytest.raises(WarehouseError, match=r"no table of .* fits 'nothing'"):
        restore_backup(path, made, only="nothing")


def test_a_backup_whose_content_changed_is_not_restored(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    with duckdb.connect(str(made.folder / DATABASE_NAME)) as raw:
        raw.execute("update silver.shop_lines set spend = 7 where line_id = 70")
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table silver.shop_lines; drop table bronze.shop_till_lines")
    before = everything(path)
    with pytest.raises(
        WarehouseError, match=r"is not what its manifest says \(silver.shop_lines has other values"
    ):
        restore_backup(path, made)
    assert everything(path) == before


def test_damaged_bytes_of_a_backup_are_noticed(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    file = made.folder / DATABASE_NAME
    content = bytearray(file.read_bytes())
    for at in range(12288 + 64, len(content), 50_000):
        content[at] ^= 0xFF
    file.write_bytes(content)
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table bronze.shop_till_lines")
    before = everything(path)
    with pytest.raises(WarehouseError, match=r"core\.duckdb is damaged") as error:
        restore_backup(path, made)
    assert "\n" not in str(error.value)
    assert everything(path) == before


def test_a_copy_that_differs_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build(tmp_path)

    def copy_and_change(source: Path, target: Path) -> None:
        shutil.copyfile(path, target)
        with duckdb.connect(str(target)) as raw:
            raw.execute("delete from silver.shop_lines where line_id = 70")

    # The copying itself goes wrong here, as a failing disk would make it.
    monkeypatch.setattr(backups, "WHOLE_FILE_SHARE", 0.0)
    monkeypatch.setattr(fsync, "copy_locked_file", copy_and_change)
    with pytest.raises(WarehouseError, match=r"silver.shop_lines has .* rows instead of"):
        back_up(path)
    assert list((tmp_path / "data" / "backups").iterdir()) == []


def test_two_backups_of_one_second_have_two_folders(tmp_path: Path) -> None:
    path = build(tmp_path)
    first, second = back_up(path), back_up(path)
    assert first.folder.name == "backup_20250601_120000"
    assert second.folder.name == "backup_20250601_120000_2"
    assert [backup.folder for backup in list_backups(path.parent / "backups")] == [
        first.folder,
        second.folder,
    ]


def test_retention_keeps_the_newest_and_the_one_made_now(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = [back_up(path, later) for later in (0, 1, 2, 3)]
    root = path.parent / "backups"
    assert surplus_backups(root, 2) == made[:2]
    assert surplus_backups(root, 2, made_now=made[0].folder) == made[1:2]
    for surplus_backup in surplus_backups(root, 1):
        remove_backup(surplus_backup)
    assert list_backups(root) == made[3:]
    assert [item.name for item in root.iterdir()] == [made[3].folder.name]


def test_leftovers_of_killed_backups_go_with_the_next(tmp_path: Path) -> None:
    path = build(tmp_path)
    root = path.parent / "backups"
    dead = root / "backup_20250101_000000.partial-999999999"
    alive = root / "backup_20250101_000000.partial-1"
    other = root / "my_notes"
    for folder in (dead, alive, other):
        folder.mkdir(parents=True)
    made = back_up(path)
    assert sorted(item.name for item in root.iterdir()) == sorted(
        [alive.name, other.name, made.folder.name]
    )


def test_too_little_space_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build(tmp_path)
    monkeypatch.setattr(fsync, "SPARE_BYTES", 2**60)
    with pytest.raises(WarehouseError, match=r"the backup needs .* free some space"):
        back_up(path)
    assert list((tmp_path / "data" / "backups").iterdir()) == []


def test_an_unfinished_folder_is_no_backup(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    unfinished = made.folder.with_name("backup_20250602_000000")
    unfinished.mkdir()
    with pytest.raises(WarehouseError, match="no finished backup") as error:
        read_backup(unfinished)
    assert made.folder.name in str(error.value)
    (made.folder / MANIFEST_NAME).write_text("{")
    with pytest.raises(WarehouseError, match="is damaged"):
        read_backup(made.folder)
    assert list_backups(made.folder.parent) == []


def test_a_backup_of_another_format_is_refused(tmp_path: Path) -> None:
    made = back_up(build(tmp_path))
    file = made.folder / MANIFEST_NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(WarehouseError, match="backup format 99"):
        read_backup(made.folder)


def test_sequences_and_enumerations_come_along(tmp_path: Path, method: str) -> None:
    path = tmp_path / "data" / "w.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as raw:
        raw.execute("create schema gold; create sequence gold.numbers")
        raw.execute(
            "create table gold.t (a bigint default nextval('gold.numbers'), m enum('x', 'y'),"
            " s struct(a int, b varchar[]), h hugeint, i interval)"
        )
        raw.execute(
            "insert into gold.t (m, s, h, i) values"
            " ('x', {a: 1, b: ['p', null]}, 170141183460469231731687303715884105727,"
            " interval 3 months), (null, null, null, null)"
        )
    before = everything(path)
    with open_warehouse(path) as warehouse:
        core = [Relation(Name("gold", "t"), "table")]
        made = make_backup(warehouse, core, tmp_path / "backups", NOW)
    path.unlink()
    restore_backup(path, made)
    assert everything(path) == before
    with duckdb.connect(str(path)) as raw:
        assert raw.execute("insert into gold.t (m) values ('y') returning a").fetchone() == (3,)
