with
transactions as (select * from {{ ref('silver_grocery_transactions') }}),

customers as (
    select
        customer_id,
        cast(sum(spend_amount) as double) as spend_amount
    from {{ ref('silver_grocery_baskets') }}
    group by customer_id
),

departments as (
    select
        customer_id,
        department,
        count(distinct basket_id) as basket_count,
        count(*) as line_count,
        cast(sum(spend_amount) as double) as spend_amount
    from transactions
    group by customer_id, department
),

shares as (
    select
        departments.*,
        departments.spend_amount / customers.spend_amount as spend_share
    from departments
    inner join customers on departments.customer_id = customers.customer_id
)

select * from shares
