{{ config(enabled=var('grocery_source') == 'sort_of_real', materialized='view') }}

with
transactions as (select * from {{ ref('bronze_grocery_sort_of_real_transactions') }}),

weeks as (select * from {{ ref('bronze_grocery_sort_of_real_weeks') }}),

lines as (
    select
        transactions.customer_id,
        transactions.basket_id,
        transactions.product_id,
        transactions.store_id,
        transactions.basket_size,
        transactions.basket_type,
        transactions.basket_mission,
        transactions.basket_price_sensitivity,
        transactions.quantity,
        transactions.spend_amount,
        cast(null as decimal(18, 2)) as discount_amount,
        cast(null as decimal(18, 2)) as coupon_amount,
        cast(null as decimal(18, 2)) as shelf_amount,
        -- A date outside its own week, or an hour outside the day, is no date.
        case
            when transactions.shopped_on not between weeks.started_on and weeks.ended_on then null
            when transactions.shop_hour between 0 and 23
                then {{ at_hour('transactions.shopped_on', 'transactions.shop_hour') }}
        end as bought_at
    from transactions
    left join weeks on transactions.shop_week = weeks.shop_week
)

select * from lines
