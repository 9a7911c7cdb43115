-- What was left out on the way to a study's table: the rule and how many rows it took.
-- Empty: nothing was left out.
with

every_column as (

    select
        cast(null as varchar) as source,
        cast(null as varchar) as left_out_of
    where false

),

rejections as (

    select * from every_column
    union all by name
    select * from query_table(coalesce(getvariable('rejections'), 'silver.grocery_rejections'))

)

select
    coalesce(getvariable('study'), 'grocery_customers') as study,
    source,
    left_out_of,
    entity,
    reason,
    rule,
    row_count
from rejections
order by left_out_of asc, entity asc, row_count desc, reason asc
