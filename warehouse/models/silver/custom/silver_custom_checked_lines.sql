{{ config(alias=var('custom_name', 'custom') ~ '_checked_lines') }}

with
lines as (select * from {{ ref('bronze_custom_lines') }}),

checked as (
    select
        lines.*,
        case
            {%- for rule in custom_line_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from lines
)

select * from checked
