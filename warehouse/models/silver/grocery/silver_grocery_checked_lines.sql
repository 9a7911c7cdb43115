with
lines as (select * from {{ grocery_source('lines') }}),

products as (select * from {{ ref('silver_grocery_products') }}),

-- The two checks that look beyond one line read the few columns that they need: as one CTE
-- with `lines`, every column of every line would be held in memory.
repeated_products as (
    select
        basket_id,
        product_id
    from {{ grocery_source('lines') }}
    group by basket_id, product_id
    having count(*) > 1
),

-- A line can only repeat within its basket and product, so only those that stand there more
-- than once are compared in full.
repeats as (
    select
        lines.*,
        row_number() over (
            partition by
                lines.basket_id, lines.product_id, lines.customer_id, lines.store_id,
                lines.quantity, lines.spend_amount, lines.discount_amount,
                lines.coupon_amount, lines.bought_at
            order by lines.basket_id
        ) as copy_number
    from {{ grocery_source('lines') }} as lines
    inner join repeated_products
        on
            lines.basket_id = repeated_products.basket_id
            and lines.product_id = repeated_products.product_id
),

singles as (
    select
        lines.*,
        1 as copy_number
    from lines
    left join repeated_products
        on
            lines.basket_id = repeated_products.basket_id
            and lines.product_id = repeated_products.product_id
    where repeated_products.basket_id is null
),

numbered as (
    select * from singles
    union all
    select * from repeats
),

shared_baskets as (
    select
        basket_id,
        true as is_shared
    from {{ grocery_source('lines') }}
    where basket_id is not null
    group by basket_id
    having min(customer_id) <> max(customer_id) or min(store_id) <> max(store_id)
),

checked as (
    select
        numbered.customer_id,
        numbered.basket_id,
        numbered.product_id,
        numbered.store_id,
        products.category_id,
        products.department,
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
    left join shared_baskets on numbered.basket_id = shared_baskets.basket_id
)

select * from checked
