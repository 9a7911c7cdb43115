{# What a checked relation left out, one row a rule, whether or not a row broke it: the last two CTEs
   and the select of a rejections model. `checked` is a CTE with a rejection_reason, null where a
   row was kept; `rules` are in the order in which they were tried. #}
{% macro counted_rejections(checked, left_out_of, entity, rules) -%}
row_counts as (
    select
        rejection_reason,
        count(*) as row_count
    from {{ checked }}
    where rejection_reason is not null
    group by rejection_reason
),

row_rules (rule_order, reason, rule) as (
    values
    {%- for rule in rules %}
    ({{ loop.index }}, '{{ rule.reason }}', '{{ rule.rule }}'){{ ',' if not loop.last }}
    {%- endfor %}
)

select
    '{{ left_out_of }}' as left_out_of,
    '{{ entity }}' as entity,
    row_rules.reason,
    row_rules.rule,
    coalesce(row_counts.row_count, 0) as row_count
from row_rules
left join row_counts on row_rules.reason = row_counts.rejection_reason
order by row_rules.rule_order
{%- endmacro %}
