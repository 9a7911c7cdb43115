{{ config(post_hook='{{ stop_at_unread_lines() }}') }}

with
raw_file as (
    select * from {{ automobile_file('Test') }}
),

typed as (
    select
        {{ prospect_columns() }},
        raw_file.source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
