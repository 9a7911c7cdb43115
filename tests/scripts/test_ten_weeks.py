"""Ten weeks of customers that come, go and change, a broken file and a killed night."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nights import STUDY as CLIENTS, without_pictures
from planted_gold import asked

from models_py.base import settings
from models_py.commands import new_study, run_night, run_sql
from models_py.database.connection import open_warehouse
from models_py.database.maintenance.integrity import check_warehouse, faults

WEEKS = 10
NEWCOMERS_IN, BROKEN_IN, KILLED_IN, ALWAYS_FROM = 5, 7, 8, 6
GROUPS = {"few": (20, 3, 30), "many": (60, 14, 9), "big": (115, 25, 18), "young": (20, 26, 45)}
"""Spend, visits and orders of each planted group; the young come in the fifth week."""
STUDY = CLIENTS.replace("k = 3", "k = [3, 5]")


@dataclass
class Shop:
    """Customers by their planted group; restless ones change between two groups."""

    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))
    groups: dict[str, str] = field(default_factory=dict)
    restless: set[str] = field(default_factory=set)
    count: int = 0

    def come(self, number: int, group: str | None = None) -> None:
        for _ in range(number):
            name = f"c{self.count:05d}"
            self.count += 1
            self.groups[name] = group or ("few", "many", "big")[self.count % 3]
            if group is None and self.generator.random() < 0.25:
                self.restless.add(name)

    def week_passes(self, week: int) -> None:
        for name in self.generator.permutation(sorted(self.groups))[:12]:
            del self.groups[str(name)]
        self.come(12)
        if week == NEWCOMERS_IN:
            self.come(120, "young")
        for name in sorted(self.restless & self.groups.keys()):
            if self.generator.random() < 0.4:
                self.groups[name] = "many" if self.groups[name] != "many" else "few"

    def file(self) -> str:
        lines = ["client_id,spend,visits,orders"]
        for name, group in sorted(self.groups.items()):
            spend, visits, orders = GROUPS[group]
            own = np.random.default_rng([int(name[1:]), len(self.groups)])
            lines.append(
                f"{name},{own.normal(spend, 4):.2f},{own.poisson(visits)},{own.poisson(orders)}"
            )
        return "\n".join(lines) + "\n"


def rows(sql: str) -> list[tuple[Any, ...]]:
    return asked(settings.warehouse_path(), sql)


def night(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    with without_pictures():
        run_night.main(["--study", "clients.toml", "--input", "clients.csv", *words])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def killed_night(home: Path, *words: str) -> None:
    """Start a night as a process of its own and kill it while it refits."""
    script = settings.repository() / "scripts" / "run_night.py"
    journal = settings.warehouse_path().with_name("segmenthouse.duckdb.nights") / "clients.json"
    process = subprocess.Popen(
        [sys.executable, str(script), "--study", "clients.toml", "--input", "clients.csv", *words],
        cwd=home,
        env={**os.environ, settings.HOME_VARIABLE: str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None:
        if json.loads(journal.read_text())["at_work"] == "refit" and has_begun(journal):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.02)
    printed, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()
    assert printed == b""


def has_begun(journal: Path) -> bool:
    """Whether the run is recorded: the file is written after the journal said that it begins.

    Asking the warehouse itself would hold it, and the night would have to wait.
    """
    return settings.warehouse_path().stat().st_mtime_ns > journal.stat().st_mtime_ns


def test_ten_weeks(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    file, shop, alerts = home / "clients.csv", Shop(), home / "alerts.jsonl"
    shop.come(420)
    file.write_text(shop.file())
    assert new_study.main(["--input", "clients.csv", "--id", "client_id", "--json"]) == 0
    drafted = (home / "clients.toml").read_text()
    (home / "clients.toml").write_text(STUDY + drafted[drafted.index("[reading]") :])
    capsys.readouterr()
    ids: dict[str, int] = {}
    runs: list[str] = []
    for week in range(1, WEEKS + 1):
        if week > 1:
            shop.week_passes(week)
        whole = shop.file()
        words = ["--alert", f"tee -a {alerts}"]
        words += ["--refit", "always"] if week >= ALWAYS_FROM else []
        if week == BROKEN_IN:
            check_a_broken_file(capsys, file, whole, words)
        file.write_text(whole)
        if week == KILLED_IN:
            killed_night(home, *words)
            assert rows("select count(*) from results.runs where status = 'done'") == [(len(runs),)]
        said = night(capsys, *words)
        assert said["exit_code"] == 0, said
        assert said["resumed_at"] == ("refit" if week == KILLED_IN else None)
        check_nobody_is_lost(shop)
        if said["steps"]["refit"]["outcome"] == "done":
            runs.append(said["run_id"])
            check_ids(shop, said["run_id"], ids)
    # Quiet weeks made no run, the newcomers and every week from the sixth on made one.
    assert len(runs) == 2 + WEEKS - ALWAYS_FROM + 1
    assert rows("select run_id from results.runs where status = 'done' order by number") == [
        (run_id,) for run_id in runs
    ]
    # The killed run left its row, and nothing else.
    ((error,),) = rows("select error from results.runs where status <> 'done'")
    assert "ended without finishing it" in error
    with open_warehouse(read_only=True) as warehouse:
        assert faults(check_warehouse(warehouse)) == []
    check_alerts(alerts)
    check_the_page(Path(said["page"]), ids, shop)
    check_the_questions(capsys, shop)


def check_a_broken_file(
    capsys: pytest.CaptureFixture[str], file: Path, whole: str, words: list[str]
) -> None:
    before = rows("from gold.clients order by all"), rows("select max(number) from results.runs")
    lines = whole.splitlines()
    lines[200] = lines[200].replace(",", ',"', 1)
    file.write_text("\n".join(lines) + "\n")
    said = night(capsys, *words)
    assert said["exit_code"] == run_night.REFUSED
    assert re.search(r"clients\.csv.*\bline \d+", said["error"])
    assert (
        rows("from gold.clients order by all"),
        rows("select max(number) from results.runs"),
    ) == (before)


def check_nobody_is_lost(shop: Shop) -> None:
    """Everybody in the file is in gold and has a segment, by the run or its scores."""
    assert {name for (name,) in rows("select client_id from gold.clients")} == set(shop.groups)
    standing = "(select max_by(run_id, number) from results.runs where status = 'done')"
    told = rows(
        f"select entity_id from results.assignments where run_id = {standing} union"
        f" select entity_id from results.scores where run_id = {standing}"
    )
    assert set(shop.groups) <= {name for (name,) in told}


def check_ids(shop: Shop, run_id: str, ids: dict[str, int]) -> None:
    """Each planted group is one segment, with the id that it had in every run before."""
    given = dict(
        rows(f"select entity_id, segment_id from results.assignments where run_id = '{run_id}'")
    )
    assert set(given) == set(shop.groups)
    for group in sorted(set(shop.groups.values())):
        members = [given[name] for name, own in shop.groups.items() if own == group]
        commonest = max(set(members), key=members.count)
        assert members.count(commonest) > 0.9 * len(members)
        assert ids.setdefault(group, commonest) == commonest
    assert len(set(ids.values())) == len(ids)


def check_alerts(file: Path) -> None:
    told = [json.loads(line) for line in file.read_text().splitlines()]
    said = [alert for line in told for alert in line["alerts"]]
    assert [alert for alert in said if alert.startswith("drift: refit: ")]
    assert [alert for alert in said if " took over from " in alert]
    assert [alert for alert in said if alert.startswith("load: ") and "clients.csv" in alert]


def check_the_page(page: Path, ids: dict[str, int], shop: Shop) -> None:
    html = page.read_text()
    history = html[html.index('id="history"') : html.index('id="moves"')]
    assert re.search(rf"{ids['young']}\b[^<]*</td>\s*<td[^>]*>born", history)
    assert "1 born" in history
    moves = html[html.index('id="moves"') :]
    assert re.search(r"AUC 0\.[6-9]\d?, where 0\.5 is chance", moves)
    assert not [name for name in shop.groups if name in html]


def check_the_questions(capsys: pytest.CaptureFixture[str], shop: Shop) -> None:
    assert run_sql.main(["likely_moves", "--format", "json", "--limit", "1000"]) == 0
    likely = json.loads(capsys.readouterr().out)
    assert {row["entity_id"] for row in likely} == set(shop.groups)
    first = [row["entity_id"] in shop.restless for row in likely[:40]]
    last = [row["entity_id"] in shop.restless for row in likely[-200:]]
    assert sum(first) / 40 > 2 * sum(last) / 200
    ((auc,),) = rows("select auc from results.move_forecasts order by run_id desc limit 1")
    assert auc > 0.65
    mover = likely[0]["entity_id"]
    assert run_sql.main(["customer_path", "--param", f"entity_id={mover}", "--format", "json"]) == 0
    path = json.loads(capsys.readouterr().out)
    assert sum(row["is_moved"] for row in path) >= 1
