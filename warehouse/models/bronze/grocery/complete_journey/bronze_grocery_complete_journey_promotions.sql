{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('promotions') }}),

typed as (
    select
        product_id,
        store_id,
        display_location,
        mailer_location,
        week,
        'promotions.parquet' as source_file
    from raw_file
)

select * from typed
