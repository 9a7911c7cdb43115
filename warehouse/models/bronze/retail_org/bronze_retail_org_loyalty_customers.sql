with
raw_file as (
    select * from {{ domain_csv('retail_org', 'customers.csv') }}
),

typed as (
    select
        {{ code('customer_id') }} as customer_id,
        {{ safe_integer('units_purchased') }} as units_purchased,
        {{ safe_integer('loyalty_segment') }} as loyalty_segment,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
