with
rejections as (
    {{ rejections_by_rule(
        ref('silver_bank_checked_rows'), 'silver.bank_clients', 'client', bank_row_rules()
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
