from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from maintained_warehouse import (
    LISTED,
    MODELS,
    NOW,
    STUDY,
    add_run,
    build,
    everything,
    write_manifest,
)

from models_py.base.errors import UsageError, WarehouseError
from models_py.database import contract
from models_py.database.connection import Warehouse, open_warehouse, quoted
from models_py.database.maintenance import cleanup
from models_py.database.maintenance.backup import core_relations, make_backup
from models_py.database.maintenance.catalog import Name, read_relations
from models_py.database.maintenance.cleanup import Finding, Listing, Wanted, drop_listed, find
from models_py.database.maintenance.naming import NamingRules, load_rules

RULES = load_rules()
EVERY_NAME = Wanted(classes=frozenset({"temp", "backup", "orphan"}))


def list_all(path: Path, wanted: Wanted | None = None, rules: NamingRules = RULES) -> Listing:
    home = path.parent.parent
    with open_warehouse(path, read_only=True) as warehouse:
        return find(
            warehouse,
            wanted or Wanted(),
            rules,
            now=NOW,
            manifest=home / "manifest.json",
            backups=home / "data" / "backups",
        )


def drop(path: Path, wanted: Wanted | None = None) -> tuple[Finding, ...]:
    home = path.parent.parent
    with open_warehouse(path) as warehouse:
        listing = find(
            warehouse, wanted or Wanted(), RULES, now=NOW, manifest=home / "manifest.json"
        )
        core = core_relations(warehouse, listing.ownership, RULES)
        return drop_listed(warehouse, listing, core)


def by_label(listing: Listing) -> dict[str, Finding]:
    return {finding.label: finding for finding in listing.findings}


def test_what_is_listed_and_why(tmp_path: Path) -> None:
    listing = list_all(build(tmp_path))
    result = by_label(listing)
    assert set(result) == LISTED
    assert all(candidate.goes for candidate in result.values())
    assert [str(name) for name, _ in listing.protected] == ["gold.temp_scores"]
    assert listing.orphans_left == 1
    tmp_lines = result["silver.tmp_lines"]
    assert tmp_lines.rows == 3000
    assert tmp_lines.bytes is not None
    assert tmp_lines.read_by == ("view gold.shop_temp",)
    assert tmp_lines.age_days is None
    assert result["gold.shop_temp"].rows is None
    dated = result["silver.lines_backup_20250131_120000"]
    assert dated.age_days == pytest.approx(121.5)
    assert dated.age_from == "the date in its name"


def test_listing_changes_nothing(tmp_path: Path) -> None:
    path = build(tmp_path)
    before, content = everything(path), path.read_bytes()
    list_all(path, EVERY_NAME)
    assert everything(path) == before
    assert path.read_bytes() == content


def test_orphans_are_a_class_of_their_own(tmp_path: Path) -> None:
    path = build(tmp_path)
    listing = list_all(path, Wanted(classes=frozenset({"orphan"})))
    assert set(by_label(listing)) == {"gold.forgotten"}
    assert listing.orphans_left == 0


def test_a_model_that_is_switched_off_makes_no_orphan(tmp_path: Path) -> None:
    path = build(tmp_path)
    off = {
        "resource_type": "model",
        "schema": "gold",
        "name": "forgotten",
        "alias": "forgotten",
        "config": {"materialized": "table"},
    }
    write_manifest(tmp_path / "manifest.json", MODELS, disabled={"model.shop.forgotten": [off]})
    assert list_all(path, EVERY_NAME).orphans_left == 0
    assert "gold.forgotten" not in by_label(list_all(path, EVERY_NAME))


def test_the_protection_list_protects(tmp_path: Path) -> None:
    path = build(tmp_path)
    rules = replace(RULES, protected=("silver.*", "main.customers_old"))
    result = by_label(list_all(path, EVERY_NAME, rules))
    assert set(result) == {"gold.shop_customers__dbt_tmp", "gold.shop_temp", "gold.forgotten"}


