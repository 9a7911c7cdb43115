{%- set compared = [
    'gender', 'is_married', 'is_graduate', 'profession', 'spending_score', 'category_code', 'age',
    'work_experience_years', 'family_size',
] -%}
with
prospects as (select * from {{ ref('silver_automobile_prospects') }}),

pairs as (
    select
        {%- for column in compared %}
        (labelled.{{ column }} is not distinct from unlabelled.{{ column }}) as same_{{ column }},
        {%- endfor %}
        labelled.prospect_id
    from prospects as labelled
    inner join prospects as unlabelled on labelled.prospect_id = unlabelled.prospect_id
    where labelled.is_labelled and not unlabelled.is_labelled
),

counted as (
    {%- for column in compared %}
    select
        '{{ column }}' as compared_column,
        count(*) as shared_count,
        count(case when same_{{ column }} then 1 end) as equal_count
    from pairs
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from counted
