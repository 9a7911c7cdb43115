-- Why each feature was dropped in the latest run, by the step that dropped it.
-- Empty: every feature of the study was kept.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    feature_selection.partition,
    feature_selection.feature,
    feature_selection.dropped_at,
    feature_selection.reason
from results.feature_selection
inner join latest_run on feature_selection.run_id = latest_run.run_id
where not feature_selection.is_kept
order by feature_selection.partition, feature_selection.dropped_at, feature_selection.feature
