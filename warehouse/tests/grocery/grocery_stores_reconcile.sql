-- Customers and stores share the same baskets, lines and spend.
with
customers as (
    select
        sum(basket_count) as basket_count,
        sum(line_count) as line_count,
        round(sum(spend_amount), 2) as spend_amount
    from {{ ref('gold_grocery_customers') }}
),

stores as (
    select
        sum(basket_count) as basket_count,
        sum(line_count) as line_count,
        round(sum(spend_amount), 2) as spend_amount
    from {{ ref('gold_grocery_stores') }}
),

departments as (
    select
        sum(line_count) as line_count,
        round(sum(spend_amount), 2) as spend_amount
    from {{ ref('gold_grocery_customer_departments') }}
)

select customers.*
from customers
cross join stores
cross join departments
where
    customers.basket_count <> stores.basket_count
    or customers.line_count <> stores.line_count
    or customers.line_count <> departments.line_count
    or abs(customers.spend_amount - stores.spend_amount) > 0.01
    or abs(customers.spend_amount - departments.spend_amount) > 0.01
