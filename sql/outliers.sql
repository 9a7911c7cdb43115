-- The most unusual rows of the latest run, with the segment they were put in all the same.
-- Empty: the run set no row apart ([outliers] of its study says how it looks for them).
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

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
    outliers.method,
    round(outliers.score, 4) as score,
    assignments.segment_id,
    segments.name as segment_name,
    gold.* exclude (entity_text) -- noqa: RF02
from results.outliers
inner join latest_run on outliers.run_id = latest_run.run_id
inner join results.assignments
    on
        outliers.run_id = assignments.run_id
        and outliers.entity_id = assignments.entity_id
inner join results.segments
    on
        assignments.run_id = segments.run_id
        and assignments.segment_id = segments.segment_id
inner join gold on outliers.entity_id = gold.entity_text
where not outliers.is_kept
order by outliers.score desc, outliers.entity_id asc
