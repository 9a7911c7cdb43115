{{ config(enabled=var('grocery_source') == 'sort_of_real', materialized='view') }}

with
transactions as (select * from {{ ref('bronze_grocery_sort_of_real_transactions') }}),

catalog as (
    select
        product_id,
        min(product_class) as category_id,
        min(department) as source_department,
        cast(null as boolean) as is_own_label
    from transactions
    where product_id is not null
    group by product_id
)

select * from catalog
