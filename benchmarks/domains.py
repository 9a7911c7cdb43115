"""Each domain's baselines against the study of our own, on the warehouse at hand.

A study is run where it never was; ``--again`` runs all of them once more. A domain whose gold
table is not built is left out, and said.

* ``common_silhouette``: in the study's own scaled features, the space where its encoders compare.
* ``in_<study>``: the silhouette of each side's labels in the features of that study, for no side
  to be judged in its own space alone. Both sides label every row.
* ``stability``: mean Jaccard coefficient of the segments over refits, and the lowest of them.
* ``surrogate_f1``, ``rule_precision``: how well trees, and one rule a segment (weighted by size),
  find the segments again; nothing where there are no two segments to tell apart.
* ``purity``, ``adjusted_rand``: against the study's known label.
* ``next_*``: what segments of the first part of the period explain of the rest, out of fold, as
  scripts/check_validity.py tells it; for studies with a section ``validity``. The columns ``rfm``
  and ``rfm_score`` are groupings of the same customers without a study: quintile cells, and their
  sum cut into as many groups as ours.

Example::

    python benchmarks/domains.py --domains automobile --json
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base import settings
from models_py.base.progress import show_progress
from models_py.studies.loading import load_study

if TYPE_CHECKING:
    from models_py.database.connection import Warehouse
    from models_py.runs.saved import SavedRun

PAIRS = {
    "grocery": ("grocery_customers", ("grocery_kmeans",)),
    "bank": ("bank", ("bank_kmeans", "bank_text")),
    "automobile": ("automobile", ("automobile_autoencoder", "automobile_kmeans")),
    "online_retail": ("returns", ("returns_density", "returns_kmeans")),
    "retail_org": (
        "retail_org",
        ("retail_org_kmeans", "retail_org_hierarchical", "retail_org_dbscan"),
    ),
}
"""Domain to our study and its baselines."""

OUTCOMES = ("spend", "visits", "churn", "return_share", "returned")
RIVALS = ("rfm", "rfm_score")
"""Groupings of results.validity that are no study."""

FIGURES = {
    "stability": "select avg(stability), min(stability) from results.segments where run_id = ?",
    "explained": "select f1_weighted, null from results.surrogates where run_id = ?",
    "rules": "select sum(rule_precision * size) / sum(size) filter (rule_precision is not null),"
    " null from results.segments where run_id = ?",
    "label": "select purity, adjusted_rand from results.label_agreement where run_id = ?",
    "common": "select common_silhouette, silhouette from results.model_search"
    " where run_id = ? and is_chosen",
    "segments": "select count(*), sum(size) from results.segments where run_id = ?",
}


@dataclass(frozen=True, eq=False)
class Side:
    """A finished run of one study."""

    study: str
    table: str
    run_id: str
    saved: SavedRun
    labels: dict[str, int]


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--domains", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    parser.add_argument("--again", action="store_true", help="run the studies once more")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def latest(warehouse: Warehouse, study: str) -> str | None:
    from models_py.runs.finished_runs import find_runs

    runs = find_runs(warehouse, study)
    return runs[-1].run_id if runs else None


def side_of(study: str, again: bool) -> Side:
    """Return the study's newest run, after running it where it must be."""
    from models_py.database.connection import open_warehouse
    from models_py.database.results import read_assignments
    from models_py.pipeline import run_study
    from models_py.runs.storage import load_run_models

    path, recipe = settings.warehouse_path(), load_study(study)
    with open_warehouse(path, read_only=True) as warehouse:
        run_id = latest(warehouse, study)
    if run_id is None or again:
        with show_progress() as progress:
            run_id = run_study(recipe, path, recipe.seed, progress).run_id
    with open_warehouse(path, read_only=True) as warehouse:
        assigned = read_assignments(warehouse, run_id)
    labels = dict(zip(assigned["entity_id"], assigned["segment_id"], strict=True))
    saved = load_run_models(settings.models_dir(run_id), run_id)
    return Side(study, recipe.table, run_id, saved, labels)


