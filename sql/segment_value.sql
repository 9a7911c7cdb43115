-- What each segment is worth: customers, spend, share of all spend, visits and days since the last.
with

-- Of a segment that is withheld only the size is told.
valued as (

    select
        latest.segment_id,
        latest.segment_name,
        count(*) as customer_count,
        case when not coalesce(any_value(segments.is_withheld), false) then 1 end as is_told,
        sum(customers.spend_amount) as spend_amount,
        sum(sum(customers.spend_amount)) over () as spend_of_all,
        avg(customers.spend_amount) as spend_per_customer,
        avg(customers.basket_count) as baskets_per_customer,
        median(customers.recency_days) as median_recency_days
    from results.grocery_customers_latest as latest
    inner join results.segments
        on latest.run_id = segments.run_id and latest.segment_id = segments.segment_id
    inner join gold.grocery_customers as customers
        on latest.customer_id = customers.customer_id
    group by latest.segment_id, latest.segment_name

)

select
    segment_id,
    segment_name,
    customer_count,
    round(is_told * spend_amount, 2) as spend_amount,
    round(is_told * spend_amount / spend_of_all, 3) as share_of_spend,
    round(is_told * spend_per_customer, 2) as spend_per_customer,
    round(is_told * baskets_per_customer, 1) as baskets_per_customer,
    round(is_told * median_recency_days, 0) as median_recency_days
from valued
order by spend_amount desc nulls last
