"""What a night that was cut short has left in the warehouse: asked before a step is done again."""

from __future__ import annotations

from datetime import datetime

from models_py.database import contract
from models_py.database.connection import Warehouse


def _has(warehouse: Warehouse, name: str) -> bool:
    return f"{contract.SCHEMA}.{name}" in warehouse.relations()


def newest_number(warehouse: Warehouse) -> int:
    """Return the highest number of a run, 0 before the first."""
    if not _has(warehouse, contract.runs.name):
        return 0
    runs = warehouse.quote(contract.SCHEMA, contract.runs.name)
    return int(warehouse.rows(f"select coalesce(max(number), 0) from {runs}")[0][0])


def finished_since(warehouse: Warehouse, study: str, number: int) -> str | None:
    """Return the newest finished run of a study with a higher number; None where there is none."""
    if not _has(warehouse, contract.runs.name):
        return None
    runs = warehouse.quote(contract.SCHEMA, contract.runs.name)
    ((run_id,),) = warehouse.rows(
        f"select max_by(run_id, number) from {runs}"
        " where study = ? and number > ? and list_contains(?, status)",
        [study, number, list(contract.FINISHED)],
    )
    return None if run_id is None else str(run_id)


def is_challenger(warehouse: Warehouse, run_id: str) -> bool:
    """Tell whether a finished run does not answer for its study yet."""
    runs = warehouse.quote(contract.SCHEMA, contract.runs.name)
    return warehouse.rows(f"select status from {runs} where run_id = ?", [run_id]) == [
        (contract.CHALLENGER,)
    ]


def last_scored(warehouse: Warehouse, run_id: str) -> datetime | None:
    """Return when a run last scored, in UTC; None where it never did."""
    if not _has(warehouse, contract.scores.name):
        return None
    scores = warehouse.quote(contract.SCHEMA, contract.scores.name)
    ((at,),) = warehouse.rows(f"select max(scored_at) from {scores} where run_id = ?", [run_id])
    return at if isinstance(at, datetime) else None


def is_aside(warehouse: Warehouse, relations: list[tuple[str, str]], suffix: str) -> bool:
    """Tell whether an earlier load still stands aside: the new one was not finished."""
    there = set(warehouse.relations())
    return any(f"{schema}.{name}{suffix}" in there for schema, name in relations)
