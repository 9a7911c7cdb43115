from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from maintained_warehouse import NOW, build, everything

from models_py.base.errors import WarehouseError
from models_py.database.connection import Warehouse, open_warehouse
from models_py.database.maintenance import backup as backups, bytewise, fsync, leftovers
from models_py.database.maintenance.backup import (
    core_relations,
    list_backups,
    make_backup,
    remove_backup,
    saved_relations,
    surplus_backups,
)
from models_py.database.maintenance.catalog import (
    Name,
    Relation,
    read_ownership,
    read_relations,
)
from models_py.database.maintenance.definitions import read_definitions
from models_py.database.maintenance.home import remove_folders_of_runs
from models_py.database.maintenance.manifest import (
    BY_FILE,
    BY_TABLES,
    DATABASE_NAME,
    MANIFEST_NAME,
    Backup,
    read_backup,
)
from models_py.database.maintenance.naming import load_rules
from models_py.database.maintenance.restore import Asked, restore_backup

RULES = load_rules()


@contextmanager
def opened(path: Path) -> Iterator[tuple[Warehouse, list[Relation]]]:
    with open_warehouse(path) as warehouse:
        ownership = read_ownership(warehouse, path.parent.parent / "manifest.json")
        yield warehouse, core_relations(warehouse, ownership, RULES)


def back_up(path: Path, later: float = 0.0, key: bytes | None = None) -> Backup:
    with opened(path) as (warehouse, core):
        root = path.parent / "backups"
        return make_backup(warehouse, core, root, NOW + timedelta(seconds=later), key=key)


