with
checked as (select * from {{ ref('silver_online_retail_numbered_lines') }}),

checked_lines as (select * from {{ ref('silver_online_retail_checked_lines') }}),

customers as (select * from {{ ref('silver_online_retail_customers') }}),

returns as (select * from {{ ref('silver_online_retail_returns') }}),

counted as (
    {{ rejections_by_rule(
        ref('silver_online_retail_checked_lines'), 'silver.online_retail_sales, _returns', 'line',
        online_retail_line_rules()
    ) }}
),

-- A line is left out for the first rule that it breaks; how many break each rule stands beside.
broken as (
    {%- for rule in online_retail_line_rules() %}
    select
        '{{ rule.reason }}' as reason,
        count(*) as breaking_count
    from checked
    where {{ rule.when }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rejected_lines as (
    select
        counted.left_out_of,
        counted.entity,
        counted.reason,
        counted.rule,
        counted.row_count,
        broken.breaking_count,
        counted.rule_order
    from counted
    inner join broken on counted.reason = broken.reason
),

cancelled_lines as (
    select
        'silver.online_retail_sales, _returns' as left_out_of,
        'line' as entity,
        'cancelled_on_the_day' as reason,
        'bought and credited in full on one day: in silver.online_retail_cancelled_lines' as rule,
        count(*) as row_count,
        count(*) as breaking_count,
        20 as rule_order
    from checked_lines
    where kind in ('cancelled sale', 'cancellation')
),

customers_without_sales as (
    select
        'gold.online_retail_customers' as left_out_of,
        'customer' as entity,
        'no_sale_left' as reason,
        'no line of the customer is a sale' as rule,
        count(*) as row_count,
        count(*) as breaking_count,
        30 as rule_order
    from customers
    where sale_line_count = 0
),

unmatched_returns as (
    select
        'gold.online_retail_customers.return_*_share' as left_out_of,
        'return line' as entity,
        'bought_before_the_data' as reason,
        'no unit of the return is among the earlier purchases' as rule,
        count(*) as row_count,
        count(*) as breaking_count,
        31 as rule_order
    from returns
    where matched_unit_count = 0
),

rejections as (
    select * from rejected_lines
    union all
    select * from cancelled_lines
    union all
    select * from customers_without_sales
    union all
    select * from unmatched_returns
)

select
    'uci' as source,
    left_out_of,
    entity,
    reason,
    rule,
    row_count,
    breaking_count
from rejections
order by rule_order
