with
checked_lines as (select * from {{ ref('silver_online_retail_checked_lines') }}),

movements as (
    select
        line_id,
        invoice_id as order_id,
        customer_id,
        product_id,
        kind = 'return' as is_return,
        abs(quantity) as unit_count,
        unit_price,
        invoiced_at as moved_at
    from checked_lines
    where kind in ('sale', 'return')
),

{{ return_matching_ctes() }}

select
    {{- ' ' ~ matched_return_columns() }}
from matched
where is_return
