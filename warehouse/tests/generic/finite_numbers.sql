{# No double of the table is NaN or infinite. #}
{% test finite_numbers(model) %}

{%- set doubles = [] -%}
{%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(model) if column.is_float() -%}
        {%- do doubles.append(column.name) -%}
    {%- endfor -%}
{%- endif %}

with
extremes as (
    select
        {%- for column in doubles %}
        count(case when not abs({{ column }}) < 1e300 then 1 end) as {{ column }},
        {%- endfor %}
        count(*) as row_count
    from {{ model }}
)

select * from extremes
where
    {%- for column in doubles %}
    {{ column }} > 0 or
    {%- endfor %}
    false

{% endtest %}
