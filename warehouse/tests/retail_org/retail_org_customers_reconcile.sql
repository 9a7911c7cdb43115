-- Every customer is in gold once or counted as left out; orders, lines and spend are silver's.
with
left_out as (
    select sum(row_count) as customer_count
    from {{ ref('silver_retail_org_rejections') }}
    where entity = 'customer'
),

silver as (
    select
        (select count(*) from {{ ref('silver_retail_org_customers') }}) as customer_count,
        count(*) as order_count,
        sum(line_count) as line_count,
        sum(spend_amount) as spend_amount
    from {{ ref('silver_retail_org_orders') }}
),

gold as (
    select
        count(distinct customer_id) as customer_count,
        sum(order_count) as order_count,
        sum(line_count) as line_count,
        sum(spend_amount) as spend_amount
    from {{ ref('gold_retail_org_customers') }}
)

select gold.*
from gold
cross join silver
cross join left_out
where
    silver.customer_count <> gold.customer_count + left_out.customer_count
    or silver.order_count <> gold.order_count
    or silver.line_count <> gold.line_count
    or abs(silver.spend_amount - gold.spend_amount) > 0.01
