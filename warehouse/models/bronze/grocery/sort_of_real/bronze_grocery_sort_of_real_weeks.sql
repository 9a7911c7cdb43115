{{ config(
    enabled=var('grocery_source') == 'sort_of_real',
    post_hook='{{ stop_at_unread_lines() }}'
) }}

with
raw_file as (
    select * from {{ sort_of_real_files(['time.csv'], ['shop_week', 'date_from', 'date_to']) }}
),

typed as (
    select
        {{ code('shop_week') }} as shop_week,
        {{ safe_date('date_from', '%Y%m%d') }} as started_on,
        {{ safe_date('date_to', '%Y%m%d') }} as ended_on,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
