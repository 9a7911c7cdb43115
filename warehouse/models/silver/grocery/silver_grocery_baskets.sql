with
transactions as (select * from {{ ref('silver_grocery_transactions') }}),

stores as (select * from {{ ref('silver_grocery_stores') }}),

grouped as (
    select
        basket_id,
        min(customer_id) as customer_id,
        min(store_id) as store_id,
        min(basket_size) as basket_size,
        min(basket_type) as basket_type,
        min(basket_mission) as basket_mission,
        min(basket_price_sensitivity) as price_sensitivity,
        count(*) as line_count,
        count(distinct product_id) as product_count,
        count(distinct department) as department_count,
        cast(sum(unit_count) as bigint) as unit_count,
        {{ spread('unit_count') }} as unit_spread,
        {%- for amount in ['spend', 'discount', 'coupon', 'shelf'] %}
        cast(sum({{ amount }}_amount) as decimal(18, 2)) as {{ amount }}_amount,
        {%- endfor %}
        -- Null, not 0, where the source does not tell own labels.
        cast(
            sum(case when is_own_label then spend_amount when not is_own_label then 0 end)
            as decimal(18, 2)
        ) as own_label_amount,
        min(bought_at) as bought_at
    from transactions
    group by basket_id
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
