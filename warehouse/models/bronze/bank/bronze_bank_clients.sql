{{ config(post_hook='{{ stop_at_unread_lines() }}') }}

with
raw_file as (
    select * from {{ bank_file() }}
),

typed as (
    select
        {{ place_in_file() }} as client_id,
        {{ code('raw_file.job') }} as job,
        {{ code('raw_file.marital') }} as marital_status,
        {{ code('raw_file.education') }} as education,
        {{ code('raw_file.default') }} as default_answer,
        {{ code('raw_file.housing') }} as housing_answer,
        {{ code('raw_file.loan') }} as loan_answer,
        {{ code('raw_file.contact') }} as contact_channel,
        {{ code('raw_file.month') }} as contact_month,
        {{ code('raw_file.poutcome') }} as previous_outcome,
        {{ code('raw_file.y') }} as subscribed_answer,
        {{ safe_integer('raw_file.age') }} as age,
        {{ safe_money('raw_file.balance') }} as balance_amount,
        {{ safe_integer('raw_file.day') }} as contact_day,
        {{ safe_integer('raw_file.duration') }} as call_duration_seconds,
        {{ safe_integer('raw_file.campaign') }} as campaign_contact_count,
        {{ safe_integer('raw_file.pdays') }} as days_since_contact,
        {{ safe_integer('raw_file.previous') }} as previous_contact_count,
        raw_file.source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
