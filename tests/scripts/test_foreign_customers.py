"""Customer files as their owners have them: what a first study makes of each."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from models_py.base import settings
from models_py.base.progress import LiveLine
from models_py.commands import new_study, run_clustering, score_customers
from models_py.features.matrix import FeatureMatrix, check_patterns
from models_py.studies.loading import load_study
from models_py.studies.study import Features


@pytest.fixture
def foreign(shared_data: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = shared_data / "foreign"
    if not folder.is_dir():
        pytest.skip(f"the files are not at {folder}")
    monkeypatch.chdir(home)
    return folder


def drafted(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str], *more: str
) -> dict[str, dict[str, Any]]:
    """Draft a study of a file and return what each column was taken for."""
    shutil.copy(folder / f"customers_{name}.csv", "people.csv")
    words = ["--input", "people.csv", "--id", "id", "--json", *more]
    assert new_study.main(words) == 0
    columns = json.loads(capsys.readouterr().out)["columns"]
    return {column["name"]: column for column in columns}


def test_codes_as_numbers(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = drafted(foreign, "codes_as_numbers", capsys)
    roles = {name: column["role"] for name, column in columns.items()}
    assert roles == {
        "spend": "number",
        "sex": "category",
        "postcode": "category",
        "phone": "left out",
        "branch": "category",
    }
    assert load_study("people.toml").features.categorical == ["sex", "postcode", "branch"]


def test_outcome_not_named_churn(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = drafted(foreign, "outcome_not_named_churn", capsys)
    for name in ("default.payment.next.month", "Exited", "Response", "Attrition_Flag"):
        assert columns[name]["role"] == "left out", name
        assert columns[name]["reason"].startswith("an outcome by its name")
        assert f"--label {name}" in columns[name]["reason"]
    assert load_study("people.toml").features.include == ["age", "limit"]


def test_sentinels(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(foreign / "customers_sentinels.csv", "people.csv")
    assert new_study.main(["--input", "people.csv", "--id", "id"]) == 0
    shown = capsys.readouterr().out
    assert "missing: age: -1 on 2 rows stands for no value" in shown
    assert "missing: score: 999 on 2 rows stands for no value" in shown
    features = load_study("people.toml").features
    assert features.missing == {"age": [-1], "score": [999]}
    with duckdb.connect(str(settings.warehouse_path()), read_only=True) as database:
        frame = database.execute("select * exclude (id) from gold.people").df()
    matrix = FeatureMatrix(features).fit(frame)
    assert [recipe.fill for recipe in matrix.recipes_] == [87.5, 39.5, 6.0]


def test_bracket_column(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = drafted(foreign, "bracket_column", capsys)
    assert columns["Plan [EU]"]["role"] == "category"
    words = ["--study", "people.toml", "--k", "3", "--no-report", "--json"]
    assert run_clustering.main(words) == 0
    capsys.readouterr()
    assert score_customers.main(["--study", "people.toml", "--input", "people.csv", "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert (scored["moved_customers"], scored["unseen"], scored["not_scored"]) == (0, [], [])


def test_patterns(foreign: Path) -> None:
    frame = pd.read_csv(foreign / "customers_patterns.csv").drop(columns="id")
    section = Features(
        include=["*"],
        categorical=["code_*"],
        ordinal={"size_*": ["s", "m", "l"]},
        power=["sp*"],
        missing={"spen?": [-1]},
    )
    check_patterns(section, frame.columns)
    kinds = {recipe.feature: recipe for recipe in FeatureMatrix(section).fit(frame).recipes_}
    assert {name for name, one in kinds.items() if one.kind == "category"} == {
        "code_region=10",
        "code_region=20",
        "code_region=30",
    }
    assert kinds["size_shoe"].order == ("s", "m", "l")
    assert kinds["spend"].power is not None
    assert kinds["spend"].missing == (-1,)


def test_markup(foreign: Path) -> None:
    regions = pd.read_csv(foreign / "customers_markup.csv")["region"].unique()
    stream = io.StringIO()
    live = LiveLine(stream)
    for region in regions:
        live.step(f"preparing 2 columns of 50 rows ({region})")
        live.advance(1, 2)
    live.close()


def test_case_twins(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = drafted(foreign, "case_twins", capsys)
    numbers = [name for name, column in columns.items() if column["role"] == "number"]
    assert [name.lower()[:6] for name in numbers] == ["amount", "amount"]
    assert len(set(numbers)) == 2
