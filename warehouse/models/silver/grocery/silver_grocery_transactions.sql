{{ config(materialized='view') }}

with
checked_lines as (select * from {{ ref('silver_grocery_checked_lines') }}),

transactions as (
    select
        customer_id,
        basket_id,
        product_id,
        store_id,
        {%- for column in [
            'basket_size', 'basket_type', 'basket_mission', 'basket_price_sensitivity'
        ] %}
        cast({{ column }} as string) as {{ column }},
        {%- endfor %}
        is_own_label,
        is_bulk,
        quantity,
        unit_count,
        spend_amount,
        discount_amount,
        coupon_amount,
        shelf_amount,
        bought_at
    from checked_lines
    where rejection_reason is null
)

select * from transactions