@pytest.fixture(params=[0.0, 2.0], ids=["whole file", "table by table"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a backup is made."""
    monkeypatch.setattr(backups, "WHOLE_FILE_SHARE", request.param)
    return BY_FILE if request.param == 0.0 else BY_TABLES


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
    assert set(restored.brought_back) == set(after)
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
    assert restored.brought_back == ("silver.shop_lines",)
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
    restored = restore_backup(path, made, Asked(overwrite=True))
    assert set(restored.brought_back) == {
        "silver.shop_lines",
        "gold.shop_best",
        "bronze.shop_till_lines",
    }
    assert everything(path) == before


def test_only_a_pattern_is_restored(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    path.unlink()
    restored = restore_backup(path, made, Asked("silver.*"))
    assert set(restored.brought_back) == {"silver.shop_lines", "silver.shop_rejections"}
    with pytest.raises(WarehouseError, match=r"nothing of .* fits 'nothing'"):
        restore_backup(path, made, Asked("nothing"))


def test_a_backup_whose_content_changed_is_not_restored(tmp_path: Path) -> None:
    path = build(tmp_path)
    made = back_up(path)
    with duckdb.connect(str(made.folder / DATABASE_NAME)) as raw:
        raw.execute("update silver.shop_lines set spend = 7 where line_id = 70")
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table silver.shop_lines; drop table bronze.shop_till_lines")
    before = everything(path)
    with pytest.raises(WarehouseError, match=r"core\.duckdb was changed since"):
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
    with pytest.raises(WarehouseError, match=r"core\.duckdb was changed since") as error:
        restore_backup(path, made)
    assert "\n" not in str(error.value)
    assert everything(path) == before


def test_a_copy_that_differs_is_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build(tmp_path)

    def copy_and_change(source: Path, target: Path) -> str:
        digest = true_copy(source, target)
        content = bytearray(target.read_bytes())
        content[len(content) // 2] ^= 1
        target.write_bytes(content)
        return digest

    # The copying itself goes wrong here, as a failing disk would make it.
    true_copy = bytewise.copy_locked_file
    monkeypatch.setattr(backups, "WHOLE_FILE_SHARE", 0.0)
    monkeypatch.setattr(bytewise, "copy_locked_file", copy_and_change)
    with pytest.raises(WarehouseError, match=r"core\.duckdb was changed since"):
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
    # The first would be alive if a process id told: somebody has it again.
    dead = [
        root / f"backup_20250101_000000.partial-{os.getpid()}",
        root / "backup_20250101_000000.unfinished-0123abcd",
        root / "backup_20250101_000001.unfinished-0123abcd",
    ]
    for folder in (*dead, root / "my_notes"):
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    (root / f"{dead[1].name}.lock").touch()
    # Without a lock nobody can tell who is at it, on whatever host: it was written just now.
    unsure = root / f"backup_20250101_000003.partial-{2**22 - 1}"
    unsure.mkdir()
    (root / "backup_20250101_000004.unfinished-0123abcd.lock").touch()
    with leftovers.unfinished_folder(root, "backup_20250101_000002") as alive:
        made = back_up(path)
        assert sorted(item.name for item in root.iterdir()) == sorted(
            [
                *(alive.name, f"{alive.name}.lock", f"{alive.name}.lock.pid"),
                "my_notes",
                unsure.name,
                made.folder.name,
            ]
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
    with pytest.raises(WarehouseError, match="no finished backup"):
        read_backup(unfinished)
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


def test_what_only_looks_temporary_is_saved_when_it_goes(tmp_path: Path) -> None:
    path = build(tmp_path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("create table silver.room_temp as select 21.5 as degrees")
        raw.execute("create table silver.events_20250131 as select 1 as event")
        raw.execute("create view gold.mine as select * from silver.events_20250131")
    going = [Name("silver", "room_temp"), Name("silver", "tmp_lines"), Name("gold", "shop_temp")]
    with open_warehouse(path) as warehouse:
        ownership = read_ownership(warehouse, tmp_path / "manifest.json")
        kept = {relation.name for relation in saved_relations(warehouse, ownership, RULES)}
        saved = saved_relations(warehouse, ownership, RULES, ["silver"], going)
    assert {Name("gold", "forgotten"), Name("gold", "shop_customers")} <= kept
    # A view that stays needs what it reads, whatever that is called.
    assert Name("silver", "events_20250131") in kept
    assert not kept & {*going, Name("main", "customers_old")}
    assert set(going) <= {relation.name for relation in saved}


def test_a_dropped_table_comes_back_with_its_view(tmp_path: Path, method: str) -> None:
    path = build(tmp_path)
    before = everything(path)
    with open_warehouse(path) as warehouse:
        made = make_backup(warehouse, read_relations(warehouse), path.parent / "backups", NOW)
        warehouse.rows("drop view gold.shop_temp")
        warehouse.rows("drop table silver.tmp_lines")
        warehouse.rows("drop table bronze.shop_till_lines")
    restore_backup(path, made, Asked("*tmp_lines"))
    assert before.keys() - everything(path).keys() == {"gold.shop_temp", "bronze.shop_till_lines"}
    restore_backup(path, made, Asked("gold.shop_temp"))
    restore_backup(path, made, Asked("bronze.*"))
    assert everything(path) == before


def test_a_key_proves_who_made_a_backup(tmp_path: Path) -> None:
    path, key = build(tmp_path), b"a secret of some length"
    made = back_up(path, key=key)
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table silver.shop_lines")
    for wrong in (None, b"another secret of a length"):
        with pytest.raises(WarehouseError, match="key"):
            restore_backup(path, made, Asked(key=wrong))
    assert restore_backup(path, made, Asked(key=key)).brought_back == ("silver.shop_lines",)
    plain = back_up(path, later=1)
    with pytest.raises(WarehouseError, match="without a key"):
        restore_backup(path, plain, Asked(key=key))


def written_anew(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest and give it a fitting checksum, as somebody who knows the format can."""
    file = folder / MANIFEST_NAME
    content = json.loads(file.read_text())
    change(content)
    signed = {name: part for name, part in content.items() if name not in ("checksum", "hmac")}
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"))
    content["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(content))


def defined(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(made for made in content["definitions"] if made["name"] == name)


BODIES = [
    ("shop_best", "select 1; drop table gold.template"),
    ("shop_best", "select 1 as x; attach '/tmp/stolen.duckdb'"),
    ("shop_best", "insert into gold.template values (2) returning 1"),
    ("shop_best", "select * from read_text('/etc/passwd')"),
    ("shop_best", ""),
    ("shop_lines", "a int) as (select 1 as a); create table gold.more (b int"),
    ("shop_lines", "a int) as (select * from read_text('/etc/passwd')"),
    ("shop_lines", "a int); copy gold.template to '/tmp/stolen.csv'; create table x (b int"),
    ("shop_lines", "a int default (1)) -- , b int"),
    ("shop_lines", "a int /* ) */, b int"),
    ("shop_lines", "a varchar default e'\\'), b int"),
    ("shop_lines", "a varchar default $$), b int$$"),
    ("visits_index", "(visits); drop table gold.template"),
    ("visits_index", "(visits) with (x = 1)"),
    ("twice_of", "(a) as (a * 2); drop table gold.template"),
    ("twice_of", "(a) as (a * 2), (a, b) as (1)) ; select (1"),
    ("label", "ENUM (select 'a')"),
    ("label", "enum/**/(select 'a')"),
    ("numbers", "INCREMENT BY 1; drop table gold.template"),
]


@pytest.mark.parametrize(("name", "body"), BODIES)
def test_a_definition_that_does_more_is_refused(
    crafted: tuple[Path, Backup], tmp_path: Path, name: str, body: str
) -> None:
    path, made = copied(crafted, tmp_path)
    written_anew(made.folder, lambda content: defined(content, name).update(body=body))
    before = everything(path)
    with pytest.raises(WarehouseError):
        restore_backup(path, read_backup(made.folder))
    assert everything(path) == before


@pytest.fixture(scope="module")
def crafted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backup]:
    """A warehouse that lacks some of its backup."""
    path = build(tmp_path_factory.mktemp("crafted"))
    with duckdb.connect(str(path)) as raw:
        raw.execute("create type gold.label as enum ('a'); create sequence gold.numbers")
        raw.execute("create macro gold.twice_of(a) as a * 2")
    made = back_up(path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table silver.shop_lines; drop type gold.label")
        raw.execute("drop view gold.shop_very_best; drop view gold.shop_best")
        raw.execute("drop macro gold.twice_of; drop sequence gold.numbers")
    return path, made


def copied(crafted: tuple[Path, Backup], folder: Path) -> tuple[Path, Backup]:
    path, made = crafted
    shutil.copytree(made.folder, folder / made.folder.name)
    shutil.copyfile(path, folder / path.name)
    return folder / path.name, dataclasses.replace(made, folder=folder / made.folder.name)


@pytest.mark.parametrize(
    "part",
    [
        "../outside",
        "/etc/passwd",
        "files/data/models/../../../outside",
        "files/other/x/y",
        "files\\data\\models\\r\\x",
        "core.duckdb/../x",
        "",
    ],
)
def test_a_part_that_leads_elsewhere_is_refused(
    crafted: tuple[Path, Backup], tmp_path: Path, part: str
) -> None:
    _, made = copied(crafted, tmp_path)
    written_anew(made.folder, lambda content: content["parts"].append([part, 1, "0" * 64]))
    with pytest.raises(WarehouseError, match="leads elsewhere"):
        read_backup(made.folder)


def test_an_added_file_and_a_link_are_refused(crafted: tuple[Path, Backup], tmp_path: Path) -> None:
    path, made = copied(crafted, tmp_path)
    (made.folder / "more").write_text("x")
    with pytest.raises(WarehouseError, match="does not know"):
        restore_backup(path, made)
    (made.folder / "more").unlink()
    (made.folder / "more").symlink_to("/etc/passwd")
    with pytest.raises(WarehouseError, match="link"):
        restore_backup(path, made)
    (made.folder / "more").unlink()
    (made.folder / DATABASE_NAME).rename(tmp_path / "moved")
    with pytest.raises(WarehouseError, match=r"lacks its core\.duckdb"):
        restore_backup(path, made)
    (made.folder / DATABASE_NAME).symlink_to(tmp_path / "moved")
    with pytest.raises(WarehouseError, match="link"):
        restore_backup(path, made)


def edited(content: Any, random_: random.Random) -> Any:
    """Change, drop or add one thing somewhere in a manifest."""
    if isinstance(content, dict) and content and random_.random() < 0.9:
        key = random_.choice(sorted(content))
        return {**content, key: edited(content[key], random_)}
    if isinstance(content, list) and content and random_.random() < 0.8:
        at = random_.randrange(len(content))
        return [*content[:at], edited(content[at], random_), *content[at + 1 :]]
    return random_.choice(
        [None, "", "x", "../x", -1, 10**30, [], {}, True, "drop table gold.template", content, 0.5]
    )


def test_no_edit_of_a_backup_has_an_effect(crafted: tuple[Path, Backup], tmp_path: Path) -> None:
    path, made = copied(crafted, tmp_path)
    manifest, database = made.folder / MANIFEST_NAME, made.folder / DATABASE_NAME
    text, content = manifest.read_text(), database.read_bytes()
    before, random_ = path.read_bytes(), random.Random(0)
    refused = 0
    for number in range(500):
        if number % 5 < 3:
            changed = json.dumps(edited(json.loads(text), random_))
            if json.loads(changed) == json.loads(text):
                continue
            manifest.write_text(changed)
        elif number % 5 == 3:
            at = random_.randrange(len(text))
            manifest.write_text(text[:at] + random_.choice('x0"{},') + text[at + 1 :])
            if manifest.read_text() == text:
                continue
        else:
            at = random_.randrange(len(content))
            database.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(WarehouseError):
            restore_backup(path, read_backup(made.folder))
        refused += 1
        manifest.write_text(text)
        database.write_bytes(content)
        assert path.read_bytes() == before
    assert refused > 450
    assert len(restore_backup(path, read_backup(made.folder)).brought_back) == 6


def test_a_backup_that_looks_at_a_file_asks_first(tmp_path: Path) -> None:
    path, outside = build(tmp_path), tmp_path / "prices.csv"
    outside.write_text("price\n1\n")
    with duckdb.connect(str(path)) as raw:
        raw.execute(f"create view gold.prices as select * from read_csv('{outside}')")
    with open_warehouse(path) as warehouse:
        made = make_backup(warehouse, read_relations(warehouse), tmp_path / "backups", NOW)
        warehouse.rows("drop view gold.prices")
    with pytest.raises(WarehouseError, match="--allow-files"):
        restore_backup(path, made)
    restored = restore_backup(path, made, Asked(reads_files=True))
    assert restored.brought_back == ("gold.prices",)


def test_a_view_without_its_table_is_named_and_no_hindrance(tmp_path: Path) -> None:
    path = build(tmp_path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("drop table gold.template; create table gold.template as select 1 as a")
        raw.execute("create view gold.broken as select * from main.customers_old")
        raw.execute("drop table main.customers_old")
    with open_warehouse(path) as warehouse:
        made = make_backup(warehouse, read_relations(warehouse), tmp_path / "backups", NOW)
    assert [what.split(":")[0] for what in made.left_out] == ["view gold.broken"]


def test_a_run_comes_back_with_its_models(home: Path) -> None:
    path = build(home, runs=3)
    run_id = "20250501T000000"
    folders = [home / "data" / "models" / run_id, home / "reports" / "shop_customers" / run_id]
    for folder in folders:
        (folder / "deeper").mkdir(parents=True)
        (folder / "deeper" / "file.npy").write_bytes(b"model")
    before = everything(path)
    with open_warehouse(path) as warehouse:
        made = make_backup(
            warehouse, read_relations(warehouse), home / "data" / "backups", NOW, run_ids=[run_id]
        )
        for table in ("runs", "segments", "assignments"):
            warehouse.rows(f"delete from results.{table} where run_id = ?", [run_id])
    remove_folders_of_runs([run_id])
    assert not any(folder.exists() for folder in folders)
    assert everything(path) != before
    restored = restore_backup(path, made, Asked(run_id))
    assert restored.brought_back == (f"run {run_id}",)
    assert everything(path) == before
    assert all((folder / "deeper" / "file.npy").read_bytes() == b"model" for folder in folders)
    assert restore_backup(path, made, Asked(run_id)).same == (f"run {run_id}",)


def test_rows_that_point_to_each_other_come_back(tmp_path: Path) -> None:
    path = build(tmp_path)
    with duckdb.connect(str(path)) as raw:
        raw.execute(
            "create table gold.staff (id int primary key, boss int references gold.staff (id))"
        )
        for person, boss in ((9, None), (8, 9), (7, 8), (6, 9)):
            raw.execute("insert into gold.staff values (?, ?)", [person, boss])
    before = everything(path)
    with open_warehouse(path) as warehouse:
        made = make_backup(warehouse, read_relations(warehouse), tmp_path / "backups", NOW)
    path.unlink()
    restore_backup(path, made)
    assert everything(path)["gold.staff"] == before["gold.staff"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup by a copy of the whole file, which has more than the backup holds."""
    path = build(tmp_path_factory.mktemp("whole"))
    with duckdb.connect(str(path)) as raw:
        raw.execute("create macro gold.twice_of(a) as a * 2")
        raw.execute("comment on macro gold.twice_of is 'two'")
        raw.execute("create table silver.tmp_keys (id int primary key)")
        raw.execute("create table silver.tmp_child (id int references silver.tmp_keys (id))")
    with pytest.MonkeyPatch.context() as patch, opened(path) as (warehouse, core):
        patch.setattr(backups, "WHOLE_FILE_SHARE", 0.0)
        return make_backup(warehouse, core, path.parent / "backups", NOW)


def taken_along(whole: Backup, folder: Path) -> Backup:
    shutil.copytree(whole.folder, folder / whole.folder.name)
    return dataclasses.replace(whole, folder=folder / whole.folder.name)


def test_a_whole_copy_brings_back_what_the_backup_holds_and_no_more(
    whole: Backup, tmp_path: Path
) -> None:
    assert whole.method == BY_FILE
    path = tmp_path / f"{whole.database}.duckdb"
    restored = restore_backup(path, whole)
    with open_warehouse(path) as warehouse:
        there = {relation.name for relation in read_relations(warehouse)}
        assert there == {*whole.tables, *whole.views}
        assert warehouse.rows("select gold.twice_of(3)") == [(6,)]
    assert {str(name) for name in there} <= set(restored.brought_back)
    assert restored.rows == whole.rows
    # Under another name views are written anew, so the tables are copied one by one.
    other = tmp_path / "other.duckdb"
    assert set(restore_backup(other, whole).brought_back) == set(restored.brought_back)
    assert everything(other) == everything(path)


CRAFTED = {
    "create or replace view gold.shop_best as select 1 as customer_id, 2 as visits": "shop_best",
    "drop index gold.visits_index;"
    " create index visits_index on gold.shop_customers (customer_id)": "visits_index",
    "alter table gold.template alter a set default 7": "template",
    "drop table gold.template; create view gold.template as select 1 as a": "template",
    "delete from silver.shop_lines where line_id = 70": "shop_lines",
    "alter table gold.template add column b int": "template",
}


def signed_anew(made: Backup, sql: str) -> None:
    """Change the copied file, and the manifest so that its checksums fit."""
    file = made.folder / DATABASE_NAME
    with duckdb.connect(str(file)) as raw:
        raw.execute(sql)
    size, digest = file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()
    written_anew(made.folder, lambda content: content.update(parts=[[DATABASE_NAME, size, digest]]))


@pytest.mark.parametrize("sql", CRAFTED)
def test_a_whole_copy_that_is_not_what_the_manifest_says_is_refused(
    whole: Backup, tmp_path: Path, sql: str
) -> None:
    made = taken_along(whole, tmp_path)
    signed_anew(made, sql)
    path = tmp_path / f"{whole.database}.duckdb"
    with pytest.raises(WarehouseError, match=CRAFTED[sql]):
        restore_backup(path, read_backup(made.folder))
    assert not path.exists()


def test_what_a_whole_copy_has_beside_the_manifest_is_left_behind(
    whole: Backup, tmp_path: Path
) -> None:
    made = taken_along(whole, tmp_path)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    signed_anew(
        made,
        f"create view gold.reads as from read_csv('{tmp_path / 'secret.csv'}');"
        " create or replace macro gold.twice_of(a) as a * 3;"
        " create macro gold.further(a) as table select a;"
        " create schema more; create type more.kind as enum ('x'); create sequence more.numbers;"
        " create table more.t (k more.kind, n bigint default nextval('more.numbers'))",
    )
    path = tmp_path / f"{whole.database}.duckdb"
    restore_backup(path, read_backup(made.folder))
    with open_warehouse(path) as warehouse:
        assert {r.name for r in read_relations(warehouse)} == {*whole.tables, *whole.views}
        assert warehouse.rows("select gold.twice_of(3)") == [(6,)]
        made_now = {made.key for made in read_definitions(warehouse).values()}
    assert made_now == {definition.key for definition in whole.definitions}


def test_no_edit_of_a_whole_copy_makes_a_file(whole: Backup, tmp_path: Path) -> None:
    made = taken_along(whole, tmp_path)
    path = tmp_path / "new" / f"{whole.database}.duckdb"
    manifest, database = made.folder / MANIFEST_NAME, made.folder / DATABASE_NAME
    text, content, random_ = manifest.read_text(), database.read_bytes(), random.Random(1)
    for number in range(150):
        if number % 3 == 0:
            at = random_.randrange(len(content))
            database.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        elif number % 3 == 1:
            database.write_bytes(content[: random_.randrange(len(content))])
        else:
            changed = edited(json.loads(text), random_)
            if changed == json.loads(text):
                continue
            manifest.write_text(json.dumps(changed))
        with pytest.raises(WarehouseError):
            restore_backup(path, read_backup(made.folder))
        manifest.write_text(text)
        database.write_bytes(content)
        assert not path.exists()
    assert list(path.parent.iterdir()) == []
