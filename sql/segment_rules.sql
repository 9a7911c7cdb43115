-- Each segment's rule in words and as SQL, and how well it did on gold in the latest run.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    segments.segment_id,
    segments.name,
    segments.rule_text,
    round(segments.rule_precision, 3) as precision,
    round(segments.rule_recall, 3) as recall,
    round(segments.rule_lift, 1) as lift,
    round(segments.surrogate_f1, 3) as surrogate_f1,
    segments.rule_sql
from results.segments
inner join latest_run on segments.run_id = latest_run.run_id
order by segments.segment_id
