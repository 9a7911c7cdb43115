-- The customers of one segment (the smallest) with their gold columns, the surest first.
with

wanted as (

    select segment_id
    from results.grocery_customers_latest
    where segment_id = coalesce(getvariable('segment_id'), segment_id)
    group by segment_id
    order by count(*), segment_id
    limit 1

)

select
    latest.segment_id,
    latest.segment_name,
    round(latest.confidence, 3) as confidence,
    latest.is_outlier,
    customers.*
from results.grocery_customers_latest as latest
inner join wanted on latest.segment_id = wanted.segment_id
inner join gold.grocery_customers as customers on latest.customer_id = customers.customer_id
order by latest.confidence desc, latest.customer_id asc
