"""Every command that writes brings the copy for readers up to date, by one rule at its end."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from models_py.base import settings
from models_py.base.errors import DataError
from models_py.commands import cleanup_temp_tables, new_study
from models_py.commands.exit_codes import end
from models_py.database.share import share_file
from models_py.database.waiting import open_for_writing


@pytest.fixture
def copy(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy of a home's warehouse, which is not there yet."""
    monkeypatch.chdir(home)
    monkeypatch.setenv(settings.SHARE_VARIABLE, "1")
    return share_file(settings.warehouse_path())


def relations(copy: Path) -> dict[str, int]:
    with duckdb.connect(str(copy), read_only=True) as raw:
        return dict(raw.execute("select relation, rows from share.about").fetchall())


def draft(rows: int, *words: str) -> int:
    draw = np.random.default_rng(3)
    lines = [f"c{n:03d},{draw.normal(50, 9):.2f},{draw.poisson(5)}" for n in range(rows)]
    Path("clients.csv").write_text("\n".join(["client_id,spend,visits", *lines]) + "\n")
    return new_study.main(["--input", "clients.csv", "--id", "client_id", "--json", *words])


def test_a_load_and_a_cleanup_are_seen_by_readers(copy: Path) -> None:
    assert draft(60) == 0
    assert relations(copy) == {"gold.clients": 60}
    with duckdb.connect(str(settings.warehouse_path())) as raw:
        raw.execute("create table gold.tmp_clients as from gold.clients")
    assert draft(70, "--force") == 0
    assert relations(copy) == {"gold.clients": 70, "gold.tmp_clients": 60}
    words = ["--execute", "--yes", "--without-manifest", "--json"]
    assert cleanup_temp_tables.main(words) == 0
    assert relations(copy) == {"gold.clients": 70}
    settings.warehouse_path().unlink()
    (backup,) = settings.backups_dir().iterdir()
    assert cleanup_temp_tables.main(["--restore", str(backup)]) == 0
    assert relations(copy) == {"gold.clients": 70, "gold.tmp_clients": 60}


def test_what_a_failed_command_wrote_is_seen_and_its_code_stays(copy: Path) -> None:
    assert draft(60) == 0

    def work() -> int:
        with open_for_writing() as warehouse:
            warehouse.rows("delete from gold.clients where spend > 50")
        raise DataError("the rest cannot be read")

    assert end(work) == 1
    assert 0 < relations(copy)["gold.clients"] < 60


def test_a_command_that_only_reads_copies_nothing(copy: Path) -> None:
    assert draft(60) == 0
    copy.unlink()
    assert cleanup_temp_tables.main(["--check", "--json"]) == 0
    assert not copy.exists()
