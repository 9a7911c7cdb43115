-- A plan a segment: its tier by what a member brings, its part of a budget, what to do and to whom.
-- Empty: the run's segments are all withheld: too few members to speak of.
with

latest_run as (

    select max_by(run_id, number) as run_id
    from results.runs
    where status = 'done' and study = coalesce(getvariable('study'), study)

),

described as (

    select segments.*
    from results.segments
    inner join latest_run on segments.run_id = latest_run.run_id
    where not coalesce(segments.is_withheld, false)

),

-- What a segment brings: its part of the spend. Where the study tells of none, its size counts.
money as (

    select
        described.segment_id,
        min_by(
            segment_features.total_share,
            case when segment_features.feature = 'spend_amount' then 0 else 1 end
        ) as value_share
    from described
    inner join results.segment_features
        on
            described.run_id = segment_features.run_id
            and described.segment_id = segment_features.segment_id
    where
        segment_features.feature = 'spend_amount'
        or segment_features.feature similar to '.*(revenue|_spend_amount)'
    group by described.segment_id

),

actions as (

    select
        segment_actions.segment_id,
        string_agg(
            segment_actions.advice || ' (' || segment_actions.because || ')', '; '
            order by segment_actions.priority
        ) as playbook
    from results.segment_actions
    inner join latest_run on segment_actions.run_id = latest_run.run_id
    group by segment_actions.segment_id

),

valued as (

    select
        described.*,
        actions.playbook,
        sum(described.size) over (partition by described.partition) as everybody,
        described.size / everybody as member_share,
        coalesce(money.value_share, member_share) as value_share,
        value_share / member_share as worth
    from described
    left join money on described.segment_id = money.segment_id
    left join actions on described.segment_id = actions.segment_id

)

select
    partition,
    segment_id,
    name as segment_name,
    size,
    case
        when worth >= 2 then '1 platinum'
        when worth >= 1.1 then '2 gold'
        when worth >= 0.6 then '3 silver'
        else '4 bronze'
    end as tier,
    round(worth, 2) as worth,
    round(value_share, 3) as value_share,
    round(
        coalesce(getvariable('budget'), 10000)
        * value_share * everybody / sum(value_share * everybody) over ()
    ) as budget,
    case when is_stable is false then 'a trial first: unstable in refits' else 'all' end as reach,
    coalesce(playbook, 'nothing stands out: the usual offers') as playbook,
    rule_sql as who
from valued
order by partition asc, worth desc, segment_id asc
