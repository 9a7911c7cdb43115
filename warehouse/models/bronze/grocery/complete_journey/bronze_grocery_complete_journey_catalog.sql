{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
products as (select * from {{ ref('bronze_grocery_complete_journey_products') }}),

catalog as (
    select
        product_id,
        product_category as category_id,
        -- Part of the petrol is filed under MISCELLANEOUS.
        case
            when product_type = 'GASOLINE-REG UNLEADED' then 'FUEL' else department
        end as source_department,
        brand = 'Private' as is_own_label
    from products
)

select * from catalog
