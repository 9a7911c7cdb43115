{{ config(post_hook="{{ mark_load('silver.grocery_customers') }}") }}

with
shoppers as (select * from {{ grocery_source('shoppers') }}),

buyers as (select distinct customer_id from {{ ref('silver_grocery_baskets') }}),

customers as (
    select shoppers.*
    from shoppers
    inner join buyers on shoppers.customer_id = buyers.customer_id
)

select * from customers
