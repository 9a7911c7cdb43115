-- What tells each segment apart: mean absolute SHAP value, direction, effect size, latest run.
-- Empty: a single segment, or segments too small, leave nothing to explain.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    segment_features.segment_id,
    segment_features.feature,
    round(segment_features.shap, 3) as mean_shap,
    segment_features.shap_direction as direction,
    round(segment_features.effect_size, 2) as effect_size,
    round(segment_features.effect_low, 2) as effect_low,
    round(segment_features.effect_high, 2) as effect_high,
    segment_features.p_adjusted
from results.segment_features
inner join latest_run on segment_features.run_id = latest_run.run_id
where segment_features.shap is not null
order by segment_features.segment_id asc, segment_features.shap desc
