{{ config(
    materialized=weekly(),
    meta={
        'replaced': 'customer_id in (select customer_id from loads.grocery_touched_customers)',
    }
) }}

with
transactions as (
    select * from {{ of_touched_customers(
        ref('silver_grocery_transactions'), 'gold.grocery_customer_departments'
    ) }}
),

products as (select * from {{ ref('silver_grocery_products') }}),

customers as (
    select
        customer_id,
        cast(sum(spend_amount) as double) as spend_amount
    from {{ ref('silver_grocery_baskets') }}
    group by customer_id
),

departments as (
    select
        transactions.customer_id,
        products.department,
        count(distinct transactions.basket_id) as basket_count,
        count(*) as line_count,
        cast(sum(transactions.spend_amount) as double) as spend_amount
    from transactions
    left join products on transactions.product_id = products.product_id
    group by transactions.customer_id, products.department
),

shares as (
    select
        cast(departments.customer_id as string) as customer_id,
        {{ columns_but('departments', 'customer_id') }},
        departments.spend_amount / customers.spend_amount as spend_share
    from departments
    inner join customers on departments.customer_id = customers.customer_id
)

select * from shares
