{%- set left_out = [
    ('basket', 'basket_type', 'gold.grocery_customers', 'basket_type_*_share'),
    ('basket', 'basket_mission', 'gold.grocery_customers', 'mission_*_share'),
    ('basket', 'price_sensitivity', 'gold.grocery_customers', 'price_sensitivity_*_share'),
] -%}
with
checked_lines as (select * from {{ ref('silver_grocery_checked_lines') }}),

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

left_out_baskets as (
    select
        'silver.grocery_baskets' as left_out_of,
        'basket' as entity,
        'undefined_left_out' as reason,
        'its lines are basket_undefined; 0 without var grocery_leave_out_undefined' as rule,
        count(distinct basket_id) as row_count,
        30 as rule_order
    from checked_lines
    where rejection_reason = 'basket_undefined'
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

basket_stages as (
    select
        customers.life_stage,
        count(*) as basket_count
    from baskets
    inner join customers on baskets.customer_id = customers.customer_id
    group by customers.life_stage
),

unsampled_baskets as (
    select
        'gold.grocery_lifestage_basket_sample' as left_out_of,
        'basket' as entity,
        'customer_stage_undefined' as reason,
        'life_stage of its customer is XX' as rule,
        cast(coalesce(sum(basket_count), 0) as bigint) as row_count,
        43 as rule_order
    from basket_stages
    where life_stage = 'XX'
    union all
    select
        'gold.grocery_lifestage_basket_sample' as left_out_of,
        'basket' as entity,
        'basket_sample_full' as reason,
        'the life stage has its {{ var("lifestage_basket_sample_size") }} baskets already' as rule,
        cast(
            coalesce(sum(greatest(basket_count - {{ var('lifestage_basket_sample_size') }}, 0)), 0)
            as bigint
        ) as row_count,
        44 as rule_order
    from basket_stages
    where life_stage <> 'XX'
),

rejections as (
    select * from rejected_lines
    union all
    select * from customers_without_lines
    union all
    select * from left_out_baskets
    union all
    select * from undefined_baskets
    union all
    select * from unsampled_customers
    union all
    select * from unsampled_baskets
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
