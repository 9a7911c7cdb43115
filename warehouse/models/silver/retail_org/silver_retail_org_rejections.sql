with
rejected_orders as (
    {{ rejections_by_rule(
        ref('silver_retail_org_checked_orders'), 'silver.retail_org_orders', 'order',
        retail_org_order_rules(), first_order=11
    ) }}
),

rejected_lines as (
    {{ rejections_by_rule(
        ref('silver_retail_org_checked_lines'), 'silver.retail_org_order_lines', 'line',
        retail_org_line_rules(), first_order=21
    ) }}
),

orders_without_lines as (
    select
        'silver.retail_org_orders' as left_out_of,
        'order' as entity,
        'no_line_left' as reason,
        'every line of the order was rejected' as rule,
        count(*) as row_count,
        30 as rule_order
    from {{ ref('silver_retail_org_checked_orders') }} as checked_orders
    left join {{ ref('silver_retail_org_orders') }} as orders
        on checked_orders.order_id = orders.order_id
    where checked_orders.rejection_reason is null and orders.order_id is null
),

-- The order stays; only the count that it states is not there.
unreadable_counts as (
    select
        'silver.retail_org_orders' as left_out_of,
        'stated line count' as entity,
        'line_count_unreadable' as reason,
        'number_of_line_items is no whole number: stated_line_count is null' as rule,
        count(*) as row_count,
        31 as rule_order
    from {{ ref('silver_retail_org_checked_orders') }}
    where rejection_reason is null and stated_line_count is null
),

customers_without_orders as (
    select
        'gold.retail_org_customers' as left_out_of,
        'customer' as entity,
        'no_order_left' as reason,
        'the customer has no sound order' as rule,
        count(*) as row_count,
        40 as rule_order
    from {{ ref('silver_retail_org_customers') }} as customers
    left join (select distinct customer_id from {{ ref('silver_retail_org_orders') }}) as buyers
        on customers.customer_id = buyers.customer_id
    where buyers.customer_id is null
),

rejections as (
    select * from rejected_orders
    union all
    select * from rejected_lines
    union all
    select * from orders_without_lines
    union all
    select * from unreadable_counts
    union all
    select * from customers_without_orders
)

select
    'databricks' as source,
    left_out_of,
    entity,
    reason,
    rule,
    row_count
from rejections
order by rule_order
