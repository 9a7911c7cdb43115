"""dbt's own command brings the copy for readers up to date, where nothing of it failed."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from models_py.base import settings
from models_py.commands import build_warehouse
from models_py.database.share import share_file

SEED, LACKS_ITS_SOURCES = "bronze_grocery_departments", "gold_grocery_stores"


def test_a_build_is_seen_by_readers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [settings.repository(), settings.dbt_project_dir() / "plugins"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))
    monkeypatch.setenv(settings.SHARE_VARIABLE, "1")
    plant(12)
    assert build_warehouse.main(["--quiet", "--select", SEED]) == 0
    assert shared() == 12
    plant(14)
    assert build_warehouse.main(["--quiet", "--select", LACKS_ITS_SOURCES]) == 1
    assert shared() == 12


def plant(rows: int) -> None:
    settings.warehouse_path().parent.mkdir(exist_ok=True)
    with duckdb.connect(str(settings.warehouse_path())) as raw:
        raw.execute("create schema if not exists gold")
        raw.execute(f"create or replace table gold.clients as from range({rows})")


def shared() -> int:
    with duckdb.connect(str(share_file(settings.warehouse_path())), read_only=True) as raw:
        ((rows,),) = raw.execute("select count(*) from gold.clients").fetchall()
    return int(rows)
