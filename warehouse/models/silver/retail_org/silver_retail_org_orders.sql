with
checked_orders as (select * from {{ ref('silver_retail_org_checked_orders') }}),

order_lines as (select * from {{ ref('silver_retail_org_order_lines') }}),

totals as (
    select
        order_id,
        count(*) as line_count,
        count(case when has_promotion then 1 end) as promotion_line_count,
        cast(sum(unit_count) as bigint) as unit_count,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
    from order_lines
    group by order_id
),

-- An order none of whose lines is sound is no order.
orders as (
    select
        checked_orders.order_id,
        checked_orders.customer_id,
        checked_orders.has_line_count_difference,
        checked_orders.stated_line_count,
        totals.line_count,
        totals.promotion_line_count,
        checked_orders.clicked_product_count,
        totals.unit_count,
        totals.spend_amount,
        cast(checked_orders.ordered_at as date) as ordered_on,
        checked_orders.ordered_at
    from checked_orders
    inner join totals on checked_orders.order_id = totals.order_id
    where checked_orders.rejection_reason is null
)

select * from orders
