-- Spend by segment and department: amount, share of the segment's spend, and that share's lift.
with

spent as (

    select
        latest.segment_id,
        latest.segment_name,
        departments.department,
        coalesce(any_value(segments.is_withheld), false) as is_withheld,
        sum(departments.spend_amount) as spend_amount
    from results.grocery_customers_latest as latest
    inner join results.segments
        on latest.run_id = segments.run_id and latest.segment_id = segments.segment_id
    inner join gold.grocery_customer_departments as departments
        on latest.customer_id = departments.customer_id
    group by latest.segment_id, latest.segment_name, departments.department

)

select
    segment_id,
    segment_name,
    department,
    round(spend_amount, 2) as spend_amount,
    round(spend_amount / sum(spend_amount) over (partition by segment_id), 4) as share_of_segment,
    round(
        spend_amount * sum(spend_amount) over ()
        / (
            sum(spend_amount) over (partition by segment_id)
            * sum(spend_amount) over (partition by department)
        ),
        2
    ) as lift
from spent
qualify not is_withheld
order by segment_id asc, spend_amount desc
