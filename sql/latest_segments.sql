-- The segments of the latest run, largest first: size, share, stability and what stands out.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    segments.segment_id,
    segments.name,
    segments.size,
    round(100 * segments.share, 1) as share_percent,
    round(segments.silhouette, 3) as silhouette,
    round(segments.stability, 2) as stability,
    segments.is_stable,
    segments.description
from results.segments
inner join latest_run on segments.run_id = latest_run.run_id
order by segments.size desc
