{{ config(enabled=var('grocery_source') == 'sort_of_real', materialized='view') }}

with
file_shops as (select * from {{ ref('bronze_grocery_sort_of_real_file_shops') }}),

shops as (
    select
        store_id,
        min(store_format) as store_format,
        min(store_region) as store_region
    from file_shops
    where store_id is not null
    group by store_id
)

select * from shops
