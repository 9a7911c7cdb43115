with
shoppers as (select * from {{ grocery_source('shoppers') }}),

baskets as (select * from {{ ref('silver_grocery_baskets') }}),

buyers as (select distinct customer_id from baskets),

customers as (
    select shoppers.*
    from shoppers
    inner join buyers on shoppers.customer_id = buyers.customer_id
)

select * from customers
