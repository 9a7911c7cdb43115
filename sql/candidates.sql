-- Every candidate of the latest run by silhouette, with the one chosen and why.
-- common_silhouette is Euclidean, in the scaled features; metric_silhouette and silhouette go by
-- the distance that the candidate was found by.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    model_search.is_chosen,
    model_search.encoding,
    model_search.algorithm,
    model_search.k,
    round(model_search.common_silhouette, 4) as common_silhouette,
    round(model_search.metric_silhouette, 4) as metric_silhouette,
    round(model_search.silhouette, 4) as silhouette,
    round(model_search.davies_bouldin, 3) as davies_bouldin,
    round(model_search.calinski_harabasz, 1) as calinski_harabasz,
    round(model_search.smallest_share, 3) as smallest_share,
    round(model_search.stability, 2) as stability,
    model_search.reason
from results.model_search
inner join latest_run on model_search.run_id = latest_run.run_id
order by model_search.common_silhouette desc, model_search.candidate asc
