{{ config(
    materialized=weekly(),
    meta={'replaced': 'basket_id in (select basket_id from loads.grocery_touched_baskets)'}
) }}

with
transactions as (
    select * from {{ ref('silver_grocery_transactions') }}
    {%- if loading('silver.grocery_baskets') == 'changes' %}
    where basket_id in (select basket_id from loads.grocery_touched_baskets)
    {%- endif %}
),

products as (select * from {{ ref('silver_grocery_products') }}),

stores as (select * from {{ ref('silver_grocery_stores') }}),

grouped as (
    select
        transactions.basket_id,
        min(transactions.customer_id) as customer_id,
        min(transactions.store_id) as store_id,
        min(transactions.basket_size) as basket_size,
        min(transactions.basket_type) as basket_type,
        min(transactions.basket_mission) as basket_mission,
        min(transactions.basket_price_sensitivity) as price_sensitivity,
        count(*) as line_count,
        count(distinct transactions.product_id) as product_count,
        count(distinct products.department) as department_count,
        cast(sum(transactions.unit_count) as bigint) as unit_count,
        {{ spread('transactions.unit_count') }} as unit_spread,
        {%- for amount in ['spend', 'discount', 'coupon', 'shelf'] %}
        cast(sum(transactions.{{ amount }}_amount) as decimal(18, 2)) as {{ amount }}_amount,
        {%- endfor %}
        -- Null, not 0, where the source does not tell own labels.
        cast(
            sum(case
                when transactions.is_own_label then transactions.spend_amount
                when not transactions.is_own_label then 0
            end)
            as decimal(18, 2)
        ) as own_label_amount,
        min(transactions.bought_at) as bought_at
    from transactions
    left join products on transactions.product_id = products.product_id
    group by transactions.basket_id
),

baskets as (
    select
        grouped.basket_id,
        grouped.customer_id,
        grouped.store_id,
        stores.store_format,
        grouped.basket_size,
        grouped.basket_type,
        grouped.basket_mission,
        grouped.price_sensitivity,
        {{ hour_band('extract(hour from grouped.bought_at)') }} as hour_band,
        {{ weekday_number('grouped.bought_at') }} as weekday,
        {{ weekday_number('grouped.bought_at') }} >= 6 as is_weekend,
        grouped.line_count,
        grouped.product_count,
        grouped.department_count,
        grouped.unit_count,
        grouped.unit_spread,
        grouped.spend_amount,
        grouped.discount_amount,
        grouped.coupon_amount,
        grouped.shelf_amount,
        grouped.own_label_amount,
        cast(grouped.bought_at as date) as bought_on,
        grouped.bought_at
    from grouped
    left join stores on grouped.store_id = stores.store_id
)

select * from baskets
