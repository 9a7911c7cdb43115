{{ config(materialized='view') }}

with
checked_lines as (select * from {{ ref('silver_retail_org_checked_lines') }})

select
    order_id,
    customer_id,
    product_id,
    product_name,
    category,
    currency,
    has_promotion,
    unit_count,
    unit_price,
    spend_amount,
    ordered_at
from checked_lines
where rejection_reason is null
