-- The path of a customer through the segments of a study, run after run.
-- Without --param entity_id=ID the row that changed its segment most often is taken.
with

wanted_study as (

    select coalesce(getvariable('study'), max_by(study, number)) as study
    from results.runs
    where status = 'done'

),

done_runs as (

    select
        finished.run_id,
        finished.number,
        finished.started_at
    from results.runs as finished
    inner join wanted_study on finished.study = wanted_study.study
    where finished.status = 'done'

),

paths as (

    select
        assignments.entity_id,
        done_runs.number as run_number,
        done_runs.started_at,
        assignments.segment_id,
        segments.name as segment_name,
        assignments.confidence,
        lag(assignments.segment_id) over (
            partition by assignments.entity_id order by done_runs.number
        ) as segment_id_before
    from results.assignments
    inner join done_runs on assignments.run_id = done_runs.run_id
    inner join results.segments
        on
            assignments.run_id = segments.run_id
            and assignments.segment_id = segments.segment_id

),

wanted as (

    select entity_id
    from paths
    where entity_id = coalesce(cast(getvariable('entity_id') as varchar), entity_id)
    group by entity_id
    order by count(*) filter (where segment_id <> segment_id_before) desc, entity_id asc
    limit 1

)

select
    paths.entity_id,
    paths.run_number,
    paths.started_at,
    paths.segment_id,
    paths.segment_name,
    coalesce(paths.segment_id <> paths.segment_id_before, false) as is_moved,
    round(paths.confidence, 3) as confidence
from paths
inner join wanted on paths.entity_id = wanted.entity_id
order by paths.run_number
