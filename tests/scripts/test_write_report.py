"""The command write_report over runs of a small planted gold layer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from planted_gold import gold_customers, planted_study, write_gold

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.commands.write_report import main
from models_py.pipeline import run_study

SCRIPT = settings.repository() / "scripts" / "write_report.py"
HEAVY = {"duckdb", "pandas", "numpy", "sklearn", "matplotlib", "jinja2"}


@pytest.fixture
def run_id(home: Path) -> str:
    """A finished run without a report."""
    path = write_gold(settings.warehouse_path(), gold_customers())
    return run_study(planted_study(), path, 3, Silent()).run_id


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/write_report.py --study grocery_lifestages" in done.stdout
    names = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert names.isdisjoint(HEAVY)


def test_newest_run_and_a_run_by_its_id(
    run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", "planted", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    expected = settings.reports_dir() / "planted" / run_id / "index.html"
    assert content == {"run_id": run_id, "report": str(expected), "report_notes": []}
    assert main([run_id, "--out", str(tmp_path / "here")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "here" / "index.html")
    assert (tmp_path / "here" / "index.html").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["none"], 2, "there is no finished run 'none'"),
        (["--study", "planed"], 1, "study planed has no finished run; did you mean 'planted'?"),
    ],
)
def test_errors_are_one_line(
    run_id: str, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    errors = [
        splitline
        for splitline in capsys.readouterr().err.splitlines()
        if splitline.startswith("error: ")
    ]
    assert len(errors) == 1
    assert message in errors[0]


def test_without_matplotlib_the_page_is_written(
    run_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main([run_id]) == 0
    printed = capsys.readouterr()
    assert Path(printed.out.strip()).is_file()
    assert "pictures need matplotlib: pip install" in printed.err
