with
checked_lines as (select * from {{ ref('silver_online_retail_checked_lines') }})

select
    line_id,
    invoice_id as order_id,
    customer_id,
    product_id,
    {{ online_retail_category('product_id') }} as category_id,
    country,
    quantity as unit_count,
    unit_price,
    cast(quantity * unit_price as decimal(18, 2)) as spend_amount,
    invoiced_at as ordered_at
from checked_lines
where kind = 'sale'
