"""A night that is killed at a step, or whose alert fails, leaves nothing twice or half done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nights import (
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

from models_py.base import journal as journals
from models_py.base import settings
from models_py.base.journal import Journal
from models_py.commands import run_night
from models_py.commands.night_steps import STEPS

__all__ = ["first", "first_night", "house", "night"]


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


BUILT = [step.name for step in STEPS if step.name not in ("fetch", "build")]


@pytest.mark.parametrize(
    ("name", "when"),
    [
        *((name, "after its commit") for name in BUILT),
        *((name, "before the step") for name in ("load", "refit", "gates")),
    ],
)
def test_a_night_killed_at_a_step_goes_on_there(
    night: Night, name: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def killing(work: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function that is killed where it is asked for this step."""

    def killed(*given: Any) -> Any:
        if any(each == name or getattr(each, "name", None) == name for each in given):
            raise Killed
        return work(*given)

    return killed


def test_a_night_of_another_day_or_file_is_not_gone_on_with(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_an_alert_that_fails_changes_nothing(night: Night) -> None:
    said = night("--alert", "false", text=clients(2 * ROWS))
    assert said["exit_code"] == run_night.ALERT_FAILED
    assert set(outcomes(said).values()) <= {"done", "skipped"}
    assert said["alerts"][0].startswith("drift: refit")
    assert counted("select count(*) from results.runs where status = 'done'") == 2


def test_a_mended_file_is_another_night(night: Night) -> None:
    assert night(text="client_id\n")["exit_code"] == run_night.REFUSED
    mended = night(text=clients(ROWS, 1))
    assert (mended["exit_code"], mended["resumed_at"]) == (0, None)


def test_retention_leaves_the_newest_runs(night: Night, first: dict[str, Any]) -> None:
    words = ("--refit", "always", "--keep-runs", "2")
    for start in (1, 2):
        said = night(*words, text=clients(ROWS, start))
    assert first["run_id"] in str(said["steps"]["retention"]["dropped"])
    assert counted("select count(*) from results.runs") == 2
    assert counted("select count(*) from results.runs where status = 'done'") >= 1


def test_a_refit_takes_over_and_is_told(night: Night, first: dict[str, Any], house: Path) -> None:
    told = house / "told.json"
    moved = night("--alert", f"cp /dev/stdin {told}", text=clients(2 * ROWS))
    assert moved["verdict"] == "refit"
    assert moved["steps"]["gates"]["took_over_from"] == first["run_id"]
    assert moved["run_id"] == moved["steps"]["refit"]["run_id"] != first["run_id"]
    assert moved["alert"] == {"exit_code": 0, "error": None}
    assert json.loads(told.read_text())["alerts"] == moved["alerts"]
    assert 'id="history"' in Path(moved["page"]).read_text()
    assert counted("select count(*) from gold.clients") == 2 * ROWS


def test_the_line_of_cron_runs_in_the_environment_of_cron(house: Path) -> None:
    python = house / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    # An installed checkout's Python knows its packages; nothing else is given to it.
    known = f"{settings.HOME_VARIABLE}={house} PYTHONPATH={settings.repository()}"
    python.write_text(f'#!/bin/sh\n{known} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (house / "scripts").symlink_to(settings.repository() / "scripts")
    for folder in ("logs", "drop", "studies"):
        (house / folder).mkdir()
    (house / "studies" / "clients.toml").write_text((house / "clients.toml").read_text())
    (house / "drop" / "clients.csv").write_text(clients(ROWS, 2))
    (line,) = blocks("cron")
    command = line.split(maxsplit=5)[5].strip()
    assert "%" not in command  # cron ends the line there
    for place in ("segmenthouse", "drop"):
        own = house if place == "segmenthouse" else house / place
        command = command.replace(f"/path/to/{place}", str(own))
    words = ["env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", command]
    ended = subprocess.run(words, cwd="/", capture_output=True, text=True, check=False)
    assert ended.returncode == 0, (house / "logs" / "night.log").read_text()
    (told,) = (house / "logs" / "night.jsonl").read_text().splitlines()
    said = json.loads(told)
    assert (said["exit_code"], said["verdict"], said["steps"]["load"]["rows"]) == (0, "keep", ROWS)
