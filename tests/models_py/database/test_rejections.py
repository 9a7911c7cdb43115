"""Which table says what was left out, asked of a real warehouse."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from models_py.base import settings
from models_py.commands import new_study, run_sql

DOMAINS = ("automobile", "bank", "grocery", "online_retail", "retail_org", "my_shop")


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warehouse in which every domain left out rows, each with columns of its own."""
    monkeypatch.chdir(home)
    settings.warehouse_path().parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse_path())) as database:
        database.execute("create schema silver")
        for place, domain in enumerate(DOMAINS):
            more = "" if domain == "my_shop" else ", 'x' as left_out_of"
            database.execute(
                f"create table silver.{domain}_rejections as select 'line' as entity,"
                f" '{domain}' as reason, 'r' as rule, {place} as row_count{more}"
            )
    return home


def answer(capsys: pytest.CaptureFixture[str], *parameters: str) -> list[dict[str, object]]:
    assert run_sql.main(["rejected_rows", "--format", "json", *parameters]) == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


@pytest.mark.parametrize(
    ("study", "domain"),
    [
        ("automobile_kmeans", "automobile"),
        ("bank", "bank"),
        ("grocery_lifestages", "grocery"),
        ("returns", "online_retail"),
        ("returns_density", "online_retail"),
        ("retail_org_dbscan", "retail_org"),
        ("my_shop", "my_shop"),
    ],
)
def test_every_study_has_an_answer(
    house: Path, capsys: pytest.CaptureFixture[str], study: str, domain: str
) -> None:
    (row,) = answer(capsys, "--param", f"study={study}")
    assert (row["study"], row["reason"]) == (study, domain)


def test_without_a_study_it_is_the_default(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = answer(capsys)
    assert row["reason"] == "grocery"


def test_a_study_that_nobody_knows_is_refused(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_sql.main(["rejected_rows", "--param", "study=my_shopp"]) == 2
    assert "did you mean 'my_shop'?" in capsys.readouterr().err


def test_lines_of_a_file_are_rows_of_gold_and_rows_left_out(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"C{i},{i % 7},{i * 3}" for i in range(60)]
    lines += ["C1,1,3", ",5,6"]
    (house / "people.csv").write_text("id,visits,spend\n" + "\n".join(lines) + "\n")
    assert new_study.main(["--input", "people.csv", "--id", "id", "--json"]) == 0
    capsys.readouterr()
    rows = answer(capsys, "--param", "study=people")
    with duckdb.connect(str(settings.warehouse_path()), read_only=True) as database:
        (gold,) = database.execute("select count(*) from gold.people").fetchone() or (0,)
    assert gold == 60
    assert gold + sum(int(str(row["row_count"])) for row in rows) == len(lines)
    assert len(rows) == 2
