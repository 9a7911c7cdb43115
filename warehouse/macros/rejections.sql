{# What a checked relation left out, one row a rule, whether or not a row broke it. `checked` has a
   rejection_reason, null where a row was kept; `rules` are in the order in which they were tried,
   numbered from `first_order` on. The body of a CTE. #}
{% macro rejections_by_rule(checked, left_out_of, entity, rules, first_order=1) -%}
    with
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
        ({{ first_order + loop.index0 }}, '{{ rule.reason }}', '{{ rule.rule }}')
        {{- ',' if not loop.last }}
        {%- endfor %}
    )

    select
        '{{ left_out_of }}' as left_out_of,
        '{{ entity }}' as entity,
        row_rules.reason,
        row_rules.rule,
        coalesce(row_counts.row_count, 0) as row_count,
        row_rules.rule_order
    from row_rules
    left join row_counts on row_rules.reason = row_counts.rejection_reason
{%- endmacro %}
