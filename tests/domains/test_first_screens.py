"""First screens as text: read them aloud in first_screens/, one file a study or foreign table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.domains.runs import run_shipped
from tests.warehouse.conftest import complete_journey  # noqa: F401
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings
from models_py.commands import new_study, run_clustering
from models_py.report.facts import Facts, read_facts
from models_py.report.sections.cards import segment_cards
from models_py.report.sections.summary import summarise
from models_py.report.writing import find_run_id

GOLDEN = Path(__file__).with_name("first_screens")
SHIPPED = {
    "grocery_customers": "complete_journey",
    "automobile": "automobile",
    "automobile_kmeans": "automobile",
    "retail_org": "retail_org",
    "retail_org_kmeans": "retail_org",
}
"""Studies that take seconds, and the warehouse of each."""

FOREIGN = ("T_F", "markup", "patterns", "semicolon_decimal_comma", "bracket_column")
"""Files as their owners have them."""


def first_screen(facts: Facts) -> str:
    """Return the words of the first screen in the order of the page."""
    summary = summarise(facts, segment_cards(facts))
    compared = summary.comparison
    lines = [facts.study.title, *summary.sentences, ""]
    for row in compared.rows:
        figures = [row.card.share]
        figures += [f"{row.worth} {compared.worth_title}"] if row.worth else []
        figures += [f"{compared.outcome_title}: {row.outcome}"] if row.outcome else []
        lines.append(f"{row.card.segment_id} {row.card.name}: {', '.join(figures)}")
        lines += [f"  {trait}" for trait in row.traits]
        lines += [f"  do: {row.todo}"] if row.todo else []
    lines += ["", *(f"{tile.figure} {tile.words}" for tile in summary.tiles)]
    if summary.strongest is not None:
        card, advice = summary.strongest
        lines += ["", f"First: {card.name}. {advice.text}. {advice.because}"]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ") + "\n"


def check_golden(name: str, run_id: str | None = None) -> None:
    """Hold the first screen of a study's run against the file that was read aloud."""
    path = settings.warehouse_path()
    facts = read_facts(find_run_id(name, run_id, path), path)
    # Other tests may have run the study in this warehouse before: the screen is a first run's.
    facts.tables["migrations"] = facts.tables["migrations"].iloc[:0]
    assert first_screen(facts) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "domain"), SHIPPED.items())
def test_first_screens_of_shipped_studies(
    name: str, domain: str, request: pytest.FixtureRequest
) -> None:
    warehouse: Warehouse = request.getfixturevalue(domain)
    finished = run_shipped(warehouse, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(warehouse.home))
        check_golden(name, finished.run_id)


@pytest.mark.parametrize("name", FOREIGN)
def test_first_screens_of_foreign_tables(
    name: str, shared_data: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    study = f"foreign_{name}".lower()
    shutil.copy(shared_data / "foreign" / f"customers_{name}.csv", f"{study}.csv")
    assert new_study.main(["--input", f"{study}.csv", "--id", "id"]) == 0
    assert run_clustering.main(["--study", f"{study}.toml", "--no-report"]) == 0
    check_golden(study)
