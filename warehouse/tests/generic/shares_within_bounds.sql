{# Every column named ..._share is from 0 to 1 or null. #}
{% test shares_within_bounds(model) %}

{%- set shares = [] -%}
{%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(model) if column.name.endswith('_share') -%}
        {%- do shares.append(column.name) -%}
    {%- endfor -%}
{%- endif %}

with
outside as (
    select
        {%- for share in shares %}
        count(case when {{ share }} not between 0 and 1 then 1 end) as {{ share }},
        {%- endfor %}
        count(*) as row_count
    from {{ model }}
)

select * from outside
where
    {%- for share in shares %}
    {{ share }} > 0 or
    {%- endfor %}
    false

{% endtest %}
