-- What the segments tell of the next period beside simpler groupings (check_validity.py fills it).
with

latest_checked as (

    select max(validity.run_id) as run_id
    from results.validity
    inner join results.runs on validity.run_id = runs.run_id
    where runs.study = coalesce(getvariable('study'), 'grocery_customers')

)

select
    validity.grouping,
    validity.groups,
    round(max(validity.value) filter (validity.outcome = 'spend'), 3) as spend_explained,
    round(max(validity.value) filter (validity.outcome = 'visits'), 3) as visits_explained,
    round(max(validity.value) filter (validity.outcome = 'churn'), 3) as churn_auc,
    round(max(validity.value) filter (validity.outcome = 'return_share'), 3) as returns_explained,
    round(max(validity.value) filter (validity.outcome = 'returned'), 3) as returned_auc,
    validity.rows,
    validity.split_on
from results.validity
inner join latest_checked on validity.run_id = latest_checked.run_id
group by validity.grouping, validity.groups, validity.rows, validity.split_on
order by spend_explained desc
