"""The registry names every domain and chooses the source that fits."""

from __future__ import annotations

import re

import pytest
import yaml

from models_py.base import settings
from models_py.base.errors import UsageError
from models_py.sources.registry import SOURCES, Source, choose_source, domains
from models_py.studies.listing import shipped_studies


def test_domains() -> None:
    assert domains() == ["grocery", "online_retail", "bank", "automobile", "retail_org"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_every_source_says_where_it_comes_from(source) -> None:
    assert sum(map(bool, (source.address, source.steps, source.package))) == 1
    for table in source.tables:
        assert set(table.numbers) | set(table.times) <= set(table.columns)
        assert len({name.lower() for name in table.columns}) == len(table.columns)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.domain}_{source.name}")
def test_every_file_has_a_checksum_or_says_why_not(source: Source) -> None:
    for table in source.tables:
        if source.package is None:
            assert bool(table.published_sha256) != bool(table.unpinned), table.file


@pytest.mark.parametrize(
    ("name", "has_folder", "chosen"),
    [
        (None, False, "complete_journey"),
        (None, True, "sort_of_real"),
        ("sort_of_real", False, "sort_of_real"),
        ("complete_journey", False, "complete_journey"),
    ],
)
def test_source_that_fits(name: str | None, has_folder: bool, chosen: str) -> None:
    assert choose_source("grocery", name, has_folder).name == chosen


@pytest.mark.parametrize(
    ("domain", "name", "has_folder", "message"),
    [
        ("grocry", None, False, "unknown domain 'grocry'; did you mean 'grocery'"),
        ("grocery", "sort_of_reel", False, "did you mean 'sort_of_real'"),
        ("grocery", "complete_journey", True, "leave out --from"),
    ],
)
def test_wrong_words(domain: str, name: str | None, has_folder: bool, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_source(domain, name, has_folder)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.domain}_{source.name}")
def test_the_next_steps_name_what_there_is(source: Source) -> None:
    project = settings.dbt_project_dir()
    selectors = yaml.safe_load((project / "selectors.yml").read_text())["selectors"]
    build, run = source.next_commands

    # From the top, one after the other in the same shell.
    assert build.startswith("dbt build --project-dir warehouse")
    for name in re.findall(r"--selector (\w+)", build):
        assert name in {selector["name"] for selector in selectors}
    for name in re.findall(r"--study (\w+)", run):
        assert name in shipped_studies()
