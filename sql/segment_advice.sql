-- What to do about each segment of the latest run, the most urgent first, and why.
-- Empty: the run gave no advice: its segments differ too little, or are too small.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    segment_actions.segment_id,
    segments.name,
    segment_actions.priority,
    segment_actions.action,
    segment_actions.advice,
    segment_actions.because
from results.segment_actions
inner join latest_run on segment_actions.run_id = latest_run.run_id
inner join results.segments
    on
        segment_actions.run_id = segments.run_id
        and segment_actions.segment_id = segments.segment_id
order by segment_actions.segment_id, segment_actions.priority
