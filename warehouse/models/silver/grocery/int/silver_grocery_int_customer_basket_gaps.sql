with
baskets as (select * from {{ baskets_of('customer') }}),

-- Unlike the gaps between visits, two baskets of one day are two, 0 days apart.
basket_gaps as (
    select
        customer_id,
        {{ days_between(
            'lag(bought_on) over (partition by customer_id order by bought_on)', 'bought_on'
        ) }} as gap_days
    from baskets
)

select
    customer_id,
    min(gap_days) as basket_gap_min_days,
    max(gap_days) as basket_gap_max_days,
    avg(gap_days) as basket_gap_mean_days
from basket_gaps
group by customer_id
