with
shoppers as (select * from {{ grocery_source('shoppers') }}),

transactions as (select * from {{ ref('silver_grocery_transactions') }}),

buyers as (select distinct customer_id from transactions),

customers as (
    select shoppers.*
    from shoppers
    inner join buyers on shoppers.customer_id = buyers.customer_id
)

select * from customers
