with
baskets as (select * from {{ baskets_of('customer') }})

select
    customer_id,
    count(*) as basket_count,
    {{ exact_mean('unit_spread') }} as unit_spread_mean,
    avg(product_count) as product_count_mean,
    avg(unit_count) as unit_count_mean,
    {{ mean_money('spend_amount') }} as spend_amount_mean,
    cast(max(spend_amount) as double) as spend_amount_max
from baskets
group by customer_id
