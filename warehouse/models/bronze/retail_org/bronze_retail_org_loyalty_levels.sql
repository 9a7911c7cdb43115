with
raw_file as (
    select * from {{ domain_csv('retail_org', 'loyalty_segment.csv') }}
),

typed as (
    select
        {{ safe_integer('loyalty_segment_id') }} as loyalty_segment,
        {{ code('loyalty_segment_description') }} as loyalty_level,
        {{ safe_integer('unit_threshold') }} as unit_threshold,
        {{ safe_date('valid_from', '%Y-%m-%d') }} as valid_from_on,
        {{ safe_date('valid_to', '%Y-%m-%d') }} as valid_to_on,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
