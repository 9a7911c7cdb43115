"""Every ready question has a purpose and runs, on a warehouse with a run of its study."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml
from planted_gold import gold_customers, planted_study, write_gold

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.commands.run_sql import find_question, main
from models_py.database.questions import ask
from models_py.pipeline import run_study

QUESTIONS = sorted(settings.sql_dir().glob("*.sql"))
MAY_BE_EMPTY = {"validity", "resembling_segments", "likely_moves"}
"""Not asked of the newest run, or of one partition, or by too few runs."""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the default study's name and one by life stage, over planted customers."""
    path = write_gold(tmp_path_factory.mktemp("questions") / "own.duckdb", gold_customers())
    quick = {
        "algorithms": [{"name": "kmeans", "k": 3}],
        "stability": {"refits": 2},
        "describe": {"measures": ["spend_amount", "life_stage"]},
    }
    stages = planted_study(name="grocery_lifestages", partition_by="life_stage", **quick)
    run_study(stages, path, 1, Silent())
    for seed in (1, 2):
        run_study(planted_study(name="grocery_customers", **quick), path, seed, Silent())
    return path


def test_there_are_at_least_eight() -> None:
    assert len(QUESTIONS) >= 8


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_says_its_purpose_and_has_an_answer(path: Path, warehouse: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith("-- ")
    assert first.endswith(".")
    answer = ask(find_question(str(path)), warehouse, {}, None)
    assert answer.columns
    assert answer.rows or path.stem in MAY_BE_EMPTY
    assert answer.rows or find_question(str(path)).why_empty


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_is_one_that_the_shell_runs_too(path: Path, warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as database:
        assert len(database.extract_statements(path.read_text())) == 1
        assert database.execute(path.read_text()).description is not None


def answers(name: str, warehouse: Path, *parameters: str) -> list[dict[str, object]]:
    question = find_question(name)
    values = dict(parameter.split("=") for parameter in parameters)
    answer = ask(question, warehouse, {k: int(v) for k, v in values.items()}, None)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def test_latest_segments_and_sizes(warehouse: Path) -> None:
    rows = answers("latest_segments", warehouse)
    assert [(row["segment_id"], row["size"]) for row in rows] == [(1, 120), (2, 80), (3, 40)]
    assert sum(float(str(row["share_percent"])) for row in rows) == pytest.approx(100, abs=0.2)


def test_customers_of_a_segment(warehouse: Path) -> None:
    assert {row["segment_id"] for row in answers("segment_customers", warehouse)} == {3}
    rows = answers("segment_customers", warehouse, "segment_id=2")
    assert (len(rows), {row["segment_id"] for row in rows}) == (80, {2})
    assert {row["planted"] for row in rows} == {"big"}


def test_profile_of_a_segment(warehouse: Path) -> None:
    rows = answers("segment_profile", warehouse, "segment_id=2")
    assert rows[0]["feature"] == "spend_amount"
    assert not rows[0]["is_model_feature"]
    strengths = [abs(float(str(row["z"]))) for row in rows]
    assert strengths == sorted(strengths, reverse=True)


def test_why_a_feature_was_dropped(warehouse: Path) -> None:
    (row,) = answers("dropped_features", warehouse)
    assert (row["feature"], row["reason"]) == ("own_label_share", "every value is null")


def test_value_and_life_stages_add_up(warehouse: Path) -> None:
    value = [row for row in answers("segment_value", warehouse) if row["measure"] == "spend_amount"]
    assert sum(int(str(row["size"])) for row in value) == 240
    assert sum(float(str(row["part_of_all"])) for row in value) == pytest.approx(1.0)
    stages = answers("segments_by_column", warehouse)
    assert {row["column_value"] for row in stages} == {"OA", "YF", "XX"}
    assert sum(int(str(row["row_count"])) for row in stages) == 240
    mix = {(row["segment_id"], row["part"]): row for row in answers("segment_mix", warehouse)}
    gold = gold_customers()
    everybody = float(gold["discount_share"].mean())
    assert mix[1, "discount_share"]["population_share"] == pytest.approx(everybody, abs=1e-4)
    planted = gold[gold["planted"] == "rare"]["discount_share"].mean()
    assert mix[1, "discount_share"]["share"] == pytest.approx(float(planted), abs=1e-4)


def test_nobody_moved_between_two_runs_of_the_same(warehouse: Path) -> None:
    rows = answers("moved_customers", warehouse)
    assert all(row["is_stayed"] for row in rows)
    assert sum(int(str(row["row_count"])) for row in rows) == 240


def test_another_study_by_a_parameter(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["latest_segments", "--warehouse", str(warehouse), "--format", "json"]
    for study in (["--param", "study=grocery_lifestages"], ["--study", "grocery_lifestages"]):
        assert main([*words, *study]) == 0
        assert len(json.loads(capsys.readouterr().out)) == 9


def test_the_planted_gold_has_columns_of_the_real_one() -> None:
    result = settings.dbt_project_dir() / "models" / "gold" / "grocery" / "_grocery__models.yml"
    models = {m["name"]: m for m in yaml.safe_load(result.read_text())["models"]}
    real = {column["name"] for column in models["gold_grocery_customers"]["columns"]}
    assert set(gold_customers()) - {"planted"} <= real


@pytest.fixture(scope="module")
def shoes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of a study of another table with another key, without shares or measures."""
    path = tmp_path_factory.mktemp("shoes") / "own.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute(
            'create schema gold; create table gold.shoes as select range as "shoe no",'
            " 20.0 + 20 * (range % 2) + range % 3 as price, 35 + range % 2 * 8 as size_eu,"
            " case range % 2 when 0 then 'boot' else 'sandal' end as kind from range(60)"
        )
    study = planted_study(
        name="shoes",
        table="gold.shoes",
        entity="shoe no",
        features={"include": ["price", "size_eu"]},
        describe={},
        algorithms=[{"name": "kmeans", "k": 2}],
        stability={"refits": 2},
    )
    run_study(study, path, 1, Silent())
    return path


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_answers_for_any_study_or_says_why_not(
    path: Path, shoes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([path.stem, "--warehouse", str(shoes)])
    printed = capsys.readouterr()
    if path.stem == "rejected_rows":
        assert code == 1
        assert "has no silver.*_rejections" in printed.err
        return
    assert code == 0, printed.err
    assert "\n0 rows\n" not in printed.out or "\nwhy: " in printed.out


def test_another_table_s_key_and_columns(shoes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--warehouse", str(shoes), "--format", "json"]
    assert main(["segments_by_column", *asked]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["column_value"], row["row_count"], row["lift"]) for row in rows} == {
        ("boot", 30, 2.0),
        ("sandal", 30, 2.0),
    }
    assert main(["segment_customers", *asked, "--param", "segment_id=2"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 30
    assert main(["segments_by_column", *asked, "--param", "column=knd"]) == 2
    assert "did you mean 'kind'" in json.loads(capsys.readouterr().out)["error"]


def test_who_is_likely_to_move_next(warehouse: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(warehouse, tmp_path))
    with duckdb.connect(str(path)) as database:
        database.execute(
            "insert into results.move_forecasts select max_by(run_id, number), 2, 480, 0.1, 0.8,"
            " 240, null from results.runs where status = 'done'"
        )
        database.execute(
            "insert into results.likely_moves select run_id, entity_id, segment_id, 1 - confidence"
            " from results.assignments semi join results.move_forecasts using (run_id)"
        )
    rows = answers("likely_moves", path)
    assert len(rows) == 240
    likelihoods = [float(str(row["likelihood"])) for row in rows]
    assert likelihoods == sorted(likelihoods, reverse=True)
    assert {row["auc_out_of_time"] for row in rows} == {0.8}
