"""The command score_customers over a real run in a real warehouse."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from held_warehouse import held
from tests.models_py.runs.planted_house import customers, run, study

from models_py.base import settings
from models_py.commands.score_customers import main
from models_py.database.waiting import open_for_writing

SCRIPT = settings.repository() / "scripts" / "score_customers.py"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one run; copy it before writing."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(folder))
        run(study(), customers())
    return folder


@pytest.fixture
def house(finished: Path, home: Path) -> Path:
    shutil.copytree(finished / "data", home / "data")
    return home


def query(sql: str) -> pd.DataFrame:
    with duckdb.connect(str(settings.warehouse_path()), read_only=True) as database:
        return database.execute(sql).df()


def score(*arguments: str) -> int:
    return main(["--study", "shop", *arguments])


def test_help_imports_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "python scripts/score_customers.py --sql" in done.stdout
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert imported.isdisjoint({"duckdb", "sqlalchemy", "pandas", "pyarrow", "numpy", "sklearn"})


def test_gold_goes_to_the_results(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score("--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["customers"] == 400
    assert (content["new_customers"], content["moved_customers"]) == (0, 0)
    assert content["methods"] == ["nearest center"]
    assert content["written_to"] == "results.scores"
    same = query(
        "select count(*) as rows, count(distinct scores.entity_id) as entities,"
        " sum((scores.segment_id = assignments.segment_id)::int) as same"
        " from results.scores join results.assignments using (run_id, entity_id)"
    )
    assert same.iloc[0].tolist() == [400, 400, 400]


def test_coordinates_are_those_that_were_clustered(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("--coordinates") == 2
    assert "--output embeddings.parquet" in capsys.readouterr().err
    file = house / "embeddings.parquet"
    assert score("--coordinates", "--output", str(file)) == 0
    # Each row's segment is the nearest center of the coordinates that a user reads by SQL.
    ((rows, near),) = duckdb.sql(
        f"with told as (unpivot '{file}' on columns('coordinate_.*') into name place value x),"
        " middles as (select segment_id as of, place, avg(x) as middle from told group by all),"
        " apart as (select customer_id, segment_id, of, sum((x - middle) ** 2) as squares"
        " from told join middles using (place) group by all)"
        " select count(*), count(*) filter (segment_id = nearest) from (select customer_id,"
        " segment_id, arg_min(of, squares) as nearest from apart group by all)"
    ).fetchall()
    assert rows == 400
    assert near >= 0.99 * rows


def test_scores_wait_for_a_reader(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held(settings.warehouse_path(), "read"):
        assert score("--json", "--wait", "0") == 3
        told = capsys.readouterr()
        assert told.err.startswith("waiting: scoring by run ")
        assert json.loads(told.out)["written_to"] in told.err
    with open_for_writing(settings.warehouse_path()) as warehouse:
        assert warehouse.rows("select count(*) from results.scores") == [(400,)]


def test_scoring_again_replaces_the_score_before(house: Path) -> None:
    assert score() == 0
    assert score("--input", "gold.shop_customers") == 0
    found_count = query(
        "select count(*) as rows, count(distinct scored_at) as times from results.scores"
    )
    assert found_count.iloc[0].tolist() == [400, 1]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_scores_as_the_table_does(
    house: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = house / f"new.{kind}", house / f"scores.{kind}"
    frame = customers()
    if kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    assert score("--input", str(path), "--output", str(out), "--json") == 0
    assert json.loads(capsys.readouterr().out)["moved_customers"] == 0
    scored = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
    assert list(scored["customer_id"]) == list(frame["customer_id"])
    assert set(scored.columns) == {
        "run_id",
        "customer_id",
        "partition",
        "segment_id",
        "segment_name",
        "confidence",
        "method",
        "note",
        "scored_at",
    }
    assert not [path.name for path in house.iterdir() if ".part" in path.name]


def test_ids_of_a_csv_keep_their_zeros(house: Path) -> None:
    frame = customers(20, seed=6)
    frame["customer_id"] = [f"{i:04d}" for i in range(20)]
    frame.to_csv(house / "new.csv", index=False)
    assert score("--input", str(house / "new.csv")) == 0
    ids = query("select entity_id from results.scores order by all")["entity_id"]
    assert list(ids) == list(frame["customer_id"])


def test_people_are_told_who_is_new(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    customers(450).to_csv(house / "new.csv", index=False)
    assert score("--input", str(house / "new.csv")) == 0
    out = capsys.readouterr().out
    assert "450 customers of" in out
    assert "by the nearest center" in out
    assert "50 were not in the run" in out


def test_sql_prints_a_statement_that_gives_the_same_labels(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("--sql") == 0
    statement = capsys.readouterr().out
    assert statement.startswith("-- Segments of study shop, run ")
    scored = query(statement).set_index("customer_id")["segment_id"]
    rows = query("select * from results.assignments").set_index("entity_id")["segment_id"]
    assert scored.sort_index().tolist() == rows.sort_index().tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="spend_amount"), "no column 'spend_amount', which run"),
        (lambda f: f.drop(columns="customer_id"), "no column 'customer_id'"),
        (lambda f: pd.concat([f, f.iloc[:2]]), "customer_id has 'C00001' more than once (2 rows"),
        (lambda f: f.assign(customer_id=None), "customer_id is null on 30 rows"),
        (lambda f: f.assign(spend_amount="much"), "'spend_amount' holds 'much' where the run had"),
        (lambda f: f.iloc[:0], "has no rows"),
    ],
    ids=["column", "entity", "twice", "null", "words", "empty"],
)
def test_rows_that_cannot_be_scored_are_one_line(
    house: Path, change: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = house / "new.csv"
    change(customers(30)).to_csv(path, index=False)  # type: ignore[operator]
    assert score("--input", str(path)) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--input", "nowhere.csv"], 2, "there is no such file"),
        (["--input", "nowhere"], 2, "give a .csv, .xlsx or .parquet file, or a table"),
        (["--input", "gold.nowhere"], 1, "has no table gold.nowhere"),
        (["--input", "data"], 2, "--input data: is a folder"),
        (["--input", "new.ods"], 2, "give a .csv, .xlsx or .parquet file, or a table"),
        (["--output", "scores.xlsx"], 2, "end the name in .csv or .parquet"),
        (["--output", "no/scores.csv"], 2, "--output no/scores.csv: there is no folder no; make"),
        (["--output", "folder.csv"], 2, "--output folder.csv: is a folder"),
        (["--warehouse", "data"], 1, "data is a folder: name the DuckDB file in it"),
        (["--study", "folder.toml"], 1, "folder.toml is a folder: name the .toml file in it"),
        (["--run", "20200101"], 2, "there is no finished run '20200101'"),
        (["--sql", "--output", "a.csv"], 2, "--sql prints a statement and nothing else"),
    ],
)
def test_wrong_words_are_one_line(
    house: Path,
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(house)
    for folder in ("folder.csv", "folder.toml"):
        (house / folder).mkdir()
    (house / "new.ods").touch()
    assert score(*arguments) == code
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_study_that_never_ran_is_one_line(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--study", "shopp"]) == 1
    assert "study shopp has no finished run; did you mean 'shop'?" in capsys.readouterr().err


def test_a_tampered_run_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = next((house / "data" / "models").iterdir())
    with (folder / "partition_0" / "rule.npz").open("ab") as stream:
        stream.write(b"x")
    assert score() == 1
    assert "rule.npz was changed after saving" in capsys.readouterr().err
