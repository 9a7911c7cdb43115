"""What the README says must be so."""

from __future__ import annotations

import re

import pytest

from models_py.base import settings
from models_py.clustering.algorithms import ALGORITHMS
from models_py.database import contract
from models_py.studies.listing import shipped_studies

README = (settings.repository() / "README.md").read_text(encoding="utf-8")
STUDIES = (settings.repository() / "models_py" / "studies" / "README.md").read_text(
    encoding="utf-8"
)
TABLES = (settings.repository() / "sql" / "README.md").read_text(encoding="utf-8")
MOST_LINES = 250


def test_a_newcomer_reads_it_whole() -> None:
    assert len(README.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_stands_with_its_growth(name: str) -> None:
    terms = ALGORITHMS[name]
    assert f"| {terms.title} (`{name}`) | {terms.time} | {terms.memory} |" in STUDIES


@pytest.mark.parametrize("table", contract.ALL_TABLES, ids=lambda table: table.name)
def test_every_results_table_is_described(table: object) -> None:
    assert f"| `{table.name}` |" in TABLES


def test_every_script_and_question_that_is_named_exists() -> None:
    root = settings.repository()
    for script in set(re.findall(r"python ((?:scripts|benchmarks)/\w+\.py)", README)):
        assert (root / script).is_file(), script
    for question in set(re.findall(r"run_sql\.py (?:sql/)?(\w+)", README)) - {"list"}:
        assert (root / "sql" / f"{question}.sql").is_file(), question


def test_every_study_that_is_named_ships() -> None:
    named = set(re.findall(r"--study (\w+)", README)) | set(re.findall(r"STUDY=(\w+)", README))
    assert named
    assert named - {"my_study", "my_shop"} <= set(shipped_studies())


def test_nothing_is_left_to_fill_in() -> None:
    assert not re.search(r"^(OUTPUT|FIGURES|ALGORITHMS)$", README, flags=re.MULTILINE)
