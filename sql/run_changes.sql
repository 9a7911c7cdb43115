-- Each segment in the latest run beside the run before: size, share, who came from elsewhere.
with

latest_run as (

    select
        max_by(run_id, number) as run_id,
        max_by(previous_run_id, number) as previous_run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

segments_now as (

    select segments.*
    from results.segments
    inner join latest_run on segments.run_id = latest_run.run_id

),

segments_before as (

    select segments.*
    from results.segments
    inner join latest_run on segments.run_id = latest_run.previous_run_id

),

arrivals as (

    select
        migrations.to_segment_id as segment_id,
        sum(migrations.entities) filter (
            where migrations.from_segment_id <> migrations.to_segment_id
        ) as moved_in_count,
        sum(migrations.entities) filter (where migrations.from_segment_id is null) as new_count
    from results.migrations
    inner join latest_run on migrations.run_id = latest_run.run_id
    where migrations.to_segment_id is not null
    group by all

)

select
    coalesce(segments_now.segment_id, segments_before.segment_id) as segment_id,
    coalesce(segments_now.name, segments_before.name) as segment_name,
    case
        when segments_before.segment_id is null then 'new'
        when segments_now.segment_id is null then 'gone'
        else 'kept'
    end as what_became,
    segments_before.size as size_before,
    segments_now.size as size_now,
    segments_before.share as share_before,
    segments_now.share as share_now,
    case
        when not coalesce(segments_now.is_withheld, false)
            then coalesce(arrivals.moved_in_count, 0)
    end as moved_in_count,
    case
        when not coalesce(segments_now.is_withheld, false)
            then coalesce(arrivals.new_count, 0)
    end as new_count
from segments_now
full outer join segments_before on segments_now.segment_id = segments_before.segment_id
left join arrivals on segments_now.segment_id = arrivals.segment_id
order by segment_id
