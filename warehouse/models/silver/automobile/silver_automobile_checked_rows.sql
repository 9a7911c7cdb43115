with
labelled as (select * from {{ ref('bronze_automobile_labelled') }}),

unlabelled as (select * from {{ ref('bronze_automobile_unlabelled') }}),

prospects as (
    select
        true as is_labelled,
        labelled.segment_label,
        {{ columns_but('labelled', 'segment_label') }}
    from labelled
    union all
    select
        false as is_labelled,
        null as segment_label,
        unlabelled.*
    from unlabelled
),

numbered as (
    select
        *,
        row_number() over (
            partition by is_labelled, prospect_id
            order by file_row
        ) as copy_number
    from prospects
),

checked as (
    select
        prospect_id,
        file_row,
        is_labelled,
        segment_label,
        gender,
        {{ yes_or_no('lower(married_answer)') }} as is_married,
        {{ yes_or_no('lower(graduated_answer)') }} as is_graduate,
        profession,
        spending_score,
        category_code,
        age,
        work_experience_years,
        family_size,
        case
            {%- for rule in prospect_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from numbered
)

select * from checked
