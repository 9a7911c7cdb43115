-- Synthetic customers of each segment, a row a value: each column by itself from its quartiles.
-- Empty: no segment has five members whose figures are known.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

members as (

    select
        segments.run_id,
        segments.segment_id,
        segments.name as segment_name,
        unnest(
            range(
                greatest(
                    1, cast(round(segments.share * coalesce(getvariable('rows'), 1000)) as bigint)
                )
            )
        ) as member
    from results.segments
    inner join latest_run on segments.run_id = latest_run.run_id
    where not coalesce(segments.is_withheld, false)

),

-- The same numbers each time: a hash of who and what, between 0 and 1.
numbers as (

    select
        members.*,
        segment_features.feature,
        segment_features.mean,
        segment_features.lower_quartile as low,
        segment_features.median as middle,
        segment_features.upper_quartile as high,
        hash(members.segment_id, members.member, segment_features.feature) / pow(2, 64) as drawn
    from members
    inner join results.segment_features
        on
            members.run_id = segment_features.run_id
            and members.segment_id = segment_features.segment_id
    where segment_features.known_count >= 5 and not contains(segment_features.feature, '=')

),

-- Straight between the quartiles and on beyond them; what is 0 or 1 stays 0 or 1.
number_values as (

    select
        *,
        case
            when low in (0, 1) and high in (0, 1) and mean between 0 and 1
                then cast(drawn < mean as integer)
            when drawn < 0.5 then middle - (middle - low) * (0.5 - drawn) * 4
            else middle + (high - middle) * (drawn - 0.5) * 4
        end as value
    from numbers

),

words as (

    select
        *,
        sum(share) over (
            partition by run_id, segment_id, feature
            order by share desc, category asc
            rows between unbounded preceding and current row
        ) as up_to
    from results.segment_categories

),

word_values as (

    select
        members.segment_id,
        members.segment_name,
        members.member,
        words.feature,
        arg_min(words.category, words.up_to) as value
    from members
    inner join words
        on members.run_id = words.run_id and members.segment_id = words.segment_id
    where words.up_to > hash(members.segment_id, members.member, words.feature) / pow(2, 64)
    group by all

)

select
    segment_id,
    segment_name,
    member,
    feature,
    cast(
        case
            when low >= 0 and value < 0 then 0
            when low = round(low) and middle = round(middle) and high = round(high)
                then round(value)
            -- As many digits as the quartiles tell of: four.
            when value = 0 then 0
            else round(value, 3 - cast(floor(log10(abs(value))) as integer))
        end as varchar
    ) as value
from number_values
union all
select
    segment_id,
    segment_name,
    member,
    feature,
    value
from word_values
order by segment_id, member, feature
