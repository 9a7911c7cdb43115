{%- set left_out = [
    ('basket', 'basket_type', 'gold.grocery_customers', 'basket_type_*_share'),
    ('basket', 'basket_mission', 'gold.grocery_customers', 'mission_*_share'),
    ('basket', 'price_sensitivity', 'gold.grocery_customers', 'price_sensitivity_*_share'),
] -%}
with
baskets as (select * from {{ ref('silver_grocery_baskets') }}),

customers as (select * from {{ ref('silver_grocery_customers') }}),

rejected_customers as (select * from {{ ref('silver_grocery_rejected_customers') }}),

rejected_lines as (
    {{ rejections_by_rule(
        ref('silver_grocery_checked_lines'), 'silver.grocery_transactions', 'line',
        grocery_line_rules()
    ) }}
),

customers_without_lines as (
    select
        'silver.grocery_customers' as left_out_of,
        'customer' as entity,
        'no_line_left' as reason,
        'every line of the customer was rejected' as rule,
        count(*) as row_count,
        20 as rule_order
    from rejected_customers
),

undefined_baskets as (
    {%- for entity, column, relation, features in left_out %}
    select
        '{{ relation }}' as left_out_of,
        '{{ entity }}' as entity,
        '{{ column }}_undefined' as reason,
        '{{ column }} is XX: not counted in {{ features }}' as rule,
        count(*) as row_count,
        {{ 30 + loop.index }} as rule_order
    from baskets
    where {{ column }} = 'XX'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

life_stages as (
    select
        life_stage,
        count(*) as customer_count
    from customers
    group by life_stage
),

unsampled_customers as (
    select
        'gold.grocery_lifestage_sample' as left_out_of,
        'customer' as entity,
        'life_stage_undefined' as reason,
        'life_stage is XX' as rule,
        cast(coalesce(sum(customer_count), 0) as bigint) as row_count,
        41 as rule_order
    from life_stages
    where life_stage = 'XX'
    union all
    select
        'gold.grocery_lifestage_sample' as left_out_of,
        'customer' as entity,
        'sample_full' as reason,
        'the life stage has its {{ var("lifestage_sample_size") }} customers already' as rule,
        cast(
            coalesce(sum(greatest(customer_count - {{ var('lifestage_sample_size') }}, 0)), 0)
            as bigint
        ) as row_count,
        42 as rule_order
    from life_stages
    where life_stage <> 'XX'
),

rejections as (
    select * from rejected_lines
    union all
    select * from customers_without_lines
    union all
    select * from undefined_baskets
    union all
    select * from unsampled_customers
)

select
    '{{ var("grocery_source") }}' as source,
    left_out_of,
    entity,
    reason,
    rule,
    row_count
from rejections
order by rule_order
