{{ config(alias=var('custom_name', 'custom') ~ '_rejections') }}

with
checked_lines as (select * from {{ ref('silver_custom_checked_lines') }}),

sales as (select * from {{ ref('silver_custom_sales') }}),

counted as (
    select
        rejection_reason,
        count(*) as row_count
    from checked_lines
    where rejection_reason is not null
    group by rejection_reason
),

rules (rule_order, reason, rule) as (
    values
    {%- for rule in custom_line_rules() %}
    ({{ loop.index }}, '{{ rule.reason }}', '{{ rule.rule }}'){{ ',' if not loop.last }}
    {%- endfor %}
),

customers_without_sales as (
    select count(distinct checked_lines.customer_id) as row_count
    from checked_lines
    left join sales on checked_lines.customer_id = sales.customer_id
    where sales.customer_id is null
),

rejections as (
    select
        'line' as entity,
        rules.reason,
        rules.rule,
        coalesce(counted.row_count, 0) as row_count,
        rules.rule_order
    from rules
    left join counted on rules.reason = counted.rejection_reason
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
