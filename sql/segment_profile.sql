-- One segment's profile (the largest): each column's mean beside the population's, strongest first.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

wanted as (

    select
        segments.run_id,
        segments.segment_id
    from results.segments
    inner join latest_run on segments.run_id = latest_run.run_id
    where segments.segment_id = coalesce(getvariable('segment_id'), segments.segment_id)
    order by segments.size desc
    limit 1

)

select
    segment_features.segment_id,
    segment_features.feature,
    segment_features.is_model_feature,
    round(segment_features.mean, 4) as mean,
    round(segment_features.median, 4) as median,
    round(segment_features.population_mean, 4) as population_mean,
    round(segment_features.z, 2) as z,
    round(segment_features.importance, 3) as importance
from results.segment_features
inner join wanted
    on
        segment_features.run_id = wanted.run_id
        and segment_features.segment_id = wanted.segment_id
order by abs(segment_features.z) desc, segment_features.feature
