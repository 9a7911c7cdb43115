with
clients as (select * from {{ ref('bronze_bank_clients') }}),

numbered as (
    select
        client_id,
        job,
        marital_status,
        education,
        contact_channel,
        contact_month,
        previous_outcome,
        {{ yes_or_no('default_answer') }} as has_default,
        {{ yes_or_no('housing_answer') }} as has_housing_loan,
        {{ yes_or_no('loan_answer') }} as has_personal_loan,
        {{ yes_or_no('subscribed_answer') }} as has_subscribed,
        age,
        balance_amount,
        contact_day,
        call_duration_seconds,
        campaign_contact_count,
        days_since_contact,
        previous_contact_count,
        row_number() over (
            partition by
                job, marital_status, education, default_answer, housing_answer, loan_answer,
                contact_channel, contact_month, previous_outcome, subscribed_answer, age,
                balance_amount, contact_day, call_duration_seconds, campaign_contact_count,
                days_since_contact, previous_contact_count
            order by client_id
        ) as copy_number
    from clients
),

checked as (
    select
        {{ columns_but('numbered', 'copy_number') }},
        case
            {%- for rule in bank_row_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from numbered
)

select * from checked
