with
transactions as (select * from {{ ref('silver_grocery_transactions') }}),

departments as (
    select
        customer_id,
        department,
        count(distinct basket_id) as basket_count,
        count(*) as line_count,
        sum(spend_amount) as spend_amount
    from transactions
    group by customer_id, department
),

shares as (
    select
        *,
        spend_amount / sum(spend_amount) over (partition by customer_id) as spend_share
    from departments
)

select * from shares
