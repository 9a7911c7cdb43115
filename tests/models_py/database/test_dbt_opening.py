"""dbt opens the warehouse as the other commands do: it waits, names who holds it, takes in."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from held_warehouse import held

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.database import results, waiting
from models_py.database.dbt_opening import Plugin, tell_of_interrupt


@pytest.fixture
def path(home: Path) -> Path:
    file = settings.warehouse_path()
    file.parent.mkdir()
    duckdb.connect(str(file)).close()
    return file


def open_by_dbt(path: str) -> None:
    plugin = Plugin("models_py.database.dbt_opening", {}, None)
    plugin.update_connection_config(SimpleNamespace(path=path), {})


def test_a_held_file_is_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held(path, "read") as holder:
        with pytest.raises(RuntimeError, match=f"is in use by process {holder.pid} ") as failed:
            open_by_dbt(str(path))
        assert "\n" not in str(failed.value)
        monkeypatch.setenv(settings.WAIT_VARIABLE, "0.1")
        with pytest.raises(RuntimeError, match=r"\(waited 0\.1 s\)$"):
            open_by_dbt(str(path))
    open_by_dbt(str(path))


def test_what_waits_is_taken_in(path: Path) -> None:
    start = results.RunStart("1", "own", results.utc_now(), 4, "gold.a", "id", "{}", "{}")
    waiting.stage_failure(path, start, "no rows")
    open_by_dbt(":memory:")
    assert len(waiting.list_waiting(path)) == 1
    open_by_dbt(str(path))
    assert waiting.list_waiting(path) == []
    with duckdb.connect(str(path)) as database:
        recorded = database.execute("select run_id, status, error from results.runs").fetchall()
    assert recorded == [("1", "failed", "no rows")]


@pytest.mark.parametrize("text", ["-1", "long", "nan"])
def test_no_time_to_wait(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(settings.WAIT_VARIABLE, text)
    with pytest.raises(UsageError, match=f"SEGMENTHOUSE_WAIT={text}: must be 0 or more seconds"):
        settings.wait_seconds()


def test_an_interrupt_is_one_line_and_an_error_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    tell_of_interrupt(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err.count("\n") == 1
    tell_of_interrupt(ValueError, ValueError("odd"), sys.exc_info()[2])
    assert "ValueError: odd" in capsys.readouterr().err
