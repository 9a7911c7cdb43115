-- Rows by segment and value of a column of gold, and how much likelier than average each pair is.
-- Empty: the column holds no value on any row of the run.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

-- The column and the key of a table of any name.
gold as (

    select
        cast(
            columns(lambda c: c = coalesce(getvariable('entity'), 'customer_id')) as varchar
        ) as entity_text,
        cast(
            columns(lambda c: c = coalesce(getvariable('column'), 'life_stage')) as varchar
        ) as column_value
    from query_table(coalesce(getvariable('gold'), 'gold.grocery_customers'))

),

counted as (

    select
        assignments.run_id,
        assignments.segment_id,
        gold.column_value,
        count(*) as row_count
    from results.assignments
    inner join latest_run on assignments.run_id = latest_run.run_id
    inner join results.segments as described
        on
            assignments.run_id = described.run_id
            and assignments.segment_id = described.segment_id
            and not coalesce(described.is_withheld, false)
    inner join gold on assignments.entity_id = gold.entity_text
    where gold.column_value is not null
    group by assignments.run_id, assignments.segment_id, gold.column_value

)

select
    counted.segment_id,
    segments.name as segment_name,
    counted.column_value,
    counted.row_count,
    round(counted.row_count / sum(counted.row_count) over (partition by counted.segment_id), 3)
        as share_of_segment,
    round(
        counted.row_count * sum(counted.row_count) over ()
        / (
            sum(counted.row_count) over (partition by counted.segment_id)
            * sum(counted.row_count) over (partition by counted.column_value)
        ),
        2
    ) as lift
from counted
inner join results.segments
    on
        counted.run_id = segments.run_id
        and counted.segment_id = segments.segment_id
order by counted.segment_id asc, lift desc
