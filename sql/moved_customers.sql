-- Where the rows went since the run before: from segment, to segment (0: withheld), how many.
-- Empty: the run is its study's first: nobody can have moved yet.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    migrations.from_segment_id,
    migrations.to_segment_id,
    migrations.entities as row_count,
    coalesce(migrations.from_segment_id = migrations.to_segment_id, false) as is_stayed
from results.migrations
inner join latest_run on migrations.run_id = latest_run.run_id
order by migrations.from_segment_id asc nulls last, row_count desc
