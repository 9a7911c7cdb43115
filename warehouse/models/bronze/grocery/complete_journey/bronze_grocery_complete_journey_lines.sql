{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
transactions as (select * from {{ ref('bronze_grocery_complete_journey_transactions') }}),

lines as (
    select
        cast(household_id as varchar) as customer_id,
        basket_id,
        product_id,
        cast(store_id as varchar) as store_id,
        cast(null as varchar) as basket_size,
        cast(null as varchar) as basket_type,
        cast(null as varchar) as basket_mission,
        cast(null as varchar) as basket_price_sensitivity,
        quantity,
        {{ safe_money('sales_value') }} as spend_amount,
        {{ safe_money('retail_discount_amount') }} as discount_amount,
        {{ safe_money('coupon_discount_amount + coupon_match_amount') }} as coupon_amount,
        -- What the shelf label said: the retailer's own discounts are off sales_value already,
        -- the manufacturer's coupon is not.
        {{ safe_money('sales_value + retail_discount_amount + coupon_match_amount') }}
            as shelf_amount,
        {{ local_time('transaction_at', 'America/New_York') }} as bought_at
    from transactions
)

select * from lines
