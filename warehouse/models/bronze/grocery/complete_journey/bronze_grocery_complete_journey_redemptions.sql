{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('coupon_redemptions') }}),

typed as (
    select
        household_id,
        cast(coupon_upc as string) as coupon_id,
        cast(campaign_id as string) as campaign_id,
        cast(redemption_date as date) as redeemed_on,
        'coupon_redemptions.parquet' as source_file
    from raw_file
)

select * from typed
