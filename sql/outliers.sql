-- The most unusual customers of the latest run, with the segment they were put in all the same.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), 'grocery_customers')

)

select
    outliers.entity_id as customer_id,
    outliers.method,
    round(outliers.score, 4) as score,
    latest.segment_id,
    latest.segment_name,
    customers.basket_count,
    round(customers.spend_amount, 2) as spend_amount,
    round(customers.basket_spend_mean, 2) as basket_spend_mean
from results.outliers
inner join latest_run on outliers.run_id = latest_run.run_id
inner join results.grocery_customers_latest as latest
    on outliers.entity_id = latest.customer_id
inner join gold.grocery_customers as customers
    on outliers.entity_id = customers.customer_id
where not outliers.is_kept
order by outliers.score desc, customer_id asc
