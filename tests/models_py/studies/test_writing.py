"""A study written as a file is read as the same study."""

from __future__ import annotations

import pytest

from models_py.studies.loading import load_study, parse_study, shipped_studies
from models_py.studies.writing import study_text


@pytest.mark.parametrize("name", shipped_studies())
def test_what_is_written_is_read_as_it_was(name: str) -> None:
    study = load_study(name)
    text = study_text(study, "two\nlines")
    assert text.startswith("# two\n# lines\n")
    assert parse_study(text, study.name) == study


def test_signs_that_toml_escapes_are_escaped() -> None:
    study = load_study("bank")
    odd = study.model_copy(update={"title": 'a "quote", a \\ and\na line\x7f'})
    changed = odd.model_copy(update={"where": {"job [x]": ["ü", "1"]}})
    changed = type(study).model_validate(changed.model_dump(exclude_defaults=True))
    assert parse_study(study_text(changed, "c"), "bank") == changed
