with
raw_file as (
    select * from {{ domain_parquet('retail_org', 'promo_prices.parquet') }}
),

typed as (
    select
        {{ code('cast(promo_customer as string)') }} as customer_id,
        {{ code('promo_item') }} as product_id,
        cast(promo_id as bigint) as promotion_id,
        cast(promo_disc as double) as discount_share,
        cast(promo_qty as bigint) as unit_count,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
