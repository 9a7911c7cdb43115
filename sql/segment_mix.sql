-- What each segment's dealings are made of: the mean of every share in gold beside everybody's.
-- Empty: the study's table has no column that ends in _share.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

-- The key of a table of any name, and a share that is never known where the table has none.
gold as (

    select
        *,
        cast(
            columns(lambda c: c = coalesce(getvariable('entity'), 'customer_id')) as varchar
        ) as entity_text,
        cast(null as double) as no_share
    from query_table(coalesce(getvariable('gold'), 'gold.grocery_customers'))

),

means as (

    select
        assignments.segment_id,
        avg(cast(columns('_share$') as double))
    from results.assignments
    inner join latest_run on assignments.run_id = latest_run.run_id
    inner join results.segments as described
        on
            assignments.run_id = described.run_id
            and assignments.segment_id = described.segment_id
            and not coalesce(described.is_withheld, false)
    inner join gold on assignments.entity_id = gold.entity_text
    -- Each segment, and all of them together.
    group by rollup(assignments.segment_id)

),

shares as (

    unpivot means on columns('_share$') into name part value share

)

select
    shares.segment_id,
    segments.name as segment_name,
    shares.part,
    round(shares.share, 4) as share,
    round(everybody.share, 4) as population_share,
    round(shares.share / nullif(everybody.share, 0), 2) as lift
from shares
inner join shares as everybody
    on shares.part = everybody.part and everybody.segment_id is null
inner join latest_run on true
inner join results.segments
    on
        latest_run.run_id = segments.run_id
        and shares.segment_id = segments.segment_id
order by shares.segment_id asc, shares.share desc, shares.part asc
