with
checked_lines as (select * from {{ ref('silver_online_retail_checked_lines') }})

select
    line_id,
    invoice_id,
    customer_id,
    product_id,
    kind,
    abs(quantity) as unit_count,
    unit_price,
    cast(abs(quantity) * unit_price as decimal(18, 2)) as amount,
    invoiced_at
from checked_lines
where kind in ('cancelled sale', 'cancellation')
