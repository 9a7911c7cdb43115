"""No name leads out of the home."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_py.base import settings
from models_py.base.errors import UsageError


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="leads out"):
        settings.models_dir(name)
    with pytest.raises(UsageError, match="leads out"):
        settings.report_dir("study", name)
    with pytest.raises(UsageError, match="leads out"):
        settings.report_dir(name, "run")


def test_run_ids_and_earlier_names_of_studies_stay_in_the_home(home: Path) -> None:
    assert settings.models_dir("20250101T0-ab").parent == home / "data" / "models"
    assert settings.report_dir("My study.v2", "1").is_relative_to(home)
