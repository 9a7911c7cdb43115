"""A night: its steps, what it refuses, how it goes on after a kill, and what its page says."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from planted_gold import asked

from models_py.base import journal as journals
from models_py.base import settings
from models_py.base.journal import Journal
from models_py.commands import new_study, run_night
from models_py.commands.night_steps import STEPS

PAGE = settings.repository() / "scripts" / "NIGHT.md"
ROWS = 240


def clients(rows: int = ROWS, first: int = 0, spend: float = 0.0) -> str:
    """Lines of clients in three groups, those after the first ones with another spend."""
    lines = ["client_id,spend,visits,orders"]
    for number in range(first, first + rows):
        own = np.random.default_rng(number)
        kind = number % 3
        lines.append(
            f"c{number:05d},{own.normal((20, 60, 110)[kind] + spend, 5):.2f},"
            f"{own.poisson((3, 12, 25)[kind])},{own.poisson((30, 9, 18)[kind])}"
        )
    return "\n".join(lines) + "\n"


STUDY = """
title = "Clients"
table = "gold.clients"
entity = "client_id"
[features]
include = ["spend", "visits", "orders"]
[outliers]
method = "none"
[choose]
by = "silhouette"
[stability]
refits = 2
[[algorithms]]
name = "kmeans"
k = 3
"""


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a study drafted from a file, and a recipe that is quick."""
    monkeypatch.chdir(home)
    monkeypatch.setenv(settings.SHARE_VARIABLE, "0")
    file = home / "clients.csv"
    file.write_text(clients())
    assert new_study.main(["--input", str(file), "--id", "client_id", "--json"]) == 0
    drafted = (home / "clients.toml").read_text()
    (home / "clients.toml").write_text(STUDY + drafted[drafted.index("[reading]") :])
    return home


