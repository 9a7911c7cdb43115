-- Every row with its segment, the label that the segment stands for, and the label it really has.
-- Empty: the study has no label: name a column of gold with --param column=NAME.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

-- The label and the key of a table of any name.
gold as (

    select
        cast(
            columns(lambda c: c = coalesce(getvariable('entity'), 'customer_id')) as varchar
        ) as entity_text,
        cast(
            columns(lambda c: c = coalesce(getvariable('column'), 'life_stage')) as varchar
        ) as known_label
    from query_table(coalesce(getvariable('gold'), 'gold.grocery_customers'))

)

select
    assignments.entity_id,
    assignments.segment_id,
    segments.name as segment_name,
    assignments.confidence,
    assignments.is_outlier,
    segments.majority_label as segment_label,
    gold.known_label,
    segments.majority_label = gold.known_label as is_right
from results.assignments
inner join latest_run on assignments.run_id = latest_run.run_id
inner join results.segments
    on
        assignments.run_id = segments.run_id
        and assignments.segment_id = segments.segment_id
inner join gold on assignments.entity_id = gold.entity_text
order by assignments.entity_id
