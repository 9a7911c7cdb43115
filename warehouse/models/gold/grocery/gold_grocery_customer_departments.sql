{{ config(
    materialized=weekly(),
    meta={
        'replaced': 'customer_id in (select customer_id from loads.grocery_touched_customers)',
    }
) }}

-- Like all of gold, it is not made where no basket is left: {{ ref('silver_grocery_baskets') }}
with
transactions as ({{ lines_to_count() }}),

products as (select * from {{ ref('silver_grocery_products') }}),

counted as (
    select
        transactions.customer_id,
        products.department,
        count(distinct transactions.basket_id) as basket_count,
        count(*) as line_count,
        sum(transactions.spend_amount) as spend_amount
    from transactions
    left join products on transactions.product_id = products.product_id
    group by transactions.customer_id, products.department
    {{- departments_before() }}
),

departments as (
    select
        customer_id,
        department,
        cast(sum(basket_count) as bigint) as basket_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
    from counted
    group by customer_id, department
),

customers as (
    select
        customer_id,
        cast(sum(spend_amount) as double) as spend_amount
    from departments
    group by customer_id
),

shares as (
    select
        cast(departments.customer_id as string) as customer_id,
        departments.department,
        departments.basket_count,
        departments.line_count,
        cast(departments.spend_amount as double) as spend_amount,
        cast(departments.spend_amount as double) / customers.spend_amount as spend_share
    from departments
    inner join customers on departments.customer_id = customers.customer_id
)

select * from shares
