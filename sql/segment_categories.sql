-- Which categories are frequent in each segment of the latest run: share, lift, adjusted p.
-- Empty: the study's table has no columns of words.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    segment_categories.segment_id,
    segment_categories.feature,
    segment_categories.category,
    round(segment_categories.share, 3) as share,
    round(segment_categories.population_share, 3) as population_share,
    round(segment_categories.lift, 2) as lift,
    segment_categories.p_adjusted
from results.segment_categories
inner join latest_run on segment_categories.run_id = latest_run.run_id
where segment_categories.share > 0
order by segment_categories.segment_id asc, segment_categories.lift desc
