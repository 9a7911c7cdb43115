-- What each segment is worth: customers, spend, share of all spend, visits and days since the last.
select
    latest.segment_id,
    latest.segment_name,
    count(*) as customer_count,
    round(sum(customers.spend_amount), 2) as spend_amount,
    round(sum(customers.spend_amount) / sum(sum(customers.spend_amount)) over (), 3)
        as share_of_spend,
    round(avg(customers.spend_amount), 2) as spend_per_customer,
    round(avg(customers.basket_count), 1) as baskets_per_customer,
    round(median(customers.recency_days), 0) as median_recency_days
from results.grocery_customers_latest as latest
inner join gold.grocery_customers as customers
    on latest.customer_id = customers.customer_id
group by latest.segment_id, latest.segment_name
order by spend_amount desc
