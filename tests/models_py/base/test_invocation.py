"""Commands are written as they can be typed: scripts in a checkout, verbs elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from models_py.base import invocation, settings
from models_py.base.invocation import VERBS, as_called, program, use_verbs
from models_py.commands import verbs


@pytest.fixture
def by_verbs() -> Iterator[None]:
    use_verbs()
    yield
    invocation._called.clear()


def test_a_checkout_names_its_scripts() -> None:
    text = "python scripts/run_sql.py --list"
    assert as_called(text) == text
    assert program("run_sql.py") == "run_sql.py"


@pytest.mark.usefixtures("by_verbs")
@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("see python scripts/run_sql.py runs", "see segmenthouse sql runs"),
        ("or load a file with scripts/new_study.py", "or load a file with segmenthouse new-study"),
        ("'dbt build --project-dir warehouse'", "'segmenthouse build'"),
        (
            "pip install -c constraints.txt -e '.[report]'",
            "pip install 'segmenthouse[report]'",
        ),
        ("python scripts/other.py", "python scripts/other.py"),
        ("plain", "plain"),
    ],
)
def test_elsewhere_verbs_are_named(text: str, called: str) -> None:
    assert as_called(text) == called


@pytest.mark.usefixtures("by_verbs")
def test_usage_names_the_verb() -> None:
    assert program("run_clustering.py") == "segmenthouse run"


def test_every_script_has_a_verb_with_its_command() -> None:
    scripts = {file.stem for file in (settings.repository() / "scripts").glob("*.py")}
    assert scripts <= set(VERBS)
    assert {verb: module for verb, (module, _) in verbs.PURPOSES.items()}.items() >= {
        (verb, script) for script, verb in VERBS.items()
    }
    assert {VERBS[script] for script in scripts} <= set(verbs.verbs())


def test_verbs_lead_to_their_commands(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert verbs.main(["sql", "--list"]) == 0
        assert "latest_segments" in capsys.readouterr().out
        assert verbs.main(["--version"]) == 0
        assert verbs.main([]) == verbs.main(["serve"]) == 2
        assert "segmenthouse has no 'serve'" in capsys.readouterr().err
        assert verbs.main(["--help"]) == 0
        listed = re.findall(r"^  ([a-z-]+)  ", capsys.readouterr().out, re.MULTILINE)
        assert listed == list(verbs.verbs())
    finally:
        invocation._called.clear()
