"""The paths of customers through a study's runs: what a forecast of their next move learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.database import contract, results
from models_py.database.connection import Warehouse
from models_py.database.waiting import open_for_writing

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

MOST_RUNS = 12
"""Runs that are looked back on: moves of long ago tell of segments that are no more."""
MOST_ROWS = 200_000
"""Entities times runs that are learned from; of more, the entities that their hash picks."""


def read_paths(warehouse: Warehouse, study: str, run_id: str) -> pd.DataFrame:
    """Return where the entities of a study's runs were, run after run, up to one of them.

    Parameters
    ----------
    warehouse
        The open warehouse.
    study, run_id
        The study, and one of its finished runs.

    Returns
    -------
    pandas.DataFrame
        One row per run and entity: all of the newest run, of the runs before not more than
        :data:`MOST_ROWS`. ``place`` counts the runs from 1; ``segment_id``,
        ``confidence``, ``silhouette`` and ``is_outlier`` are the run's; ``moves`` of ``steps``
        were made until then, ``stayed`` runs ago the last; ``is_moved`` tells whether it is in
        another segment in the run after, and is null where it is not in that run.
    """
    runs, assignments = (
        warehouse.quote(contract.SCHEMA, table.name)
        for table in (contract.runs, contract.assignments)
    )
    return warehouse.frame(
        f"""
with
chain as (
    select run_id, number
    from {runs}
    where study = $1 and (
        run_id = $2
        or (status = $3 and number < (select number from {runs} where run_id = $2))
    )
    order by number desc
    limit {MOST_RUNS}
),
placed as (
    select run_id, row_number() over (order by number) as place
    from chain
),
thinning as (
    select 1 + count(*) * (select count(*) from placed) // {MOST_ROWS} as every
    from {assignments}
    where run_id = $2
),
paths as (
    select
        assignments.entity_id, placed.place, assignments.segment_id, assignments.confidence,
        assignments.silhouette, assignments.is_outlier,
        lag(assignments.segment_id) over by_run as segment_before,
        lead(assignments.segment_id) over by_run as segment_after,
        lead(placed.place) over by_run as place_after
    from {assignments} as assignments
    inner join placed on assignments.run_id = placed.run_id
    window by_run as (partition by assignments.entity_id order by placed.place)
),
counted as (
    select
        *,
        count(*) filter (segment_before <> segment_id) over so_far as moves,
        count(segment_before) over so_far as steps,
        place - max(place) filter (segment_before is distinct from segment_id) over so_far as stayed
    from paths
    window so_far as (partition by entity_id order by place)
)
select
    entity_id, place, segment_id, confidence, silhouette, is_outlier, moves, steps, stayed,
    case when place_after = place + 1 then segment_after <> segment_id end as is_moved
from counted
where
    place = (select max(place) from placed)
    or hash(entity_id) % (select every from thinning) = 0
order by place, entity_id
""",
        [study, run_id, contract.DONE],
    )


def write_forecast(
    path: Path, run_id: str, forecast: pd.DataFrame, moves: pd.DataFrame, wait_seconds: float
) -> None:
    """Put a forecast in the place of the run's earlier one, in one transaction.

    Parameters
    ----------
    path
        The DuckDB file.
    run_id
        A finished run.
    forecast, moves
        Rows of ``results.move_forecasts`` and ``results.likely_moves`` without ``run_id``.
    wait_seconds
        How long another process is waited for.
    """
    with (
        open_for_writing(path, wait_seconds=wait_seconds) as warehouse,
        warehouse.transaction(f"the likely moves of run {run_id} are written"),
    ):
        for table, rows in ((contract.move_forecasts, forecast), (contract.likely_moves, moves)):
            results.put_rows(warehouse, table, run_id, results.frame_rows(run_id, rows))
