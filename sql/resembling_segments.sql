-- Which segments of different partitions resemble each other, by correlation of their profiles.
-- Empty: the study has one partition; segments are compared between several (partition_by).
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

)

select
    one.partition,
    one.segment_id,
    one.name,
    other.partition as other_partition,
    other.segment_id as other_segment_id,
    other.name as other_name,
    round(resemblance.correlation, 3) as correlation
from results.partition_resemblance as resemblance
inner join latest_run on resemblance.run_id = latest_run.run_id
inner join results.segments as one
    on resemblance.run_id = one.run_id and resemblance.segment_id = one.segment_id
inner join results.segments as other
    on resemblance.run_id = other.run_id and resemblance.other_segment_id = other.segment_id
where one.partition < other.partition
order by resemblance.correlation desc
