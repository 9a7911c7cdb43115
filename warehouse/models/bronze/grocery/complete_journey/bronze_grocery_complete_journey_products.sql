{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('products') }}),

typed as (
    select
        product_id,
        cast(manufacturer_id as string) as manufacturer_id,
        department,
        brand,
        product_category,
        product_type,
        package_size,
        'products.parquet' as source_file
    from raw_file
)

select * from typed
