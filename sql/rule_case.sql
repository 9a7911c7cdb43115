-- All rules of the latest run as one SQL case expression, and how often it is right on gold.
-- Empty: the run has no rules: a single segment needs none.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    rule_sets.partition,
    rule_sets.rows,
    round(rule_sets.accuracy, 3) as accuracy,
    round(rule_sets.f1_weighted, 3) as f1_weighted,
    rule_sets.conditions,
    rule_sets.case_sql
from results.rule_sets
inner join latest_run on rule_sets.run_id = latest_run.run_id
order by rule_sets.partition
