{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
transactions as (select * from {{ ref('bronze_grocery_complete_journey_transactions') }}),

stores as (
    select distinct store_id from transactions
    where store_id is not null
),

shops as (
    select
        cast(store_id as varchar) as store_id,
        cast(null as varchar) as store_format,
        cast(null as varchar) as store_region
    from stores
)

select * from shops
