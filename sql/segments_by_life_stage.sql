-- Customers by segment and life stage, and how much likelier than average each pair is (lift).
with

counted as (

    select
        latest.segment_id,
        latest.segment_name,
        customers.life_stage,
        count(*) as customer_count
    from results.grocery_customers_latest as latest
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
order by segment_id asc, lift desc