@pytest.fixture
def night(house: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Runs a night in this process and returns its line."""
    capsys.readouterr()

    def run(*words: str, text: str | None = None, file: str = "clients.csv") -> dict[str, Any]:
        if text is not None:
            (house / file).write_text(text)
        code = run_night.main(["--study", "clients.toml", "--input", file, *words])
        captured = capsys.readouterr()
        (line,) = captured.out.splitlines()
        said: dict[str, Any] = json.loads(line) | {"stderr": captured.err}
        assert said["exit_code"] == code
        return said

    return run


def outcomes(said: dict[str, Any]) -> dict[str, str]:
    return {name: step["outcome"] for name, step in said["steps"].items()}


def counted(sql: str) -> Any:
    ((value,),) = asked(settings.warehouse_path(), sql)
    return value


def test_a_first_night_a_quiet_one_and_one_with_a_refit(
    night: Callable[..., dict[str, Any]], house: Path
) -> None:
    first = night()
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
    quiet = night(text=clients(ROWS, 5))
    assert quiet["steps"]["score"]["new_customers"] == 5
    assert (quiet["verdict"], quiet["run_id"]) == ("keep", first["run_id"])
    assert outcomes(quiet)["refit"] == "skipped"
    told = house / "told.json"
    moved = night("--alert", f"cp /dev/stdin {told}", text=clients(2 * ROWS, 5))
    assert moved["verdict"] == "refit"
    assert moved["steps"]["gates"]["took_over_from"] == first["run_id"]
    assert moved["run_id"] == moved["steps"]["refit"]["run_id"] != first["run_id"]
    assert moved["alert"] == {"exit_code": 0, "error": None}
    assert json.loads(told.read_text())["alerts"] == moved["alerts"]
    assert 'id="history"' in Path(moved["page"]).read_text()
    assert counted("select count(*) from gold.clients") == 2 * ROWS


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
    night: Callable[..., dict[str, Any]], text: str, message: str
) -> None:
    first = night()
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
    # The mended file is another night, which goes the whole way.
    mended = night(text=clients(ROWS, 1))
    assert (mended["exit_code"], mended["resumed_at"]) == (0, None)


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def traces() -> list[Any]:
    sql = (
        "select count(*), count(distinct status) from results.runs",
        "select count(*) from results.challenges",
        "select count(*), max(scored_at) from results.scores",
        "select count(*) from results.assignments",
        "select count(*) from results.move_forecasts",
        "select count(*) from gold.clients",
    )
    return [asked(settings.warehouse_path(), each) for each in sql]


@pytest.mark.parametrize("when", ["before the step", "after its commit"])
@pytest.mark.parametrize(
    "name", [step.name for step in STEPS if step.name not in ("fetch", "build")]
)
def test_a_night_killed_at_a_step_goes_on_there(
    night: Callable[..., dict[str, Any]],
    house: Path,
    name: str,
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    night()
    words = ("--refit", "always")
    with monkeypatch.context() as patch:
        if when == "before the step":
            patch.setattr(run_night, "_do_step", killing(run_night._do_step, name))
        else:
            patch.setattr(Journal, "finish", killing(Journal.finish, name))
        with pytest.raises(Killed):
            night(*words, text=clients(ROWS, 7))
    left = traces()
    again = night(*words)
    assert (again["resumed_at"], again["exit_code"]) == (name, 0)
    assert set(outcomes(again).values()) <= {"done", "skipped"}
    assert list(again["steps"]) == [step.name for step in STEPS]
    assert counted("select count(*) from results.runs") == 2
    assert counted("select count(distinct run_id) from results.challenges") == 1
    assert counted("select count(*) from gold.clients") == ROWS
    assert asked(settings.warehouse_path(), "select distinct status from results.runs") == [
        ("done",)
    ]
    commits = {step.name for step in STEPS if step.committed is not STEPS[0].committed}
    if when == "after its commit" and name in commits:
        assert again["steps"][name]["was_committed"] is True
    if when == "after its commit" and name in ("page", "retention", "share"):
        assert traces() == left
    assert night(*words)["resumed_at"] is None


def killing(work: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function that is killed where it is asked for this step."""

    def killed(*given: Any) -> Any:
        if any(each == name or getattr(each, "name", None) == name for each in given):
            raise Killed
        return work(*given)

    return killed


def test_a_night_of_another_day_or_file_is_not_gone_on_with(
    night: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    night()

    def kill(text: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "finish", killing(Journal.finish, "drift"))
            with pytest.raises(Killed):
                night(text=text)

    kill(clients(ROWS, 2))
    assert night(text=clients(ROWS, 3))["resumed_at"] is None
    kill(clients(ROWS, 4))
    assert night("--anew")["resumed_at"] is None
    kill(clients(ROWS, 5))
    later = journals.now() + journals.RESUMABLE
    monkeypatch.setattr(journals, "now", lambda: later)
    assert night()["resumed_at"] is None


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("false", "false ended with 1"),
        ("no-such-command", "no-such-command: no such file or directory"),
        ("sh -c 'echo gone >&2; exit 7'", "sh ended with 7: gone"),
    ],
)
def test_an_alert_that_fails_is_said_and_changes_nothing(
    night: Callable[..., dict[str, Any]], command: str, error: str
) -> None:
    first = night("--alert", command)
    assert "alert" not in first
    said = night("--alert", command, text=clients(2 * ROWS))
    assert said["exit_code"] == run_night.ALERT_FAILED
    assert said["alert"]["error"] == error
    assert f"note: --alert failed: {error}" in said["stderr"]
    assert set(outcomes(said).values()) <= {"done", "skipped"}
    refused = night("--alert", command, text="client_id\n")
    assert refused["exit_code"] == run_night.REFUSED


def test_retention_leaves_the_newest_runs(night: Callable[..., dict[str, Any]]) -> None:
    first = night()
    words = ("--refit", "always", "--keep-runs", "2")
    for start in (1, 2):
        said = night(*words, text=clients(ROWS, start))
    assert first["run_id"] in str(said["steps"]["retention"]["dropped"])
    assert counted("select count(*) from results.runs") == 2
    assert counted("select count(*) from results.runs where status = 'done'") >= 1


def test_two_nights_of_a_study_do_not_run_at_once(
    night: Callable[..., dict[str, Any]], house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from models_py.base import locks

    night()
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
    capsys.readouterr()
    assert run_night.main(words) == 2
    assert message in json.loads(capsys.readouterr().out)["error"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


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


def test_the_line_of_cron_needs_no_environment(house: Path) -> None:
    root = settings.repository()
    command = [sys.executable, str(root / "scripts" / "run_night.py"), "--study", "clients.toml"]
    words = ["env", "-i", "PATH=/usr/bin:/bin", f"{settings.HOME_VARIABLE}={house}", *command]
    ended = subprocess.run(
        [*words, "--input", "clients.csv"], cwd=house, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    assert json.loads(line)["exit_code"] == 0
