"""Every benchmark has a quick form, and ends in one line where it lacks something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from extras import need
from quick import FOLDER, INSTALLS, QUICK, answer_of, measured

from models_py.base import settings


def test_every_benchmark_that_prints_json_has_a_quick_form() -> None:
    with_json = {p.stem for p in FOLDER.glob("*.py") if '"--json", action' in p.read_text()}
    assert with_json == QUICK.keys()


def test_a_missing_package_ends_in_one_line_with_its_command() -> None:
    with pytest.raises(SystemExit) as stopped:
        need("json", "no_such_package", extra="report")
    assert stopped.value.code == (
        'no_such_package is not installed: run `pip install -c constraints.txt -e ".[report]"`'
    )
    assert INSTALLS in str(stopped.value.code)


@pytest.mark.parametrize(
    ("output", "answer"),
    [('{\n "a": 1\n}', {"a": 1}), ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}])],
)
def test_the_answer_is_a_document_or_its_lines(output: str, answer: object) -> None:
    assert answer_of(output) == answer


def test_the_line_has_the_figures_or_what_it_stopped_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fine.py").write_text("print('{\"a\": 1}')")
    (tmp_path / "broken.py").write_text("import no_such_package")
    monkeypatch.setattr("quick.FOLDER", tmp_path)
    monkeypatch.setattr("quick.QUICK", {"fine": "", "broken": ""})
    assert measured("fine")["figures"] == {"a": 1}
    assert measured("broken")["stopped"] == (
        "ModuleNotFoundError: No module named 'no_such_package'"
    )


def test_an_unknown_name_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "quick.py"), "nothing"],
        env={"PYTHONPATH": str(settings.repository())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no benchmark nothing: there are algorithms, autoencoder, " in done.stderr
