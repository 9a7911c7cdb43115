"""Every ready question has a purpose and runs, on a warehouse with a run of its study."""

from __future__ import annotations

import json
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
MAY_BE_EMPTY = {"rejected_rows", "validity"}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the default study's name and one by life stage, over planted customers."""
    path = write_gold(tmp_path_factory.mktemp("questions") / "own.duckdb", gold_customers())
    quick = {
        "algorithms": [{"name": "kmeans", "k": 3}],
        "stability": {"refits": 2},
        "describe": {"measures": ["spend_amount", "life_stage"]},
    }
    for seed in (1, 2):
        run_study(planted_study(name="grocery_customers", **quick), path, seed, Silent())
    stages = planted_study(name="grocery_lifestages", partition_by="life_stage", **quick)
    run_study(stages, path, 1, Silent())
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
    value = answers("segment_value", warehouse)
    assert sum(int(str(row["customer_count"])) for row in value) == 240
    stages = answers("segments_by_life_stage", warehouse)
    assert {row["life_stage"] for row in stages} == {"OA", "YF"}
    assert sum(int(str(row["customer_count"])) for row in stages) == 160
    departments = answers("segment_spend_by_department", warehouse)
    assert len(departments) == 9
    assert {float(str(row["lift"])) for row in departments} == {1.0}


def test_nobody_moved_between_two_runs_of_the_same(warehouse: Path) -> None:
    rows = answers("moved_customers", warehouse)
    assert all(row["is_stayed"] for row in rows)
    assert sum(int(str(row["customer_count"])) for row in rows) == 240


def test_another_study_by_a_parameter(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["latest_segments", "--warehouse", str(warehouse), "--format", "json"]
    assert main([*words, "--param", "study=grocery_lifestages"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 9


def test_the_planted_gold_has_columns_of_the_real_one() -> None:
    result = settings.dbt_project_dir() / "models" / "gold" / "grocery" / "_grocery__models.yml"
    models = {m["name"]: m for m in yaml.safe_load(result.read_text())["models"]}
    real = {column["name"] for column in models["gold_grocery_customers"]["columns"]}
    assert set(gold_customers()) - {"planted"} <= real
