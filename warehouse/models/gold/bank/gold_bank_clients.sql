with
clients as (select * from {{ ref('silver_bank_clients') }}),

features as (
    select
        client_id,
        job,
        marital_status,
        education,
        contact_channel,
        previous_outcome,
        has_default,
        has_housing_loan,
        has_personal_loan,
        was_contacted_before,
        has_subscribed,
        age,
        cast(balance_amount as double) as balance_amount,
        balance_amount < 0 as is_overdrawn,
        contact_day,
        contact_month,
        call_duration_seconds,
        campaign_contact_count,
        previous_contact_count,
        days_since_contact
    from clients
)

select * from features
