{{ config(alias=var('custom_name', 'custom') ~ '_rejections') }}

with
checked_lines as (select * from {{ ref('silver_custom_checked_lines') }}),

sales as (select * from {{ ref('silver_custom_sales') }}),

rejected_lines as (
    {{ rejections_by_rule(
        ref('silver_custom_checked_lines'), 'silver.' ~ var('custom_name', 'custom') ~ '_sales',
        'line', custom_line_rules()
    ) }}
),

customers_without_sales as (
    select count(distinct checked_lines.customer_id) as row_count
    from checked_lines
    left join sales on checked_lines.customer_id = sales.customer_id
    where sales.customer_id is null
),

rejections as (
    select
        entity,
        reason,
        rule,
        row_count,
        rule_order
    from rejected_lines
    union all
    select
        'customer' as entity,
        'no_sale_left' as reason,
        'no line of the customer is a sale' as rule,
        row_count,
        20 as rule_order
    from customers_without_sales
)

select
    entity,
    reason,
    rule,
    row_count
from rejections
order by rule_order
