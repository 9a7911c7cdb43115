{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('transactions') }}),

typed as (
    select
        household_id,
        store_id,
        basket_id,
        product_id,
        quantity,
        sales_value,
        retail_disc as retail_discount_amount,
        coupon_disc as coupon_discount_amount,
        coupon_match_disc as coupon_match_amount,
        week,
        transaction_timestamp as transaction_at,
        'transactions.parquet' as source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
