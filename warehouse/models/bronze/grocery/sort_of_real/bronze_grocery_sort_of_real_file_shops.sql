{{ config(
    enabled=var('grocery_source') == 'sort_of_real',
    materialized=weekly(),
    meta={'replaced': 'source_file in (select path from loads.grocery_changed_files)'}
) }}

with
transactions as (
    select * from {{ ref('bronze_grocery_sort_of_real_transactions') }}
    {{ of_changed_files('bronze.grocery_sort_of_real_file_shops') }}
)

select
    source_file,
    store_id,
    min(store_format) as store_format,
    min(store_region) as store_region
from transactions
group by source_file, store_id
