with
checked_rows as (select * from {{ ref('silver_automobile_checked_rows') }}),

row_counts as (
    select
        rejection_reason,
        count(*) as row_count
    from checked_rows
    where rejection_reason is not null
    group by rejection_reason
),

row_rules (rule_order, reason, rule) as (
    values
    {%- for rule in prospect_rules() %}
    ({{ loop.index }}, '{{ rule.reason }}', '{{ rule.rule }}'){{ ',' if not loop.last }}
    {%- endfor %}
)

select
    'silver.automobile_prospects' as left_out_of,
    'prospect' as entity,
    row_rules.reason,
    row_rules.rule,
    coalesce(row_counts.row_count, 0) as row_count
from row_rules
left join row_counts on row_rules.reason = row_counts.rejection_reason
order by row_rules.rule_order
