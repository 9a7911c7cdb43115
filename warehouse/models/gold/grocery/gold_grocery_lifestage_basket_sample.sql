{{ config(post_hook="{{ write_life_stage_files('grocery_baskets') }}") }}

with
baskets as (select * from {{ ref('silver_grocery_baskets') }}),

customers as (select * from {{ ref('silver_grocery_customers') }}),

drawn as (
    select
        cast(baskets.basket_id as string) as basket_id,
        cast(baskets.customer_id as string) as customer_id,
        customers.life_stage,
        baskets.store_format,
        baskets.basket_size,
        baskets.basket_type,
        baskets.basket_mission,
        baskets.price_sensitivity,
        baskets.hour_band,
        baskets.weekday,
        baskets.line_count,
        baskets.product_count,
        baskets.unit_count,
        baskets.unit_spread,
        cast(baskets.spend_amount as double) as spend_amount,
        baskets.bought_on,
        cast(row_number() over (
            partition by customers.life_stage
            order by
                md5(concat(baskets.basket_id, ':{{ var("lifestage_sample_seed") }}')),
                baskets.basket_id
        ) as bigint) as sample_rank
    from baskets
    inner join customers on baskets.customer_id = customers.customer_id
    where customers.life_stage <> 'XX'
)

select * from drawn
where sample_rank <= {{ var('lifestage_basket_sample_size') }}
