-- What the segments tell of the next period beside simpler groupings (check_validity.py fills it).
-- Empty: not asked yet; python scripts/check_validity.py --study NAME does.
with

latest_checked as (

    select max_by(validity.run_id, runs.number) as run_id
    from results.validity
    inner join results.runs on validity.run_id = runs.run_id
    where runs.study = coalesce(getvariable('study'), runs.study)

)

select
    validity.outcome,
    validity.measure,
    validity.grouping,
    validity.groups,
    round(avg(validity.value), 3) as value,
    validity.rows,
    validity.split_on
from results.validity
inner join latest_checked on validity.run_id = latest_checked.run_id
group by
    validity.outcome,
    validity.measure,
    validity.grouping,
    validity.groups,
    validity.rows,
    validity.split_on
order by validity.outcome asc, validity.measure asc, value desc
