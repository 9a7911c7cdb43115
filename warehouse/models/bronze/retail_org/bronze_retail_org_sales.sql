with
raw_file as (
    select * from {{ domain_parquet('retail_org', 'sales_gold.parquet') }}
),

typed as (
    select
        {{ code('cast(customer_id as string)') }} as customer_id,
        {{ code('customer_name') }} as customer_name,
        {{ code('product.id') }} as product_id,
        {{ code('product_name') }} as product_name,
        {{ code('product_category') }} as category,
        {{ safe_integer('product.qty') }} as unit_count,
        {{ safe_money('product.price') }} as unit_price,
        {{ safe_money('total_price') }} as spend_amount,
        cast(raw_file.order_date as date) as ordered_on,
        raw_file.source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
