-- The rows of one segment (the smallest) with their gold columns, the surest first.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

wanted as (

    select
        segments.run_id,
        segments.segment_id,
        segments.name
    from results.segments
    inner join latest_run on segments.run_id = latest_run.run_id
    where segments.segment_id = coalesce(getvariable('segment_id'), segments.segment_id)
    order by segments.size, segments.segment_id
    limit 1

),

-- A table of any name: its key is read as text, as the assignments keep it.
gold as (

    select
        *,
        cast(
            columns(lambda c: c = coalesce(getvariable('entity'), 'customer_id')) as varchar
        ) as entity_text
    from query_table(coalesce(getvariable('gold'), 'gold.grocery_customers'))

)

select
    wanted.segment_id,
    wanted.name as segment_name,
    round(assignments.confidence, 3) as confidence,
    assignments.is_outlier,
    gold.* exclude (entity_text) -- noqa: RF02
from wanted
inner join results.assignments
    on
        wanted.run_id = assignments.run_id
        and wanted.segment_id = assignments.segment_id
inner join gold on assignments.entity_id = gold.entity_text
order by assignments.confidence desc, assignments.entity_id asc
