{{ config(
    materialized=weekly(),
    meta={
        'replaced': 'customer_id in (select customer_id from loads.grocery_touched_customers)',
        'every': every_customer(),
    }
) }}

with
customers as (select * from {{ ref('silver_grocery_customers') }}),

sizes as (select * from {{ ref('silver_grocery_int_customer_basket_sizes') }}),

levels as (select * from {{ ref('silver_grocery_int_customer_basket_levels') }}),

gaps as (select * from {{ ref('silver_grocery_int_customer_basket_gaps') }}),

main_format as (select * from {{ ref('silver_grocery_int_customer_main_format') }}),

features as (
    select
        cast(customers.customer_id as string) as customer_id,
        customers.life_stage,
        main_format.main_store_format,
        sizes.unit_spread_mean,
        sizes.product_count_mean,
        sizes.unit_count_mean,
        sizes.spend_amount_mean,
        sizes.spend_amount_max,
        {%- for level in basket_levels()['price_sensitivity'] %}
        {{ is_level('customers.price_sensitivity', level) }}
            as has_customer_sensitivity_{{ level_name(level) }},
        {%- endfor %}
        {{ columns_but('levels', 'customer_id') }},
        sizes.basket_count,
        gaps.basket_gap_min_days,
        gaps.basket_gap_max_days,
        gaps.basket_gap_mean_days
    from customers
    inner join sizes on customers.customer_id = sizes.customer_id
    inner join levels on customers.customer_id = levels.customer_id
    inner join gaps on customers.customer_id = gaps.customer_id
    inner join main_format on customers.customer_id = main_format.customer_id
)

select * from features
