{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('coupons') }}),

typed as (
    select
        cast(coupon_upc as string) as coupon_id,
        product_id,
        cast(campaign_id as string) as campaign_id,
        'coupons.parquet' as source_file
    from raw_file
)

select * from typed
