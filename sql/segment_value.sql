-- What each segment has of the study's measures: mean, median, everybody's mean, part of the whole.
-- Empty: the study's segments are too small for figures of their own.
with

latest_run as (

    select
        max_by(run_id, number) as run_id,
        max_by(parameters, number) as parameters
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

-- A study without measures is asked for its features.
measures as (

    select
        unnest(
            coalesce(
                nullif(
                    from_json(json_extract(parameters, '$.describe.measures'), '["VARCHAR"]'), []
                ),
                ['*']
            )
        ) as pattern
    from latest_run

),

totals as (

    select distinct
        segment_features.run_id,
        segment_features.segment_id,
        segment_features.feature,
        segment_features.mean,
        segment_features.median,
        segment_features.population_mean,
        segment_features.mean * segment_features.known_count as total
    from results.segment_features
    inner join latest_run on segment_features.run_id = latest_run.run_id
    inner join measures
        on
            segment_features.feature = measures.pattern
            or segment_features.feature glob measures.pattern
    where segment_features.mean is not null

)

select
    totals.segment_id,
    segments.name as segment_name,
    segments.size,
    totals.feature as measure,
    totals.mean,
    totals.median,
    totals.population_mean,
    case
        when
            regexp_matches(totals.feature, '(_amount|_count)$')
            and min(totals.total) over (partition by totals.feature) >= 0
            then totals.total / nullif(sum(totals.total) over (partition by totals.feature), 0)
    end as part_of_all
from totals
inner join results.segments
    on totals.run_id = segments.run_id and totals.segment_id = segments.segment_id
order by totals.feature asc, part_of_all desc nulls last, totals.segment_id asc
