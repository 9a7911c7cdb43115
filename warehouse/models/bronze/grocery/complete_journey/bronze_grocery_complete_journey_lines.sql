{{ config(enabled=var('grocery_source') == 'complete_journey') }}

-- A table, for the file is one block of rows that a single processor has to unpack at each read.

with
transactions as (select * from {{ ref('bronze_grocery_complete_journey_transactions') }}),

-- A time zone changes at full hours, so the few thousand hours are converted, not every line.
hours as (
    select distinct {{ hour_of('transaction_at') }} as utc_hour
    from {{ ref('bronze_grocery_complete_journey_transactions') }}
    where transaction_at is not null
),

clock as (
    select
        utc_hour,
        {{ local_time(start_of_hour('utc_hour'), 'America/New_York') }}
        - {{ start_of_hour('utc_hour') }} as utc_offset
    from hours
),

lines as (
    select
        transactions.household_id as customer_id,
        transactions.basket_id,
        transactions.product_id,
        transactions.store_id,
        {%- for column in [
            'basket_size', 'basket_type', 'basket_mission', 'basket_price_sensitivity'
        ] %}
        {{ no_text() }} as {{ column }},
        {%- endfor %}
        transactions.quantity,
        {{ safe_money('transactions.sales_value') }} as spend_amount,
        {{ safe_money('transactions.retail_discount_amount') }} as discount_amount,
        {{ safe_money(
            'transactions.coupon_discount_amount + transactions.coupon_match_amount'
        ) }} as coupon_amount,
        -- What the shelf label said: the retailer's own discounts are off sales_value already,
        -- the manufacturer's coupon is not.
        {{ safe_money(
            'transactions.sales_value + transactions.retail_discount_amount'
            ~ ' + transactions.coupon_match_amount'
        ) }} as shelf_amount,
        transactions.transaction_at + clock.utc_offset as bought_at
    from transactions
    left join clock on {{ hour_of('transactions.transaction_at') }} = clock.utc_hour
)

select * from lines
