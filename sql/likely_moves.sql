-- Who of a study's newest run is likely to be in another segment at the next, the likeliest first.
-- Empty: too few runs or moves to learn from; run_sql.py "from results.move_forecasts" says which.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    likely_moves.entity_id,
    likely_moves.segment_id,
    segments.name as segment_name,
    round(likely_moves.likelihood, 3) as likelihood,
    round(move_forecasts.auc, 3) as auc_out_of_time
from results.likely_moves
inner join latest_run on likely_moves.run_id = latest_run.run_id
inner join results.move_forecasts on likely_moves.run_id = move_forecasts.run_id
inner join results.segments
    on
        likely_moves.run_id = segments.run_id
        and likely_moves.segment_id = segments.segment_id
order by likely_moves.likelihood desc, likely_moves.entity_id asc
