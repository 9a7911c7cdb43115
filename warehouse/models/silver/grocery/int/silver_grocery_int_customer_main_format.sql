with
baskets as (select * from {{ baskets_of('customer') }}),

ranked as (
    select
        customer_id,
        store_format,
        row_number() over (
            partition by customer_id order by count(*) desc, store_format asc nulls last
        ) as place
    from baskets
    group by customer_id, store_format
)

select
    customer_id,
    store_format as main_store_format
from ranked
where place = 1
