{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
lines as (select * from {{ ref('bronze_grocery_complete_journey_lines') }}),

stores as (
    select distinct store_id from lines
    where store_id is not null
),

shops as (
    select
        store_id,
        cast(null as string) as store_format,
        cast(null as string) as store_region
    from stores
)

select * from shops
