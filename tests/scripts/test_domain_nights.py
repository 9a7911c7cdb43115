"""Nights over the grocery domain: raw weeks, dbt, segments; killed in a build and in a refit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nights import QUICK
from planted_gold import asked

from models_py.base import settings
from models_py.commands import generate_grocery
from models_py.commands.night_steps import STEPS
from models_py.database.connection import open_warehouse
from models_py.database.maintenance.integrity import check_warehouse, faults
from models_py.database.share import share_file

STUDY = (
    """
title = "Shoppers"
table = "gold.grocery_customers"
entity = "customer_id"
[features]
include = ["baskets_per_week", "basket_spend_mean", "basket_lines_mean", "category_richness"]
"""
    + QUICK
)
HALF_BUILT = "OK created sql table model silver"
Night = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def night(home: Path) -> Night:
    """Starts a night as a process group of its own, dbt in it."""
    (home / "shoppers.toml").write_text(STUDY)
    paths = [settings.repository(), settings.dbt_project_dir() / "plugins"]
    words = [sys.executable, str(settings.repository() / "scripts" / "run_night.py")]
    words += ["--study", "shoppers.toml", "--from", str(home / "drop"), "--keep-runs", "1"]
    words += ["--source", "sort_of_real", "--vars", "{grocery_source: sort_of_real}"]

    def start(*more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*words, *more],
            cwd=home,
            env=settings.environment_of(home)
            | {settings.SHARE_VARIABLE: "1", "PYTHONPATH": os.pathsep.join(map(str, paths))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


def rows(sql: str) -> list[tuple[Any, ...]]:
    # The system may still be at the end of a process that was killed.
    with open_warehouse(read_only=True, wait_seconds=60) as warehouse:
        return warehouse.rows(sql)


def line_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    printed, said = process.communicate()
    assert process.returncode == 0, printed + said
    line: dict[str, Any] = json.loads(printed)
    assert list(line["steps"]) == [step.name for step in STEPS]
    return line


def kill_in(process: subprocess.Popen[str], is_there: Callable[[], bool]) -> None:
    """Kill the night and what it started, as a machine that goes down does."""
    while process.poll() is None:
        if is_there():
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    printed, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    assert printed == ""


def journal() -> Path:
    return settings.warehouse_path().with_name("segmenthouse.duckdb.nights") / "shoppers.json"


def is_at(step: str) -> bool:
    return journal().is_file() and json.loads(journal().read_text())["at_work"] == step


def check_nobody_is_lost(run_id: str) -> int:
    """Everybody of gold has a segment, here and in the copy for readers; nothing is left over."""
    counts = (
        "select (select count(*) from gold.grocery_customers), (select count(*) from"
        f" results.assignments as a join gold.grocery_customers as g on a.entity_id = g.customer_id"
        f" where a.run_id = '{run_id}'), (select count(*) from results.assignments where run_id ="
        f" '{run_id}')"
    )
    ((customers, found, assigned),) = rows(counts)
    assert customers == found == assigned > 0
    assert asked(share_file(settings.warehouse_path()), counts) == [(customers, found, assigned)]
    with open_warehouse(read_only=True) as warehouse:
        assert faults(check_warehouse(warehouse)) == []
    return int(customers)


def test_weeks_of_a_domain_become_segments(
    night: Night, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drop, log = home / "drop", home / "data" / "dbt" / "dbt.log"
    weeks = ["--customers", "90", "--output", str(drop), "--json"]
    assert generate_grocery.main([*weeks, "--weeks", "8"]) == 0

    kill_in(night(), lambda: is_at("build") and log.is_file() and HALF_BUILT in log.read_text())
    schemas = {name for (name,) in rows("select table_schema from information_schema.tables")}
    assert "bronze" in schemas
    assert "gold" not in schemas
    # The run is recorded: the file is written after the journal said that it begins.
    kill_in(
        night(),
        lambda: (
            is_at("refit")
            and settings.warehouse_path().stat().st_mtime_ns > journal().stat().st_mtime_ns
        ),
    )
    first = line_of(night())
    assert (first["exit_code"], first["resumed_at"]) == (0, "refit")
    assert "was_committed" not in first["steps"]["build"]
    done = {name for name, step in first["steps"].items() if step["outcome"] == "done"}
    assert done == {"fetch", "build", "refit", "moves", "page", "retention", "share"}
    customers = check_nobody_is_lost(first["run_id"])

    assert generate_grocery.main([*weeks, "--weeks", "10", "--first", "9"]) == 0
    second = line_of(night("--refit", "always"))
    assert (second["exit_code"], second["resumed_at"]) == (0, None)
    assert second["steps"]["fetch"]["taken"] > 0
    assert second["steps"]["gates"]["challenger"] == second["steps"]["refit"]["run_id"]
    assert check_nobody_is_lost(second["run_id"]) >= customers
    ((weeks_there,),) = rows(
        "select count(distinct shop_week) from bronze.grocery_sort_of_real_transactions"
    )
    assert weeks_there == 10