def test_a_table_that_a_staying_view_reads_stays(tmp_path: Path) -> None:
    path = build(tmp_path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("create view gold.report as select * from gold.shop_temp")
    result = by_label(list_all(path))
    assert result["gold.shop_temp"].kept_because == "view gold.report reads it"
    assert result["silver.tmp_lines"].kept_because == "view gold.shop_temp reads it"
    gone = {item.label for item in drop(path)}
    assert gone == LISTED - {"gold.shop_temp", "silver.tmp_lines"}
    with open_warehouse(path, read_only=True) as warehouse:
        assert warehouse.rows("select count(*) from gold.report") == [(3000,)]


def test_a_pattern_that_leaves_the_view_out_keeps_the_table(tmp_path: Path) -> None:
    result = by_label(list_all(build(tmp_path), Wanted(only="silver.*")))
    assert set(result) == {"silver.tmp_lines", "silver.lines_backup_20250131_120000"}
    assert result["silver.tmp_lines"].kept_because == "view gold.shop_temp reads it"


def test_a_broken_view_that_names_a_table_keeps_it(tmp_path: Path) -> None:
    path = build(tmp_path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("create table a as select 1 as x")
        raw.execute("create view gold.broken as select * from main.customers_old, a")
        raw.execute("drop table a")
    result = by_label(list_all(path))
    assert result["main.customers_old"].kept_because == "view gold.broken reads it"


def test_older_than_leaves_the_young_and_the_unknown(tmp_path: Path) -> None:
    path = build(tmp_path)
    result = by_label(list_all(path, Wanted(older_than_days=30)))
    dated = "silver.lines_backup_20250131_120000"
    assert result[dated].goes
    assert {item.kept_because for label, item in result.items() if label != dated} == {
        "its age is not known"
    }
    young = by_label(list_all(path, Wanted(older_than_days=200)))
    assert young[dated].kept_because == "not older than 200 days"


def test_backups_tell_since_when_a_table_is_there(tmp_path: Path) -> None:
    path = build(tmp_path)
    root = path.parent / "backups"
    for days in (50, 20):
        with open_warehouse(path) as warehouse:
            listing = find(warehouse, Wanted(), RULES, now=NOW, manifest=tmp_path / "manifest.json")
            core = core_relations(warehouse, listing.ownership, RULES)
            make_backup(warehouse, core, root, NOW - timedelta(days=days))
            warehouse.rows("insert into main.customers_old values (2)")
    result = by_label(list_all(path))
    assert result["silver.tmp_lines"].age_days == pytest.approx(50)
    assert result["silver.tmp_lines"].age_from == "seen by the backup of 2025-04-12"
    assert result["main.customers_old"].age_days == pytest.approx(20)
    assert result["gold.shop_temp"].age_days is None


def test_drops_what_is_listed_and_nothing_else(tmp_path: Path) -> None:
    path = build(tmp_path, runs=1)
    before = everything(path)
    gone = drop(path)
    assert {relation.label for relation in gone} == LISTED
    assert everything(path) == {name: rows for name, rows in before.items() if name not in LISTED}


def test_tables_that_refer_to_each_other_go_in_order(tmp_path: Path) -> None:
    path = build(tmp_path)
    with duckdb.connect(str(path)) as raw:
        raw.execute("create table main.a_tmp(x int primary key)")
        raw.execute("create table main.b_tmp(x int primary key references main.a_tmp(x))")
        raw.execute("create table main.c_tmp(x int references main.b_tmp(x))")
    gone = {item.label for item in drop(path, Wanted(only="main.?_tmp"))}
    assert gone == {"main.a_tmp", "main.b_tmp", "main.c_tmp"}


@contextmanager
def a_drop_that_takes_too_much(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    order = cleanup._drop_order
    extra = Finding("temp", "table", "silver.shop_lines", "", Name("silver", "shop_lines"))
    with monkeypatch.context() as patched:
        patched.setattr(cleanup, "_drop_order", lambda *given: [*order(*given), extra])
        yield


def test_a_proof_that_fails_rolls_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = build(tmp_path)
    before = everything(path)
    with (
        a_drop_that_takes_too_much(monkeypatch),
        pytest.raises(WarehouseError, match=r"nothing was dropped.*shop_lines is missing"),
    ):
        drop(path)
    assert everything(path) == before


def runs_listed(path: Path, **asked: object) -> set[str]:
    wanted = Wanted(classes=frozenset({"runs"}), **asked)  # type: ignore[arg-type]
    return {str(finding.run_id) for finding in list_all(path, wanted).going}


def test_runs_beyond_the_newest_are_listed(tmp_path: Path) -> None:
    path = build(tmp_path, runs=4)
    assert runs_listed(path, keep_runs=2) == {"20250501T000000", "20250502T000000"}
    assert runs_listed(path, keep_runs=9) == set()
    assert runs_listed(path, older_than_days=25) == {"20250501T000000", "20250502T000000"}
    assert runs_listed(path, keep_runs=3, older_than_days=5) == {"20250501T000000"}
    assert runs_listed(path, keep_runs=1, only="other*") == set()
    assert len(runs_listed(path, keep_runs=1, only=STUDY)) == 3


def test_the_latest_run_of_a_study_never_goes(tmp_path: Path) -> None:
    path = build(tmp_path, runs=2)
    add_run(path, "20250401T000000", NOW - timedelta(days=400), study="another")
    add_run(path, "20250402T000000", NOW - timedelta(days=399), "another", contract.FAILED)
    add_run(path, "20250601T000000", NOW - timedelta(days=500), "third", contract.RUNNING)
    assert runs_listed(path, older_than_days=0) == {"20250501T000000", "20250402T000000"}


def test_a_run_of_a_wrong_clock_is_kept_by_its_place(tmp_path: Path) -> None:
    path = build(tmp_path, runs=1)
    add_run(path, "20990101T000000", NOW + timedelta(days=27_000))
    add_run(path, "19990101T000000", NOW - timedelta(days=9_000))
    assert runs_listed(path, keep_runs=1) == {"20250501T000000", "20990101T000000"}


def test_dropping_runs_leaves_the_others_and_the_registry(tmp_path: Path) -> None:
    path = build(tmp_path, runs=3)
    wanted = Wanted(classes=frozenset({"runs"}), keep_runs=1)
    drop(path, wanted)
    with open_warehouse(path, read_only=True) as warehouse:
        assert warehouse.rows("select run_id from results.runs") == [("20250503T000000",)]
        assert warehouse.rows("select distinct run_id from results.assignments") == [
            ("20250503T000000",)
        ]
        assert warehouse.rows("select count(*) from results.segment_registry") == [(3,)]
        assert warehouse.rows(f"select count(*) from results.{STUDY}_latest") == [(60,)]
    assert runs_listed(path, keep_runs=1) == set()


def test_runs_need_a_retention() -> None:
    with pytest.raises(UsageError, match="--keep-runs N"):
        Wanted(classes=frozenset({"runs"}))
    with pytest.raises(UsageError, match="1 or more"):
        Wanted(keep_runs=0)


KEYWORDS = ["select", "table", "drop", "from", "order", "group", "user", "null", "and", "at"]
NASTY = ['"', "'", ";", "--", "/*", "*/", "%", "?", "$1", "{", "}", "\\", ".", ",", "(", " ", "\n"]
pieces = st.one_of(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6),
    st.sampled_from([*KEYWORDS, *NASTY, "tmp", "temp", "old", "bak", "backup", "20250131", "_"]),
    st.sampled_from(["template", "temperature", "2020s", "gold", "customers"]),
)
table_names = st.one_of(
    st.lists(pieces, min_size=1, max_size=5).map("".join),
    st.lists(pieces, min_size=1, max_size=4).map("_".join),
    st.lists(pieces, max_size=3).map(lambda some: "tmp_" + "".join(some)),
    st.lists(pieces, max_size=3).map(lambda some: "".join(some) + "_old"),
    st.lists(pieces, max_size=3).map(lambda some: "".join(some) + '"; drop schema core; --_tmp'),
).filter(lambda name: 0 < len(name.encode()) < 200)
schema_names = st.sampled_from(["main", "gold", 'sch"ema; x', "select", "tmp_schema", "größe"])
relations = st.lists(
    st.tuples(schema_names, table_names, st.sampled_from(["table", "view"]), st.booleans()),
    min_size=20,
    max_size=20,
)
SPELLINGS = ["{}", "tmp_{}", "{}_OLD", "{}_backup_20250131_120000", "x{}x", "Bak {}"]


def spelled(
    drawn: list[tuple[str, str, str, bool]],
) -> dict[tuple[str, str], tuple[Name, str, bool]]:
    """Every drawn name in six spellings; one of those that are the same to DuckDB."""
    results = {}
    for schema, name, kind, is_protected in drawn:
        for spelling in SPELLINGS:
            first = Name(schema, spelling.replace("{}", name))
            results.setdefault(first.key, (first, kind, is_protected))
    return results


NAMES_TRIED = 0


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(relations)
def test_listed_is_dropped_protected_stays_and_no_name_is_run(
    drawn: list[tuple[str, str, str, bool]],
) -> None:
    """Over 10,000 names: exactly what is listed is dropped, whatever the names hold."""
    global NAMES_TRIED  # noqa: PLW0603
    made = spelled(drawn)
    NAMES_TRIED += len(made)
    warehouse = Warehouse(Path("memory"), duckdb.connect())
    warehouse.rows("set threads = 1")
    warehouse.rows("create schema core")
    warehouse.rows("create table core.canary as select 42 as a")
    schemas = sorted({name.schema for name, _, _ in made.values()})
    statements = [f"create schema if not exists {quoted(schema)}" for schema in schemas]
    statements += [f"create {kind} {name.sql} as select 1 as a" for name, kind, _ in made.values()]
    warehouse.rows("; ".join(["begin", *statements, "commit"]))
    protected = {name for name, _, is_protected in made.values() if is_protected}
    owners = {name.key: "a model" for name in protected}
    before = {relation.name for relation in read_relations(warehouse)}
    listing = _find_owned(warehouse, owners)
    listed = {finding.name for finding in listing.findings}
    assert not listed & protected
    assert all(finding.goes for finding in listing.findings)
    assert {name for name, _ in listing.protected} <= protected
    core = core_relations(warehouse, listing.ownership, RULES)
    gone = {item.name for item in drop_listed(warehouse, listing, core)}
    assert gone == listed
    assert {relation.name for relation in read_relations(warehouse)} == before - listed
    assert warehouse.rows("select a from core.canary") == [(42,)]
    assert listed == {
        name for name in before - protected if RULES.judge(name.name) and name.schema != "core"
    }
    warehouse.close()


def _find_owned(warehouse: Warehouse, owners: dict[tuple[str, str], str]) -> Listing:
    with pytest.MonkeyPatch.context() as patched:
        ownership = cleanup.Ownership(owners, has_manifest=True, keys={})
        patched.setattr(cleanup, "read_ownership", lambda *_: ownership)
        return find(warehouse, Wanted(), RULES, now=NOW)


def test_ten_thousand_names_were_tried() -> None:
    if NAMES_TRIED == 0:
        pytest.skip("the property was not run in this process")
    assert NAMES_TRIED >= 10_000
