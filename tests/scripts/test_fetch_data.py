"""The command fetch_data from outside: what it prints, writes and returns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models_py.base import settings
from models_py.commands.fetch_data import main

SCRIPT = settings.repository() / "scripts" / "fetch_data.py"


def test_help_runs_as_a_script_and_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/fetch_data.py bank --from" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"pyarrow", "pandas", "numpy", "requests", "rich", "duckdb"})


def test_list(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    shown = capsys.readouterr().out
    assert "grocery / complete_journey (there)" in shown
    assert "bank / uci (not there)" in shown
    assert main(["--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["domain"] for row in rows][:3] == ["grocery", "grocery", "online_retail"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "error: name a domain: grocery"),
        (["bnak"], 2, "did you mean 'bank'"),
        (["grocery", "--source", "complete_journey", "--from", "."], 2, "leave out --from"),
        (["bank", "--from", "no/such/folder"], 1, "there is no such file or folder"),
        (["automobile"], 1, "1. download https://www.kaggle.com"),
    ],
)
def test_one_line_and_exit_code(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert main(words) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
    assert "Traceback" not in printed.err


def test_unknown_option_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as raised:
        main(["bank", "--form", "x"])
    assert raised.value.code == 2


def test_complete_journey_is_verified_where_it_is_installed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grocery", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    rows = {file["name"]: file["rows"] for file in answer["files"]}
    assert rows["transactions.parquet"] == 1_469_307
    assert rows["demographics.parquet"] == 801
    assert answer["notes"] == []
    assert not settings.raw_dir("grocery").exists()


def test_problems_one_a_line(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "Train.csv").write_text("ID,Gender\n1,Male\n")
    (folder / "Test.csv").write_text("")
    assert main(["automobile", "--from", str(folder)]) == 1
    printed = capsys.readouterr().err
    assert "Train.csv: row 1: column 'Age' is missing\n" in printed
    assert "Test.csv: is empty (0 bytes)\n" in printed
    assert printed.endswith(f"error: automobile from {folder}: 10 problems; nothing was taken in\n")
    assert main(["automobile", "--from", str(folder), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], len(answer["problems"])) == ("failed", 10)


@pytest.mark.parametrize("domain", ["bank", "automobile", "online_retail", "retail_org"])
def test_real_files_are_copied(
    home: Path, shared_data: Path, capsys: pytest.CaptureFixture[str], domain: str
) -> None:
    words = [domain, "--from", str(shared_data / domain)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert f"dbt build --project-dir warehouse --selector {domain}" in shown
    notes = [line for line in shown.splitlines() if line.startswith("note:")]
    assert all("no checksum is known" in note for note in notes)
    assert len(notes) == (domain in ("online_retail", "retail_org"))
    taken = {path.name: path.read_bytes() for path in settings.raw_dir(domain).iterdir()}
    assert taken == {path.name: path.read_bytes() for path in (shared_data / domain).iterdir()}
    assert main([domain, "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert {file["action"] for file in files} == {"kept"}


def test_real_weeks_are_copied(
    home: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["grocery", "--from", str(shared_data / "sort_of_real")]) == 0
    shown = capsys.readouterr().out
    assert "95 copied: 2,519,919 rows" in shown
    assert "94 weeks; 4 in between are missing: 200608, 200643, 200703, 200743" in shown
    assert "grocery_source: sort_of_real" in shown
