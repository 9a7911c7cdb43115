{{ config(alias=var('custom_name', 'custom') ~ '_sales') }}

with
checked_lines as (select * from {{ ref('silver_custom_checked_lines') }})

select
    line_id,
    order_id,
    customer_id,
    product_id,
    category_id,
    channel_id,
    unit_count,
    amount / unit_count as unit_price,
    amount as spend_amount,
    happened_at as ordered_at
from checked_lines
where rejection_reason is null and amount > 0
