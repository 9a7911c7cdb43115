-- What scaling changes: who makes up the squared distances, and the figures of an unscaled study.
-- Empty: no feature of the run differs between its segments.
with

latest_run as (

    select
        run_id,
        json_extract_string(parameters, '$.features.scale') as scale
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)
    order by number desc
    limit 1

),

-- z is (mean - population mean) / spread, so the spread of a column follows from any segment of it.
spreads as (

    select
        segment_features.feature,
        max_by(
            abs((segment_features.mean - segment_features.population_mean) / segment_features.z),
            abs(segment_features.z)
        ) as spread
    from results.segment_features
    inner join latest_run on segment_features.run_id = latest_run.run_id
    where segment_features.is_model_feature and segment_features.z != 0
    group by segment_features.feature

),

shares as (

    select
        'share of all squared distances' as measure,
        feature,
        spread * spread / sum(spread * spread) over () as unscaled,
        1.0 / count(*) over () as scaled
    from spreads

),

-- The common space of an unscaled study is scaled: the same segments, measured there.
chosen as (

    select model_search.*
    from results.model_search
    inner join latest_run on model_search.run_id = latest_run.run_id
    where latest_run.scale = 'none' and (model_search.is_chosen or model_search.noise_share = 1)

),

figures as (

    select
        'silhouette' as measure,
        algorithm as feature,
        silhouette as unscaled,
        common_silhouette as scaled
    from chosen
    union all
    select
        'Davies-Bouldin' as measure,
        algorithm as feature,
        davies_bouldin as unscaled,
        common_davies_bouldin as scaled
    from chosen
    union all
    select
        'share left as noise' as measure,
        algorithm as feature,
        noise_share as unscaled,
        null as scaled
    from chosen
    where noise_share > 0

)

select
    measure,
    feature as feature_or_algorithm,
    round(unscaled, 4) as unscaled,
    round(scaled, 4) as scaled
from figures
union all
select
    measure,
    feature as feature_or_algorithm,
    round(unscaled, 4) as unscaled,
    round(scaled, 4) as scaled
from shares
order by measure asc, unscaled desc, feature_or_algorithm asc
