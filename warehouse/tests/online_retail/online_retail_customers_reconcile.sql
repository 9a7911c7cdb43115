-- Every customer of silver is in gold or counted as left out; lines, units, spend and matched
-- returns of gold are silver's.
with
left_out as (
    select sum(row_count) as customer_count
    from {{ ref('silver_online_retail_rejections') }}
    where entity = 'customer'
),

sales as (
    select
        count(*) as line_count,
        sum(unit_count) as unit_count,
        sum(spend_amount) as spend_amount,
        count(distinct order_id) as order_count
    from {{ ref('silver_online_retail_sales') }}
),

returns as (
    select sum(matched_unit_count) as matched_unit_count
    from {{ ref('silver_online_retail_returns') }}
),

gold as (
    select
        count(*) as customer_count,
        sum(line_count) as line_count,
        sum(unit_count) as unit_count,
        sum(spend_amount) as spend_amount,
        sum(order_count) as order_count,
        sum(return_unit_share * unit_count) as matched_unit_count
    from {{ ref('gold_online_retail_customers') }}
)

select gold.*
from gold
cross join sales
cross join returns
cross join left_out
where
    gold.customer_count + left_out.customer_count
    <> (select count(*) from {{ ref('silver_online_retail_customers') }})
    or gold.line_count <> sales.line_count
    or gold.unit_count <> sales.unit_count
    or gold.order_count <> sales.order_count
    or abs(gold.spend_amount - sales.spend_amount) > 0.01
    or abs(gold.matched_unit_count - returns.matched_unit_count) > 0.01
