{{ config(
    enabled=var('grocery_source') == 'sort_of_real',
    materialized=weekly(),
    meta={'replaced': 'source_file in (select path from loads.grocery_changed_files)'}
) }}

with
transactions as (
    select * from {{ ref('bronze_grocery_sort_of_real_transactions') }}
    {{ of_changed_files('bronze.grocery_sort_of_real_file_shoppers') }}
)

select
    source_file,
    customer_id,
    min(customer_life_stage) as customer_life_stage,
    min(customer_price_sensitivity) as customer_price_sensitivity
from transactions
group by source_file, customer_id
