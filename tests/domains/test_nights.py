"""Nights whose tables dbt makes: of a domain's raw files, and of a log of the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_gold import asked

from models_py.base import settings
from models_py.base.journal import Journal
from models_py.commands import new_study, run_night

PROSPECTS = """
title = "Prospects"
table = "gold.automobile_prospects"
entity = "prospect_id"
[features]
include = ["age", "family_size", "work_experience_years"]
[outliers]
method = "none"
[choose]
by = "silhouette"
[stability]
refits = 0
[[algorithms]]
name = "kmeans"
k = 3
"""
LOG = ("--transactions", "--customer", "customer", "--time", "day", "--amount", "amount")
Night = Callable[..., dict[str, Any]]


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.fixture
def night(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Night:
    monkeypatch.chdir(home)
    monkeypatch.setenv(settings.SHARE_VARIABLE, "0")

    def run(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        run_night.main(words)
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        return said

    return run


def rows(sql: str) -> list[tuple[Any, ...]]:
    return asked(settings.warehouse_path(), sql)


def test_a_domain_is_fetched_built_and_segmented(
    night: Night, home: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "prospects.toml").write_text(PROSPECTS)
    drop = home / "drop"
    drop.mkdir()
    for name in ("Train.csv", "Test.csv"):
        (drop / name).write_bytes((shared_data / "automobile" / name).read_bytes())
    words = ("--study", "prospects.toml", "--from", str(drop))
    finish = Journal.finish

    def killed(journal: Journal, step: str, said: dict[str, Any]) -> None:
        if step == "build":
            raise Killed
        finish(journal, step, said)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "finish", killed)
        with pytest.raises(Killed):
            night(*words)
    first = night(*words)
    assert (first["exit_code"], first["resumed_at"]) == (0, "build")
    assert first["steps"]["fetch"]["taken"] == 2
    # What dbt had built before the kill is not built again.
    assert first["steps"]["build"]["was_committed"] is True
    assert rows("select count(*) from results.prospects_latest") == rows(
        "select count(*) from gold.automobile_prospects"
    )
    lines = (drop / "Train.csv").read_text().splitlines()
    lines[50] = lines[50].replace(",", ",x", 3)
    (drop / "Train.csv").write_text("\n".join(lines) + "\n")
    before = rows("from gold.automobile_prospects order by all")
    refused = night(*words)
    assert refused["exit_code"] == run_night.REFUSED
    assert refused["error"].startswith("fetch: Train.csv")
    assert "line 51" in refused["error"] or "row 50" in refused["error"]
    assert rows("from gold.automobile_prospects order by all") == before
    raw = settings.raw_dir("automobile") / "Train.csv"
    assert raw.read_bytes() == (shared_data / "automobile" / "Train.csv").read_bytes()


def log(customers: int, first: int = 0) -> str:
    lines = ["customer,day,amount"]
    for number in range(first, first + customers):
        own = np.random.default_rng(number)
        visits, spend = ((4, 20.0), (20, 8.0), (9, 60.0))[number % 3]
        for day in own.choice(np.arange(300), visits, replace=False):
            date = np.datetime64("2025-01-01") + int(day)
            lines.append(f"k{number:04d},{date},{own.normal(spend, spend / 10):.2f}")
    return "\n".join(lines) + "\n"


def test_a_log_is_loaded_anew(night: Night, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "sales.csv"
    file.write_text(log(150))
    words = ["--input", "sales.csv", "--name", "till", *LOG, "--json"]
    assert new_study.main(words) == 0, capsys.readouterr().out
    recipe = (home / "till.toml").read_text()
    asked_for = ("--study", "till.toml", "--input", "sales.csv")
    file.write_text(log(150, 10))
    first = night(*asked_for, "--", *LOG)
    assert first["exit_code"] == 0, first
    assert first["steps"]["load"]["rows"] == 150
    assert (home / "till.toml").read_text() == recipe
    before = rows("from gold.till_customers order by all")
    file.write_text(log(150, 10).replace("2025-", "soon-"))
    refused = night(*asked_for, "--", *LOG)
    assert refused["exit_code"] == run_night.REFUSED
    assert "sales.csv" in refused["error"]
    assert rows("from gold.till_customers order by all") == before
    assert night(*asked_for)["error"].startswith("study till was drafted from a log")
