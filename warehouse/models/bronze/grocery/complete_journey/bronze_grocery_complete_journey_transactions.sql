{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('transactions') }}),

typed as (
    select
        cast(household_id as varchar) as household_id,
        cast(store_id as varchar) as store_id,
        basket_id,
        product_id,
        quantity,
        sales_value,
        retail_disc as retail_discount_amount,
        coupon_disc as coupon_discount_amount,
        coupon_match_disc as coupon_match_amount,
        week,
        transaction_timestamp as transaction_at,
        'transactions.parquet' as source_file
    from raw_file
)

select * from typed