def validity_of(side: Side, again: bool) -> dict[str, dict[str, float | None]]:
    """Return by grouping and outcome what it says of the next period; empty without one."""
    from models_py.database import contract
    from models_py.database.connection import open_warehouse
    from models_py.database.results import frame_rows
    from models_py.runs.recording import write_rows
    from models_py.runs.validity import check_validity

    path, study = settings.warehouse_path(), load_study(side.study)
    if study.validity is None:
        return {}
    query = "select grouping, outcome, value from results.validity where run_id = ?"
    with open_warehouse(path, read_only=True) as warehouse:
        rows = warehouse.rows(query, [side.run_id])
    if not rows or again:
        with show_progress() as progress:
            result = check_validity(study, path, study.seed, progress)
        rows = frame_rows(side.run_id, result)
        write_rows(path, contract.validity, side.run_id, rows)
        with open_warehouse(path, read_only=True) as warehouse:
            rows = warehouse.rows(query, [side.run_id])
    matches: dict[str, dict[str, float | None]] = {}
    for grouping, outcome, value in rows:
        matches.setdefault(grouping, {})[outcome] = value
    return matches


def is_built(study: str) -> bool:
    from models_py.database.connection import open_warehouse

    with open_warehouse(settings.warehouse_path(), read_only=True) as warehouse:
        return load_study(study).table in warehouse.relations()


def figures(side: Side) -> dict[str, float | int | None]:
    """Return what the results tables tell of a run."""
    from models_py.database.connection import open_warehouse

    with open_warehouse(settings.warehouse_path(), read_only=True) as warehouse:
        matches = {
            name: (warehouse.rows(query, [side.run_id]) or [(None, None)])[0]
            for name, query in FIGURES.items()
        }
    return {
        "segments": matches["segments"][0],
        "rows": matches["segments"][1],
        "own_silhouette": matches["common"][1],
        "common_silhouette": matches["common"][0],
        "stability": matches["stability"][0],
        "lowest_stability": matches["stability"][1],
        "surrogate_f1": matches["explained"][0],
        "rule_precision": matches["rules"][0],
        "purity": matches["label"][0],
        "adjusted_rand": matches["label"][1],
    }


def silhouette_in(space: Side, judged: Side) -> float | None:
    """Return the silhouette of one side's labels in the scaled features of another."""
    from models_py.database.connection import open_warehouse
    from models_py.database.gold import read_gold
    from models_py.segmentation.search import silhouettes

    if space.table != judged.table or len(space.saved.partitions) > 1:
        return None
    study = space.saved.study
    with open_warehouse(settings.warehouse_path(), read_only=True) as warehouse:
        rows = read_gold(
            warehouse, *study.schema_and_name, study.entity, space.saved.columns, {}, {}
        ).frame
    rows = rows[rows[study.entity].isin(judged.labels)]
    (part,) = space.saved.partitions.values()
    labels = rows[study.entity].map(judged.labels).factorize()[0].astype(np.int64)
    if labels.size == 0 or labels.max() == 0:
        return None
    return float(silhouettes(part.matrix.transform(rows), labels[None, :])[0])


def compared(domain: str, again: bool) -> dict[str, dict[str, Any]]:
    study, baselines = PAIRS[domain]
    sides = [side_of(name, again) for name in (study, *baselines)]
    checked = {side.study: validity_of(side, again) for side in sides}
    content = {}
    for side in sides:
        space = {f"in_{other.study}": silhouette_in(other, side) for other in sides}
        content[side.study] = {
            **figures(side),
            **space,
            **foretold(checked[side.study].get("segments", {})),
        }
    rivals = {rival: checked[study].get(rival) for rival in RIVALS}
    return {**content, **{name: foretold(result) for name, result in rivals.items() if result}}


def foretold(result: dict[str, float | None]) -> dict[str, float | None]:
    return {f"next_{outcome}": result.get(outcome) for outcome in OUTCOMES}


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for domain in asked.domains:
        if is_built(PAIRS[domain][0]):
            results[domain] = compared(domain, asked.again)
        else:
            command = f"dbt build --project-dir warehouse --selector {domain}"
            print(f"{domain} is left out: build it with {command}", file=sys.stderr)
    return results


def print_table(result: dict[str, Any]) -> None:
    for domain, sides in result.items():
        names = list(sides)
        print(f"\n{domain:<24}" + "".join(f"{name:>26}" for name in names))
        for figure in next(iter(sides.values())):
            cells = (sides[name].get(figure) for name in names)
            print(f"{figure:<24}" + "".join(f"{figure_text(cell):>26}" for cell in cells))


def figure_text(value: float | int | None) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def main() -> None:
    asked = parsed_arguments()
    figures = measure(asked)
    if asked.json:
        print(json.dumps(figures, indent=2, default=float))
    else:
        print_table(figures)


if __name__ == "__main__":
    main()
