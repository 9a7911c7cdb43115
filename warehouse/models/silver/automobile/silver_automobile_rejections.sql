with
rejections as (
    {{ rejections_by_rule(
        ref('silver_automobile_checked_rows'), 'silver.automobile_prospects', 'prospect', prospect_rules()
    ) }}
)

select
    left_out_of,
    entity,
    reason,
    rule,
    row_count
from rejections
order by rule_order
