"""Shipped studies run on a built warehouse."""

from __future__ import annotations

from typing import Any

import pytest
from tests.warehouse.dbt_runs import Warehouse

from models_py import settings
from models_py.pipeline import Finished, run_study
from models_py.progress import Silent
from models_py.studies.loading import load_study


def run_shipped(warehouse: Warehouse, name: str, **sections: dict[str, Any]) -> Finished:
    """Run a shipped study in the warehouse's home, a few keys of its sections changed."""
    study = load_study(name)
    changed = {
        section: getattr(study, section).model_copy(update=keys)
        for section, keys in sections.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.HOME_VARIABLE, str(warehouse.home))
        path = settings.warehouse_path()
        return run_study(study.model_copy(update=changed), path, study.seed, Silent())
