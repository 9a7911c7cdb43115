{{ config(
    enabled=var('grocery_source') == 'sort_of_real',
    materialized=weekly(),
    meta={'replaced': 'source_file in (select path from loads.grocery_changed_files)'}
) }}

with
transactions as (
    select * from {{ ref('bronze_grocery_sort_of_real_transactions') }}
    {{ of_changed_files('bronze.grocery_sort_of_real_file_products') }}
)

select
    source_file,
    product_id,
    min(product_class) as product_class,
    min(department) as department,
    count(*) as line_count,
    sum(case when quantity >= {{ var('grocery_bulk_quantity') }} then 1 else 0 end)
        as bulk_line_count
from transactions
group by source_file, product_id
