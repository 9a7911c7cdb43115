"""What became of every segment from run to run, as the view ``results.segment_history``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models_py.base.sql_text import literal
from models_py.database import contract
from models_py.database.connection import Warehouse

if TYPE_CHECKING:
    import pandas as pd

NAME = "segment_history"
MAJORITY = 0.5
"""Share of a segment's members from which on it comes from another one, or went into it."""


def history_view() -> str:
    """Return the statement that makes the view.

    One row per run and segment that is there or was in the run before: ``born`` and ``died``,
    ``continued``, ``split`` (new, and half of it or more comes from one segment) or ``merged``
    (gone, and half of it or more went into one). Flows of withheld segments are not known.
    """
    schema = contract.SCHEMA
    return f"""
create or replace view {schema}.{NAME} as
with
done as (
    select run_id, study, number, started_at, previous_run_id
    from {schema}.runs
    where status = {literal(contract.DONE)}
),
now as (
    select done.*, segments.partition, segments.segment_id, segments.name, segments.size
    from done inner join {schema}.segments on done.run_id = segments.run_id
),
before as (
    select done.*, segments.partition, segments.segment_id, segments.name, segments.size
    from done inner join {schema}.segments on done.previous_run_id = segments.run_id
),
paired as (
    select
        coalesce(now.study, before.study) as study,
        coalesce(now.run_id, before.run_id) as run_id,
        coalesce(now.number, before.number) as number,
        coalesce(now.started_at, before.started_at) as started_at,
        coalesce(now.partition, before.partition) as partition,
        coalesce(now.segment_id, before.segment_id) as segment_id,
        coalesce(now.name, before.name) as name,
        before.size as size_before,
        now.size as size
    from now
    full outer join before
        on now.run_id = before.run_id and now.segment_id = before.segment_id
),
came as (
    select
        run_id, to_segment_id as segment_id,
        max_by(from_segment_id, entities) as other, max(entities) as entities
    from {schema}.migrations
    where from_segment_id <> to_segment_id and from_segment_id > 0 and to_segment_id > 0
    group by all
),
went as (
    select
        run_id, from_segment_id as segment_id,
        max_by(to_segment_id, entities) as other, max(entities) as entities
    from {schema}.migrations
    where from_segment_id <> to_segment_id and from_segment_id > 0 and to_segment_id > 0
    group by all
),
judged as (
    select
        paired.*,
        case
            when size_before is null then came.other
            when size is null then went.other
        end as other,
        case
            when size_before is null then came.entities / size
            when size is null then went.entities / size_before
        end as share
    from paired
    left join came using (run_id, segment_id)
    left join went using (run_id, segment_id)
)
select
    study, run_id, number, started_at, partition, segment_id, name,
    case
        when size_before is null and share >= {MAJORITY} then 'split'
        when size_before is null then 'born'
        when size is null and share >= {MAJORITY} then 'merged'
        when size is null then 'died'
        else 'continued'
    end as event,
    case when share >= {MAJORITY} then other end as other_segment_id,
    case when share >= {MAJORITY} then share end as other_share,
    size_before,
    size
from judged
"""


def read_history(warehouse: Warehouse, run_id: str) -> pd.DataFrame:
    """Return the rows of the view for the runs of a study up to one of them.

    ``is_withheld`` is added: that of the segment, or of the one that is gone. A warehouse of an
    earlier version has no such view, and no rows.
    """
    import pandas as pd

    if f"{contract.SCHEMA}.{NAME}" not in warehouse.relations():
        return pd.DataFrame(columns=["number", "segment_id", "event"])
    schema = contract.SCHEMA
    return warehouse.frame(
        "select history.*, coalesce(own.is_withheld, former.is_withheld, false) as is_withheld"
        f" from {schema}.{NAME} as history"
        f" inner join {schema}.runs as runs on history.run_id = runs.run_id"
        f" left join {schema}.segments as own"
        " on history.run_id = own.run_id and history.segment_id = own.segment_id"
        f" left join {schema}.segments as former"
        " on runs.previous_run_id = former.run_id and history.segment_id = former.segment_id"
        f" inner join {schema}.runs as shown on runs.study = shown.study"
        " and runs.number <= shown.number"
        " where shown.run_id = ? order by history.number, history.segment_id",
        [run_id],
    )
