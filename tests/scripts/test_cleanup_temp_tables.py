from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from tests.held_warehouse import held

from models_py.base import settings
from models_py.commands.cleanup_temp_tables import main

sys.path.insert(0, str(Path(__file__).parent.parent / "models_py" / "database" / "maintenance"))
from maintained_warehouse import LISTED, NOW, add_run, build, everything

SCRIPT = settings.repository() / "scripts" / "cleanup_temp_tables.py"


@pytest.fixture
def warehouse(home: Path) -> Path:
    """The example warehouse in the home that ``SEGMENTHOUSE_HOME`` names."""
    return build(home, runs=2)


def with_manifest(home: Path, words: tuple[str, ...]) -> list[str]:
    named = [] if "--manifest" in words else ["--manifest", str(home / "manifest.json")]
    return [*named, *words]


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start the script as a process of its own, for what two processes do to each other."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *with_manifest(home, words)],
        env={**os.environ, settings.HOME_VARIABLE: str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(home: Path, *words: str, answer: str = "") -> tuple[int, str, str]:
    """Run the command in this process; return its exit code and what it says."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        patched.setattr(sys, "stdin", io.StringIO(answer))
        try:
            code = main(with_manifest(home, words))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def answered(home: Path, *words: str) -> tuple[int, dict[str, object]]:
    code, out, _ = ran(home, *words, "--json")
    return code, json.loads(out)


def test_the_script_is_the_command(home: Path, warehouse: Path) -> None:
    with started(home, "--json") as process:
        out, err = process.communicate("")
    assert process.returncode == 3
    assert json.loads(out)["outcome"] == "found"
    assert err == ""


def test_help_has_examples_and_exit_codes(home: Path) -> None:
    code, out, _ = ran(home, "--help")
    assert code == 0
    assert "examples:" in out
    assert "4 nothing was found" in out


def test_without_a_mode_nothing_is_changed(home: Path, warehouse: Path) -> None:
    content = warehouse.read_bytes()
    code, out, _ = ran(home)
    assert code == 3
    assert all(label in out for label in LISTED)
    assert "nothing was changed" in out
    assert "gold.temp_scores" not in out
    assert warehouse.read_bytes() == content
    assert [item.name for item in warehouse.parent.iterdir()] == [warehouse.name]


def test_json_lists_the_same(home: Path, warehouse: Path) -> None:
    code, answer = answered(home)
    assert code == 3
    assert answer["outcome"] == "found"
    listed = answer["listed"]
    assert isinstance(listed, list)
    assert {f"{item['schema']}.{item['name']}" for item in listed} == LISTED
    assert {item["would"] for item in listed} == {"drop"}


def test_nothing_found_has_its_own_code(home: Path, warehouse: Path) -> None:
    assert ran(home, "--only", "nowhere.*")[0] == 4
    assert answered(home, "--only", "nowhere.*", "--execute", "--yes")[0] == 4


def test_execute_asks_and_a_no_changes_nothing(home: Path, warehouse: Path) -> None:
    before = everything(warehouse)
    for answer in ("n\n", "", "yess\n"):
        code, out, _ = ran(home, "--execute", answer=answer)
        assert code == 3
        assert "drop these 5? [y/N]" in out
        assert everything(warehouse) == before
    assert not (warehouse.parent / "backups").exists()


def test_execute_backs_up_drops_compacts_and_checks(home: Path, warehouse: Path) -> None:
    before = everything(warehouse)
    code, answer = answered(home, "--execute", "--yes", "--compact", "--check")
    assert code == 0
    assert set(answer["dropped"]) == LISTED  # type: ignore[call-overload]
    kept = {name: rows for name, rows in before.items() if name not in LISTED}
    assert everything(warehouse) == kept
    held_bytes = answer["bytes"]
    assert held_bytes["after_compaction"] == warehouse.stat().st_size  # type: ignore[index]
    checks = answer["check"]
    assert len(checks["before"]) > len(checks["after"])  # type: ignore[index]
    folder = Path(answer["backup"]["folder"])  # type: ignore[index]
    with duckdb.connect(str(warehouse)) as raw:
        raw.execute("drop table gold.shop_customers")
    code, answer = answered(home, "--restore", str(folder), "--only", "gold.shop_customers")
    assert code == 0
    assert answer["restored"]["brought_back"] == ["gold.shop_customers"]  # type: ignore[index]
    assert everything(warehouse) == kept
    assert ran(home)[0] == 4


def test_old_backups_go_when_told_and_the_new_one_stays(home: Path, warehouse: Path) -> None:
    folders = [answered(home, "--backup")[1]["backup"]["folder"] for _ in range(2)]  # type: ignore[index]
    code, answer = answered(home, "--execute", "--yes", "--keep-backups", "1")
    assert code == 0
    assert answer["removed_backups"] == folders
    code, listed = answered(home, "--list-backups")
    assert code == 3
    assert [backup["folder"] for backup in listed["backups"]] == [  # type: ignore[attr-defined]
        answer["backup"]["folder"]  # type: ignore[index]
    ]


def test_runs_go_by_retention(home: Path, warehouse: Path) -> None:
    add_run(warehouse, "20250503T000000", NOW - timedelta(days=1))
    code, answer = answered(home, "--class", "runs", "--keep-runs", "1", "--execute", "--yes")
    assert code == 0
    assert len(answer["dropped"]) == 2  # type: ignore[arg-type]
    assert answered(home, "--check")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--class", "temporary"], "--class must be one of temp, backup, orphan, runs"),
        (["--execute", "--yes", "--no-backup"], "say --no-backup twice"),
        (["--compact"], "say it with --execute"),
        (["--overwrite"], "belongs to --restore"),
        (["--class", "runs"], "--keep-runs N"),
        (["--keep-runs", "0"], "1 or more"),
        (["--keep-backups", "0", "--backup"], "1 or more"),
        (["--execute", "--json"], "add --yes"),
        (["--wait", "-1"], "0 or more"),
        (["--execute", "--dry-run"], "not allowed with"),
    ],
)
def test_wrong_words_are_refused(home: Path, warehouse: Path, words: list[str], said: str) -> None:
    before = everything(warehouse)
    code, out, err = ran(home, *words)
    assert code == 2
    assert said in out + err
    assert everything(warehouse) == before


def test_no_backup_said_twice_makes_none(home: Path, warehouse: Path) -> None:
    code, answer = answered(home, "--execute", "--yes", "--no-backup", "--no-backup")
    assert code == 0
    assert answer["backup"] is None
    assert not (warehouse.parent / "backups").exists()


def test_without_a_manifest_nothing_is_dropped(home: Path, warehouse: Path, tmp_path: Path) -> None:
    before = everything(warehouse)
    code, _, err = ran(home, "--execute", "--yes", "--manifest", str(tmp_path / "none.json"))
    assert code == 1
    assert "cannot read dbt's manifest" in err
    assert everything(warehouse) == before


def test_check_fails_on_a_fault(home: Path, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as raw:
        raw.execute("delete from results.segments where segment_id = 2")
    code, out, _ = ran(home, "--check")
    assert code == 1
    assert "assignments to a segment that does not exist" in out


def test_a_locked_file_names_the_process(home: Path, warehouse: Path) -> None:
    with held(warehouse) as other:
        for words in (["--execute", "--yes"], ["--backup"], [], ["--check"]):
            code, _, err = ran(home, *words)
            assert code == 1
            assert f"in use by process {other.pid}" in err
            assert err.count("\n") == 1


def test_listing_works_beside_a_reader(home: Path, warehouse: Path) -> None:
    with held(warehouse, "read") as other:
        assert ran(home)[0] == 3
        assert ran(home, "--check")[0] == 0
        code, _, err = ran(home, "--execute", "--yes")
        assert code == 1
        assert f"process {other.pid}" in err


def test_wait_goes_on_when_the_file_is_free(home: Path, warehouse: Path) -> None:
    with held(warehouse) as other, started(home, "--execute", "--yes", "--wait", "60") as process:
        assert process.stderr is not None
        assert f"process {other.pid}" in process.stderr.readline()
        other.communicate("")
        process.communicate()
        assert process.returncode == 0


def test_two_cleanups_at_once(home: Path, warehouse: Path) -> None:
    with started(home, "--execute") as first:
        assert first.stdout is not None
        while not first.stdout.readline().endswith("(--class orphan)\n"):
            assert first.poll() is None
        code, _, err = ran(home, "--execute", "--yes")
        assert code == 1
        assert f"another maintenance of {warehouse} is at work: process {first.pid}" in err
        first.communicate("y\n")
        assert first.returncode == 0
    assert ran(home)[0] == 4


def test_a_change_while_the_question_is_open_stops_the_drops(home: Path, warehouse: Path) -> None:
    with started(home, "--execute") as process:
        assert process.stdout is not None
        while not process.stdout.readline().endswith("(--class orphan)\n"):
            assert process.poll() is None
        with duckdb.connect(str(warehouse)) as raw:
            raw.execute("insert into main.customers_old values (2)")
        _, err = process.communicate("y\n")
        assert process.returncode == 1
        assert "has changed since the list was shown" in err
    assert set(everything(warehouse)) >= LISTED
    assert not (warehouse.parent / "backups").exists()


def is_open(path: Path, process: subprocess.Popen[str]) -> bool:
    """Return whether a process has a file open; looking at it from here takes no lock."""
    with contextlib.suppress(FileNotFoundError):
        for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
            if descriptor.readlink() == path:
                return True
    return False


def test_a_cleanup_during_a_dbt_build_stops(home: Path, warehouse: Path) -> None:
    """A real dbt holds the file for as long as its slow model takes."""
    project = home / "project"
    (project / "models").mkdir(parents=True)
    (project / "models" / "slow.sql").write_text(
        "{{ config(materialized='table') }} select sum(hash(range)) as s from range(90000000000)"
    )
    (project / "dbt_project.yml").write_text("name: slow\nprofile: slow\nversion: 1.0.0\n")
    output = {"type": "duckdb", "path": str(warehouse), "threads": 1}
    (project / "profiles.yml").write_text(
        json.dumps({"slow": {"target": "dev", "outputs": {"dev": output}}})
    )
    words = "import sys; from dbt.cli.main import cli; sys.exit(cli())"
    before = everything(warehouse)
    with subprocess.Popen(
        [sys.executable, "-c", words, "build"], cwd=project, stdout=subprocess.PIPE, text=True
    ) as dbt:
        try:
            assert dbt.stdout is not None
            assert any("START sql table model" in line for line in dbt.stdout)
            until = time.monotonic() + 60
            while not is_open(warehouse, dbt) and time.monotonic() < until:
                time.sleep(0.05)
            for asked in ([], ["--execute", "--yes"]):
                code, _, err = ran(home, *asked)
                assert code == 1
                assert f"in use by process {dbt.pid}" in err
        finally:
            dbt.kill()
    assert everything(warehouse) == before
    assert ran(home, "--execute", "--yes", "--compact")[0] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is not a DuckDB database"), (b"x" * 20_000, "is not a DuckDB database")],
)
def test_a_file_that_is_no_database(home: Path, content: bytes, said: str) -> None:
    path = home / "data" / "segmenthouse.duckdb"
    path.parent.mkdir()
    path.write_bytes(content)
    for words in ([], ["--execute", "--yes", "--without-manifest"], ["--backup"], ["--check"]):
        code, _, err = ran(home, *words)
        assert code == 1
        assert said in err
        assert err.count("\n") == 1
    assert path.read_bytes() == content


def test_a_missing_warehouse_says_how_to_build_it(home: Path) -> None:
    for words in ([], ["--execute", "--yes"], ["--backup"], ["--check"]):
        code, _, err = ran(home, *words)
        assert code == 1
        assert "dbt build" in err
    assert list(home.iterdir()) == []


def test_a_backup_is_restored_into_an_empty_home(
    home: Path, warehouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = everything(warehouse)
    folder = answered(home, "--backup")[1]["backup"]["folder"]  # type: ignore[index]
    fresh = tmp_path_factory.mktemp("fresh") / "deeper" / "data" / "segmenthouse.duckdb"
    code, answer = answered(home, "--restore", folder, "--warehouse", str(fresh))
    assert code == 0, answer
    assert everything(fresh) == {name: before[name] for name in everything(fresh)}


def test_a_compaction_that_fails_still_tells_of_the_drops(home: Path, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as raw:
        raw.execute("create table parents(a int primary key)")
        raw.execute("create table children(b int references parents(a))")
        raw.execute("insert into parents values (1); insert into children values (1)")
    code, out, err = ran(home, "--execute", "--yes", "--compact")
    assert code == 1
    assert "dropped silver.tmp_lines" in out
    assert "the drops are done, but the file was not compacted" in err
    assert not set(everything(warehouse)) & LISTED


def test_what_no_run_made_goes_with_the_runs(home: Path, warehouse: Path) -> None:
    orphan = settings.models_dir("20250601T120000123456-0a1b")
    kept = settings.models_dir("20250502T000000")
    for folder in (orphan, kept):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    code, out, _ = ran(home, "--class", "runs", "--keep-runs", "9")
    assert code == 3
    assert f"data/models/{orphan.name}" in out
    code, out, err = ran(
        home, "--class", "runs", "--keep-runs", "9", "--execute", "--yes", "--json"
    )
    assert code == 0, err
    answer = json.loads(out)
    assert answer["dropped"] == []
    assert answer["removed_folders"] == [str(orphan)]
    assert [item["path"] for item in answer["listed"]] == [str(orphan)]
    assert not orphan.exists()
    assert kept.is_dir()
    code, out, err = ran(home, "--restore", answer["backup"]["folder"])
    assert code == 0, err
    assert (orphan / "manifest.json").read_text() == "{}"
    code, out, _ = ran(home, "--check", "--json")
    held = {item["kind"]: item["count"] for item in json.loads(out)["home"]}
    assert held == {"warehouse": 1, "backups": 1, "models of runs": 2}
