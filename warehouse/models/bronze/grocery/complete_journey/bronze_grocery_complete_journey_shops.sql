{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
transactions as (select * from {{ ref('bronze_grocery_complete_journey_transactions') }}),

shops as (
    select distinct
        store_id,
        cast(null as varchar) as store_format,
        cast(null as varchar) as store_region
    from transactions
    where store_id is not null
)

select * from shops
