{{ config(alias=var('custom_name', 'custom') ~ '_returns') }}

with
checked_lines as (select * from {{ ref('silver_custom_checked_lines') }}),

-- A line below 0 takes its units back.
movements as (
    select
        line_id,
        order_id,
        customer_id,
        product_id,
        amount < 0 as is_return,
        unit_count,
        abs(amount) / unit_count as unit_price,
        happened_at as moved_at
    from checked_lines
    where rejection_reason is null
),

{{ return_matching_ctes() }}

select
    {{- ' ' ~ matched_return_columns() }}
from matched
where is_return
