"""A night: its steps, what it refuses, whom it alerts, and that its page says what it does."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from nights import (
    PAGE,
    ROWS,
    Night,
    blocks,
    clients,
    counted,
    first,
    first_night,
    house,
    night,
    outcomes,
)
from planted_gold import asked

from models_py.base import settings
from models_py.commands import run_night
from models_py.commands.night_steps import STEPS

__all__ = ["first", "first_night", "house", "night"]


def test_a_first_night_and_a_quiet_one(night: Night, first: dict[str, Any]) -> None:
    assert outcomes(first) == {
        "fetch": "skipped",
        "load": "done",
        "build": "skipped",
        "score": "skipped",
        "drift": "skipped",
        "refit": "done",
        "gates": "skipped",
        "moves": "done",
        "page": "done",
        "retention": "skipped",
        "share": "skipped",
    }
    assert (first["exit_code"], first["alerts"], first["verdict"]) == (0, [], None)
    assert Path(first["page"]).is_file()
    assert counted("select min(seen_days) from gold.clients") == 0
    quiet = night(text=clients(ROWS, 5).replace("2026-01", "2026-05"))
    # Days count back from the last date of the newest file.
    assert counted("select min(seen_days) from gold.clients") == 0
    assert quiet["steps"]["score"]["new_customers"] == 5
    assert (quiet["verdict"], quiet["run_id"]) == ("keep", first["run_id"])
    assert outcomes(quiet)["refit"] == "skipped"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (clients().replace("c00100,", 'c00100,"'), r"clients\.csv.*line \d+"),
        (clients().replace(",visits", ",calls"), "clients.csv: .*visits"),
        (clients(ROWS // 4), r"clients\.csv has 60 rows .* which had 240: a file cut short\?"),
        (clients().replace("c00100", "c00099"), r"'c00099' on lines 101 and 102"),
        ("", "clients.csv"),
    ],
    ids=["quote", "column", "short", "twice", "empty"],
)
def test_a_broken_file_is_refused_and_yesterday_stays(
    night: Night, first: dict[str, Any], text: str, message: str
) -> None:
    page = Path(first["page"]).read_text()
    rows = asked(settings.warehouse_path(), "from gold.clients order by all")
    said = night(text=text)
    assert said["exit_code"] == run_night.REFUSED
    assert outcomes(said) == {"fetch": "skipped", "load": "refused"}
    assert re.search(message, said["error"])
    assert said["error"].removeprefix("load: ") in said["stderr"]
    assert "\n" not in said["error"]
    assert asked(settings.warehouse_path(), "from gold.clients order by all") == rows
    assert counted("select count(distinct run_id) from results.clients_latest") == 1
    assert Path(first["page"]).read_text() == page


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("false", "false ended with 1"),
        ("no-such-command", "no-such-command: no such file or directory"),
        ("sh -c 'echo gone >&2; exit 7'", "sh ended with 7: gone"),
    ],
)
def test_an_alert_that_fails_is_said(night: Night, command: str, error: str) -> None:
    said = night("--alert", command, text="client_id\n")
    assert said["exit_code"] == run_night.REFUSED
    assert said["alert"]["error"] == error
    assert f"note: --alert failed: {error}" in said["stderr"]


def test_two_nights_of_a_study_do_not_run_at_once(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from models_py.base import locks

    folder = settings.warehouse_path().with_name("segmenthouse.duckdb.nights")
    with locks.hold(folder / "clients.lock"):
        assert run_night.main(["--study", "clients.toml"]) == 3
    assert "another night of clients is at work" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--study", "clients.toml", "--input", "none.csv"], "there is no such file"),
        (["--study", "bank", "--input", "clients.csv"], "was not drafted from a file"),
        (["--study", "clients.toml", "--from", "."], "is of no domain"),
        (["--study", "clients.toml", "--", "--decimal", ","], "words after -- go to"),
        (["--study", "clients.toml", "--alert", "'"], "No closing quotation"),
        (["--study", "clients.toml", "--least-rows", "2"], "must be from 0 to 1"),
        (["--study", "clients.toml", "--keep-runs", "0"], "must be 1 or more"),
    ],
)
def test_wrong_use_is_one_line(
    house: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run_night.main(words) == 2
    assert message in json.loads(capsys.readouterr().out)["error"]


def test_the_page_names_every_step_and_exit_code() -> None:
    text = PAGE.read_text()
    for step in STEPS:
        assert f"| `{step.name}` |" in text
    for code, words in run_night.EXIT_CODES.items():
        assert f"| {code} | {words} |" in text
    assert len(re.findall(r"^\| \d+ \|", text, re.MULTILINE)) == len(run_night.EXIT_CODES)


def test_the_examples_of_the_page_are_well_formed() -> None:
    (dag,) = blocks("python")
    ast.parse(dag)
    (workflow,) = blocks("yaml")
    steps = yaml.safe_load(workflow)["jobs"]["clients"]["steps"]
    (cron,) = blocks("cron")
    dag_words = next(
        node.value
        for node in ast.walk(ast.parse(dag))
        if isinstance(node, ast.Constant) and "run_night" in str(node.value)
    )
    for line in (cron, steps[0]["run"], str(dag_words)):
        command = line[line.index("scripts/run_night.py") :].partition(">>")[0]
        run_night._parser().parse_args(shlex.split(command)[1:])
