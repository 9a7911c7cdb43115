-- Customers by segment and life stage, and how much likelier than average each pair is (lift).
with

counted as (

    select
        latest.segment_id,
        latest.segment_name,
        customers.life_stage,
        coalesce(any_value(segments.is_withheld), false) as is_withheld,
        count(*) as customer_count
    from results.grocery_customers_latest as latest
    inner join results.segments
        on latest.run_id = segments.run_id and latest.segment_id = segments.segment_id
    inner join gold.grocery_customers as customers
        on latest.customer_id = customers.customer_id
    where customers.life_stage != 'XX'
    group by latest.segment_id, latest.segment_name, customers.life_stage

)

select
    segment_id,
    segment_name,
    life_stage,
    customer_count,
    round(customer_count / sum(customer_count) over (partition by segment_id), 3)
        as share_of_segment,
    round(
        customer_count * sum(customer_count) over ()
        / (
            sum(customer_count) over (partition by segment_id)
            * sum(customer_count) over (partition by life_stage)
        ),
        2
    ) as lift
from counted
-- Neither segments of too few are told of nor life stages.
qualify not is_withheld and sum(customer_count) over (partition by life_stage) >= 5
order by segment_id asc, lift desc
