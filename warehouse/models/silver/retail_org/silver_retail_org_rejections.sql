{%- set rules = {
    'order': (
        'silver.retail_org_orders',
        'silver_retail_org_checked_orders',
        retail_org_order_rules(),
    ),
    'line': (
        'silver.retail_org_order_lines',
        'silver_retail_org_checked_lines',
        retail_org_line_rules(),
    ),
} -%}
with
{% for entity, (relation, checked, list) in rules.items() -%}
{{ entity }}_counts as (
    select
        rejection_reason,
        count(*) as row_count
    from {{ ref(checked) }}
    where rejection_reason is not null
    group by rejection_reason
),

{{ entity }}_rules (rule_order, reason, rule) as (
    values
    {%- for rule in list %}
    ({{ loop.index }}, '{{ rule.reason }}', '{{ rule.rule }}'){{ ',' if not loop.last }}
    {%- endfor %}
),

rejected_{{ entity }}s as (
    select
        '{{ relation }}' as left_out_of,
        '{{ entity }}' as entity,
        {{ entity }}_rules.reason,
        {{ entity }}_rules.rule,
        coalesce({{ entity }}_counts.row_count, 0) as row_count,
        {{ 10 * loop.index }} + {{ entity }}_rules.rule_order as rule_order
    from {{ entity }}_rules
    left join {{ entity }}_counts
        on {{ entity }}_rules.reason = {{ entity }}_counts.rejection_reason
),

{% endfor -%}
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
