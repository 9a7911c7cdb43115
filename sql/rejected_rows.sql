-- What the warehouse left out on the way to silver and gold: the rule and how many rows it took.
select
    source,
    left_out_of,
    entity,
    reason,
    rule,
    row_count
from silver.grocery_rejections
order by left_out_of asc, entity asc, row_count desc, reason asc
