-- What became of every segment of a study, run after run: born, split, continued, merged, died.
with

wanted as (

    select coalesce(getvariable('study'), max_by(study, number)) as study
    from results.runs
    where status = 'done'

)

select
    segment_history.number as run_number,
    segment_history.started_at,
    segment_history.segment_id,
    segment_history.name as segment_name,
    segment_history.event,
    segment_history.other_segment_id,
    round(segment_history.other_share, 3) as other_share,
    segment_history.size_before,
    segment_history.size
from results.segment_history
inner join wanted on segment_history.study = wanted.study
order by segment_history.number, segment_history.segment_id
