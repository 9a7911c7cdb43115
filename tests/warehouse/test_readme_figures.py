"""What the docs say of the default study is what it does on the Complete Journey."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.domains.runs import run_shipped
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.runs.validity import check_validity
from models_py.studies.listing import DEFAULT
from models_py.studies.loading import load_study

README = "".join(
    (settings.repository() / name).read_text(encoding="utf-8")
    for name in ("README.md", "BENCHMARKS.md")
)
CLOSE = 0.015


@pytest.fixture
def path(complete_journey: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(settings.HOME_VARIABLE, str(complete_journey.home))
    return settings.warehouse_path()


def table(first: str) -> list[list[str]]:
    """The cells of the README's table that begins with this heading."""
    rows = README.split(f"| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_segments_rules_and_surrogate_are_those_of_the_readme(complete_journey: Warehouse) -> None:
    rows = run_shipped(complete_journey, DEFAULT).tables.rows
    f1 = re.search(r"weighted F1 of ([\d.]+)", README)
    accuracy = re.search(r"expression give ([\d.]+)% of the customers", README)
    assert f1 is not None
    assert accuracy is not None
    assert float(f1[1]) == pytest.approx(rows["surrogates"]["f1_weighted"].iloc[0], abs=CLOSE)
    result = 100 * rows["rule_sets"]["accuracy"].iloc[0]
    assert float(accuracy[1]) == pytest.approx(result, abs=100 * CLOSE)
    segments = rows["segments"].to_dict("records")
    said = table("segment | rule | precision | recall | lift")
    assert len(said) == len(segments)
    for (name, _, precision, recall, _), segment in zip(said, segments, strict=True):
        assert name == f"{segment['segment_id']} {segment['name']}"
        assert float(precision) == pytest.approx(segment["rule_precision"], abs=CLOSE)
        assert float(recall) == pytest.approx(segment["rule_recall"], abs=CLOSE)

    first_screen = re.findall(r"^ +(\d+)  .+? +\d+ +([\d.]+)%  ([\d.]+)$", README, re.MULTILINE)
    assert [int(number) for number, _, _ in first_screen] == [s["segment_id"] for s in segments]
    for (_, share, stability), segment in zip(first_screen, segments, strict=True):
        assert float(share) == pytest.approx(100 * segment["share"], abs=100 * CLOSE)
        assert float(stability) == pytest.approx(segment["stability"], abs=2 * CLOSE)


def test_validity_is_that_of_the_readme(path: Path) -> None:
    study = load_study(DEFAULT)
    result = check_validity(study, path, study.seed, Silent())
    assert set(result["rows"]) == {2447}
    values = result.pivot_table(index="grouping", columns="outcome", values="value", sort=False)
    said = table("grouping | groups | spend | visits | churn")
    assert len(said) == len(values)
    for (_, _, *figures), name in zip(
        said, ("segments", "rfm", "rfm_score", "kmeans"), strict=True
    ):
        expected = values.loc[name, ["spend", "visits", "churn"]]
        assert [float(figure) for figure in figures] == pytest.approx(list(expected), abs=CLOSE)
    assert values.loc["segments", "spend"] > values.loc["kmeans", "spend"]
