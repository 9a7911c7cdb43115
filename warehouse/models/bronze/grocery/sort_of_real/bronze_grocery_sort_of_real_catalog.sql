{{ config(enabled=var('grocery_source') == 'sort_of_real', materialized='view') }}

with
file_products as (select * from {{ ref('bronze_grocery_sort_of_real_file_products') }}),

catalog as (
    select
        product_id,
        min(product_class) as category_id,
        min(department) as source_department,
        cast(null as boolean) as is_own_label
    from file_products
    where product_id is not null
    group by product_id
)

select * from catalog
