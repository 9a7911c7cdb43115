{# Rules that every row keeps; like a check constraint, a rule that is null is kept. All rules
   are read in one pass, and each broken one gives a row with its text. #}
{% test holds(model, rules) %}

with
broken as (
    select
        {%- for rule in rules %}
        count(case when not ({{ rule }}) then 1 end) as rule_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
)

{% for rule in rules %}
select
    '{{ rule | replace("'", "''") }}' as broken_rule,
    rule_{{ loop.index }} as row_count
from broken
where rule_{{ loop.index }} > 0
{{ 'union all' if not loop.last }}
{% endfor %}

{% endtest %}
