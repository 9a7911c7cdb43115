"""Shipped studies run on a built warehouse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.warehouse.dbt_runs import Warehouse

from models_py.base import settings
from models_py.base.progress import Silent
from models_py.pipeline import Finished, run_study
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


def benchmark_row(study: str, column: str) -> dict[str, str]:
    """Return what BENCHMARKS.md has of a study, of its first table with that column."""
    heads: list[str] = []
    for line in (settings.repository() / "BENCHMARKS.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if not cells or not heads:
            heads = cells
        elif column in heads and f"`{study}`" in cells:
            return dict(zip(heads, cells, strict=True))
    raise AssertionError(f"no table of BENCHMARKS.md with a column '{column}' has `{study}`")


def check_row(row: dict[str, str], finished: Finished) -> None:
    """Hold a row of the table of studies against a run; stability where it has one."""
    rows = finished.tables.rows
    segments, candidates = rows["segments"], rows["model_search"]
    (chosen,) = candidates.loc[candidates["is_chosen"], "common_silhouette"]
    has_rule = segments["rule_precision"].notna()
    precision = np.average(segments["rule_precision"][has_rule], weights=segments["size"][has_rule])
    content = {
        "segments": str(len(segments)),
        "common-space silhouette": f"{chosen:.3f}",
        "surrogate F1": f"{rows['surrogates']['f1_weighted'].iloc[0]:.3f}",
        "rule precision": f"{precision:.2f}",
    }
    if segments["stability"].notna().all():
        mean, lowest = segments["stability"].mean(), segments["stability"].min()
        content["stability, mean (lowest)"] = f"{mean:.2f} ({lowest:.2f})"
    stated = {name: row[name] for name in content}
    stated["common-space silhouette"] = stated["common-space silhouette"].split(" ")[0]
    assert stated == content
