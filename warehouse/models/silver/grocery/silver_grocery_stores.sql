{{ config(post_hook="{{ mark_load('silver.grocery_stores') }}") }}

with
shops as (select * from {{ grocery_source('shops') }})

select
    store_id,
    store_format,
    store_region
from shops
