"""Whole databases go round: backed up, restored into a new file, equal in everything."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from generated_databases import build, databases, everything
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from models_py.database.connection import open_warehouse
from models_py.database.maintenance import backup as backups
from models_py.database.maintenance.backup import make_backup
from models_py.database.maintenance.catalog import read_relations
from models_py.database.maintenance.restore import restore_backup


@settings(
    max_examples=50, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(statements=databases(), share=st.sampled_from([0.0, 2.0]))
def test_a_generated_database_comes_back_equal(statements: list[str], share: float) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(backups, "WHOLE_FILE_SHARE", share)
        path = Path(folder) / "segmenthouse.duckdb"
        build(path, statements)
        before = everything(path)
        with open_warehouse(path) as warehouse:
            made = make_backup(
                warehouse, read_relations(warehouse), Path(folder) / "backups", datetime(2025, 1, 1)
            )
        assert made.left_out == {}
        again = Path(folder) / "again" / "segmenthouse.duckdb"
        restore_backup(again, made)
        assert everything(again) == before
