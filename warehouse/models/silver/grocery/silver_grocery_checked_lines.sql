-- The hooks read the stores too: they are made before.
-- depends_on: {{ ref('silver_grocery_stores') }}
{% set source_lines = lines_to_check() -%}
{{ config(
    materialized=weekly(),
    pre_hook='{{ find_touched_baskets() }}',
    post_hook='{{ note_touched_lines() }}',
    meta={
        'replaced': 'rowid in (select row_before from grocery_lines_before)',
        'changes': 'loads.grocery_baskets_found',
    }
) }}

with
lines as (select * from {{ source_lines }}),

products as (select * from {{ ref('silver_grocery_products') }}),

{% if leaves_out_undefined() -%}
shoppers as (select * from {{ grocery_source('shoppers') }}),

{% endif -%}
-- Baskets that need a closer look; reads the source again rather than `lines`, for as a CTE of
-- two readers every column of every line would be held in memory.
suspicious_baskets as (
    select
        basket_id,
        min(customer_id) <> max(customer_id) or min(store_id) <> max(store_id) as is_shared,
        count(product_id) > count(distinct product_id) as has_repeats
    from {{ source_lines }}
    where basket_id is not null
    group by basket_id
    having is_shared or has_repeats
),

singles as (
    select
        lines.*,
        coalesce(suspicious_baskets.is_shared, false) as is_shared,
        1 as copy_number
    from lines
    left join suspicious_baskets on lines.basket_id = suspicious_baskets.basket_id
    where not coalesce(suspicious_baskets.has_repeats, false)
),

-- A line can only repeat within its basket, so only baskets that hold a product more than once
-- are compared in full.
repeats as (
    select
        lines.*,
        coalesce(suspicious_baskets.is_shared, false) as is_shared,
        row_number() over (
            partition by
                lines.basket_id, lines.product_id, lines.customer_id, lines.store_id,
                lines.quantity, lines.spend_amount, lines.discount_amount,
                lines.coupon_amount, lines.bought_at
            order by lines.basket_id
        ) as copy_number
    from {{ source_lines }} as lines
    inner join suspicious_baskets
        on lines.basket_id = suspicious_baskets.basket_id and suspicious_baskets.has_repeats
),

numbered as (
    select * from singles
    union all
    select * from repeats
),

checked as (
    select
        numbered.customer_id,
        numbered.basket_id,
        numbered.product_id,
        numbered.store_id,
        numbered.basket_size,
        numbered.basket_type,
        numbered.basket_mission,
        numbered.basket_price_sensitivity,
        products.is_own_label,
        products.is_bulk,
        numbered.quantity,
        case when products.is_bulk then 1 else numbered.quantity end as unit_count,
        numbered.spend_amount,
        numbered.discount_amount,
        numbered.coupon_amount,
        numbered.shelf_amount,
        numbered.bought_at,
        case
            {%- for rule in grocery_line_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from numbered
    left join products on numbered.product_id = products.product_id
    {%- if leaves_out_undefined() %}
    left join shoppers on numbered.customer_id = shoppers.customer_id
    {%- endif %}
)

select * from checked
