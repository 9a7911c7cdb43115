with
checked_rows as (select * from {{ ref('silver_bank_checked_rows') }}),

clients as (
    select
        client_id,
        {{ known_word('job') }} as job,
        marital_status,
        {{ known_word('education') }} as education,
        {{ known_word('contact_channel') }} as contact_channel,
        {{ known_word('previous_outcome') }} as previous_outcome,
        has_default,
        has_housing_loan,
        has_personal_loan,
        has_subscribed,
        -- -1 stands for a client whom no earlier campaign reached.
        days_since_contact <> -1 as was_contacted_before,
        age,
        balance_amount,
        contact_day,
        {{ month_number('contact_month') }} as contact_month,
        call_duration_seconds,
        campaign_contact_count,
        previous_contact_count,
        nullif(days_since_contact, -1) as days_since_contact
    from checked_rows
    where rejection_reason is null
)

select * from clients
